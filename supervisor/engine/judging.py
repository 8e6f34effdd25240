"""Why a process has ended: from its wait status, what it said last, and what we had done to it ourselves."""

from __future__ import annotations

from supervisor.core.verdict import cause_of
from supervisor.engine.oom import looks_like_it
from supervisor.events.words import last_words
from supervisor.model.cause import Cause, CauseKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.engine.oom import OomCounter
    from supervisor.engine.service import Service


def judge_end(service: Service, status: int | None, oom: bool | None, counter: OomCounter | None) -> Cause:
    """`oom`: whether it was killed for want of memory, if whoever waited for it has said so; else `counter` tells."""
    asked = not service.state.ending.is_death
    if status is None:
        kind = CauseKind.STOPPED if asked else CauseKind.UNKNOWN
        return Cause(kind, "stopped" if asked else "it ended while nobody could wait for it")
    policy = service.spec.policy
    launch = service.spec.launch  # what went wrong is said on stderr, where that is kept apart
    words = last_words(launch.err_log or launch.log, since_offset=service.log_from, since_inode=service.log_inode)
    return cause_of(
        status,
        asked=asked,
        words=words,
        exit_codes=policy.exit_codes,
        exit_signals=policy.exit_signals,
        stop_signals=policy.stop_signals,
        oom=_was_out_of_memory(service, status, counter) if oom is None else oom and not service.state.kills,
    )


def _was_out_of_memory(service: Service, status: int, counter: OomCounter | None) -> bool:
    if counter is None or service.state.kills or not looks_like_it(status):
        return False
    return counter.rose(own_cgroup=bool(service.spec.launch.limits.cgroup))
