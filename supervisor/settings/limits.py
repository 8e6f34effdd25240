"""What a server may take, as the kernel and the daemons are told."""

from __future__ import annotations

import os
import resource

from pydantic.alias_generators import to_camel

from supervisor.model.limits import FAIL, RESTART, UNLIMITED, KernelLimits, WatchedLimits
from supervisor.settings import limit_keys
from supervisor.settings.limit_keys import CgroupKeys, Limits
from supervisor.settings.written import Written

MIB = 1 << 20
HOUR_S = 3600.0
FOR_ROOT = "run sbctl as root, or take a value that everybody may set"

# Our key, the name that prlimit(1) has for it, what one of it is, and the kernel's number.
_RLIMITS = (
    ("open_files", "nofile", 1, resource.RLIMIT_NOFILE),
    ("processes", "nproc", 1, resource.RLIMIT_NPROC),
    ("core_mb", "core", MIB, resource.RLIMIT_CORE),
    ("file_mb", "fsize", MIB, resource.RLIMIT_FSIZE),
    ("locked_memory_mb", "memlock", MIB, resource.RLIMIT_MEMLOCK),
    ("address_space_mb", "as", MIB, resource.RLIMIT_AS),
    ("stack_mb", "stack", MIB, resource.RLIMIT_STACK),
    ("cpu_time_seconds", "cpu", 1, resource.RLIMIT_CPU),
)


def kernel_limits(keys: limit_keys.KernelLimits | None) -> KernelLimits:
    if keys is None:
        return KernelLimits()
    return KernelLimits(
        rlimits={name: (amount, amount) for name, amount in _amounts(keys).items()},
        nice=keys.nice,
        ionice=keys.ionice or "",
        umask=int(keys.umask, 8) if keys.umask is not None else None,
        oom_score=keys.oom_score,
        cgroup=_cgroup(keys.cgroup),
        if_refused=keys.if_refused or FAIL,
    )


def _amounts(keys: limit_keys.KernelLimits) -> dict[str, int]:
    found = {}
    for key, name, unit, _number in _RLIMITS:
        value = getattr(keys, key)
        if value is not None:
            found[name] = UNLIMITED if isinstance(value, str) else int(value * unit)
    return found


def _cgroup(keys: CgroupKeys | None) -> dict[str, int]:
    if keys is None:
        return {}
    memory = int(keys.memory_mb * MIB) if keys.memory_mb is not None else None
    wanted = {"memory_max": memory, "cpu_percent": keys.cpu_percent, "pids_max": keys.processes}
    return {name: value for name, value in wanted.items() if value is not None}


def watched_limits(keys: Limits | None) -> WatchedLimits:
    if keys is None:
        return WatchedLimits()
    spread = keys.max_age_spread_percent
    return WatchedLimits(
        memory=int((keys.memory_mb or 0) * MIB),
        memory_for=keys.memory_seconds or 30.0,
        cpu=keys.cpu_percent or 0.0,
        cpu_for=keys.cpu_seconds or 60.0,
        max_age=(keys.max_age_hours or 0.0) * HOUR_S,
        max_age_spread=0.1 if spread is None else spread / 100,
        action=keys.on_exceed or RESTART,
    )


def warn_of_limits(written: Written) -> None:
    for name, message in for_root_only(written.keys.limits, "server"):
        written.report(("limits", name), message, FOR_ROOT, level="warning")


def for_root_only(keys: limit_keys.KernelLimits | None, what: str) -> list[tuple[str, str]]:
    """What only root may, for whoever is not: it will be refused, unless `start` is run otherwise.

    Keys, each with what is to be said of it.
    """
    if keys is None or os.geteuid() == 0:
        return []
    refused = [to_camel(key) for key, name, _unit, number in _RLIMITS if _is_above(_amounts(keys).get(name), number)]
    if keys.nice is not None and keys.nice < 0:
        refused.append("nice")
    if keys.oom_score is not None and keys.oom_score < 0:
        refused.append("oomScore")
    if keys.ionice and keys.ionice.startswith("realtime"):
        refused.append("ionice")
    outcome = "is started without it" if keys.if_refused == "start" else "will not start"
    return [(name, f"only root may set this: the {what} {outcome}") for name in refused]


def _is_above(amount: int | None, number: int) -> bool:
    hard = resource.getrlimit(number)[1]
    if amount is None or hard == resource.RLIM_INFINITY:
        return False
    return amount == UNLIMITED or amount > hard
