"""Limits of one service: those that the kernel keeps from its start on, and those that we watch."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

UNLIMITED = -1
FAIL = "fail"  # a limit that can't be set: the service is not started ...
START = "start"  # ... or started without it, which is said

RESTART = "restart"  # over a watched limit for too long: restart it ...
WARN = "warn"  # ... or only say so


class KernelLimits:
    """Set once, in front of its command; part of how it is launched. None or empty: left as `start` has it."""

    __slots__ = ("cgroup", "if_refused", "ionice", "nice", "oom_score", "rlimits", "umask")

    def __init__(
        self,
        *,
        rlimits: dict[str, tuple[int, int]] | None = None,
        nice: int | None = None,
        ionice: str = "",
        umask: int | None = None,
        oom_score: int | None = None,
        cgroup: dict[str, int] | None = None,
        if_refused: str = FAIL,
    ) -> None:
        self.rlimits = rlimits or {}  # "nofile": (soft, hard); names as in prlimit(1), UNLIMITED for no limit
        self.nice = nice  # absolute
        self.ionice = ionice  # "idle", "best-effort:4", "realtime:0"
        self.umask = umask
        self.oom_score = oom_score  # -1000..1000
        self.cgroup = cgroup or {}  # cgroup v2, where delegated: memory_max (bytes), cpu_percent, pids_max
        self.if_refused = if_refused

    def __bool__(self) -> bool:
        return bool(
            self.rlimits
            or self.ionice
            or self.cgroup
            or self.nice is not None
            or self.umask is not None
            or self.oom_score is not None
        )

    def as_dict(self) -> dict[str, Any]:
        data = {name: getattr(self, name) for name in self.__slots__}
        data["rlimits"] = {name: list(pair) for name, pair in self.rlimits.items()}
        return data

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> KernelLimits:
        values = dict(data)
        values["rlimits"] = {name: (pair[0], pair[1]) for name, pair in values["rlimits"].items()}
        return cls(**values)


NO_LIMITS = KernelLimits()  # one for all that have none


class WatchedLimits:
    """Looked at every few seconds, of the whole tree of processes. Changed live. Zero: no such limit."""

    __slots__ = ("action", "cpu", "cpu_for", "max_age", "max_age_spread", "memory", "memory_for")

    def __init__(
        self,
        *,
        memory: int = 0,
        memory_for: float = 30.0,
        cpu: float = 0.0,
        cpu_for: float = 60.0,
        max_age: float = 0.0,
        max_age_spread: float = 0.1,
        action: str = RESTART,
    ) -> None:
        self.memory = memory  # bytes
        self.memory_for = memory_for  # seconds above it without a break
        self.cpu = cpu  # percent of one processor
        self.cpu_for = cpu_for
        self.max_age = max_age  # seconds; then it is restarted
        self.max_age_spread = max_age_spread  # sooner or later by up to this share, so that not all go at once
        self.action = action

    def __bool__(self) -> bool:
        return bool(self.memory or self.cpu or self.max_age)

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> WatchedLimits:
        return cls(**data)
