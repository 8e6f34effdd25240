"""Why a process has ended: from its wait status, what it said last, and what we had done to it ourselves."""

from __future__ import annotations

from supervisor.core.verdict import BY_WHOM, cause_of
from supervisor.core.words import taken_port
from supervisor.engine.met_limits import met_limit
from supervisor.engine.oom import looks_like_it
from supervisor.engine.port_holder import port_in_use
from supervisor.events.words import last_words
from supervisor.model.cause import Cause, CauseKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from supervisor.engine.entries import Used
    from supervisor.engine.oom import OomCounter
    from supervisor.engine.service import Service


# What a limit may have led to, without that having a word of its own.
UNEXPLAINED = (CauseKind.EXIT_CODE, CauseKind.SIGNAL)


def judge_end(
    service: Service,
    status: int | None,
    oom: bool | None,
    counter: OomCounter | None,
    used: Used | None = None,
    others: Iterable[Service] = (),
) -> Cause:
    """`oom`: whether it was killed for want of memory, if whoever waited for it has said so; else `counter` tells.

    `others` may have the port that it wants.
    """
    asked = not service.state.ending.is_death
    if status is None:
        kind = CauseKind.STOPPED if asked else CauseKind.UNKNOWN
        return Cause(kind, "stopped" if asked else "it ended while nobody could wait for it")
    policy = service.spec.policy
    launch = service.spec.launch  # what went wrong is said on stderr, where that is kept apart
    words = last_words(launch.err_log or launch.log, since_offset=service.log_from, since_inode=service.log_inode)
    cause = cause_of(
        status,
        asked=asked,
        words=words,
        exit_codes=policy.exit_codes,
        exit_signals=policy.exit_signals,
        stop_signals=policy.stop_signals,
        oom=_was_out_of_memory(service, status, counter) if oom is None else oom and not service.state.kills,
    )
    if cause.kind in UNEXPLAINED and not service.state.kills:  # what we have killed met no limit
        how = cause.text.replace(BY_WHOM, "")
        cause.text = met_limit(how, cause.code, cause.signal or "", words, launch, used) or cause.text
    elif cause.kind is CauseKind.PORT_IN_USE:
        cause.text = port_in_use(service, taken_port(cause.words) or 0, others)
    return cause


def _was_out_of_memory(service: Service, status: int, counter: OomCounter | None) -> bool:
    if counter is None or service.state.kills or not looks_like_it(status):
        return False
    return counter.rose(own_cgroup=bool(service.spec.launch.limits.cgroup))
