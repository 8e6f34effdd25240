"""What one that is not ready yet waits for, in words: for its row, and for the end if it never comes."""

from __future__ import annotations

from supervisor.model.check import LOG, NOTIFY
from supervisor.model.service import Phase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.engine.service import Service
    from supervisor.model.check import Check


def waits(service: Service) -> str:
    """What its check has found; else what it says itself; else what is expected of it. "": nothing is."""
    check = _check(service)
    if check is None:
        return service.detail
    if service.lacks:
        return f"not ready yet: {service.lacks}"
    return service.detail or f"waits for {_expected(check)}"


def lacking(service: Service) -> str:
    """What has not come, or the last answer of its check; "": it is not waited for."""
    check = _check(service)
    if check is None:
        return ""
    if check.kind in (LOG, NOTIFY):
        return f"no {_sign(check)}"
    return service.lacks or f"{check.shown} has not answered"


def _check(service: Service) -> Check | None:
    state = service.state
    is_awaited = state.phase is Phase.STARTING and state.has_process and not state.ready
    return service.spec.ready if is_awaited else None


def _expected(check: Check) -> str:
    if check.kind == LOG:
        return f"the {_sign(check)}"
    return _sign(check) if check.kind == NOTIFY else f"its check {check.shown}"


def _sign(check: Check) -> str:
    return f'line "{check.text}" in its output' if check.kind == LOG else "READY=1"
