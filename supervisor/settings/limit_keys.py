"""The keys that limit what a server or a command may take."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from supervisor.settings.shape import Seconds, Shape, wrong

UNLIMITED = "unlimited"
MAX_NUMBER = 1_000_000_000
LEAST_FILES = 16  # below it a program does not get as far as its first line

_IONICE = re.compile(r"idle|(?:best-effort|realtime)(?::[0-7])?")
_UMASK = re.compile(r"0?[0-7]{3}")


def _check_amount(value: Any) -> Any:
    return _amount_from(0, value)


def _amount_from(least: int, value: Any, why: str = "") -> Any:
    if value == UNLIMITED:
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong(f"must be a number or {UNLIMITED}", f'write a number like 1024, or "{UNLIMITED}"')
    if not least <= value <= MAX_NUMBER:
        raise wrong(f"must be from {least} to {MAX_NUMBER}{why}", f'correct it, or write "{UNLIMITED}"')
    return value


def _check_whole(value: Any) -> Any:
    return _whole(_check_amount(value))


def _whole(value: Any) -> Any:
    if isinstance(value, float):
        raise wrong("must be a whole number", "write a whole number")
    return value


def _check_open_files(value: Any) -> Any:
    return _amount_from(LEAST_FILES, _whole(value), " (no program starts with fewer)")


def _check_ionice(value: Any) -> Any:
    if not isinstance(value, str) or not _IONICE.fullmatch(value):
        raise wrong("not a class of input and output", "write idle, best-effort:4 (0 to 7) or realtime:4")
    return value


def _check_umask(value: Any) -> Any:
    if not isinstance(value, str) or not _UMASK.fullmatch(value):
        raise wrong("must be three octal digits as text", 'write it in quotes, like "027"')
    return value


def _amount(kind: str, least: int = 0) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [{"type": kind, "minimum": least, "maximum": MAX_NUMBER}, {"enum": [UNLIMITED]}]})


Amount = Annotated[int | float | str, BeforeValidator(_check_amount), _amount("number")]
Whole = Annotated[int | str, BeforeValidator(_check_whole), _amount("integer")]
OpenFiles = Annotated[int | str, BeforeValidator(_check_open_files), _amount("integer", LEAST_FILES)]
Ionice = Annotated[str, BeforeValidator(_check_ionice)]
Umask = Annotated[str, BeforeValidator(_check_umask)]
Mb = Annotated[float, Field(gt=0, le=1e9)]
Percent = Annotated[float, Field(gt=0, le=100_000)]


class CgroupKeys(Shape):
    """Kept by the kernel for the whole tree of processes, where sbctl has been given a cgroup (v2) to divide."""

    memory_mb: Mb | None = Field(None, description="MiB of memory")
    cpu_percent: Annotated[int, Field(ge=1, le=100_000)] | None = Field(None, description="percent of one processor")
    processes: Annotated[int, Field(ge=1, le=4_000_000)] | None = Field(None, description="processes and threads")


class KernelLimits(Shape):
    """What is set once, before a start."""

    open_files: OpenFiles | None = Field(None, description="open files of one process, or `unlimited`")
    processes: Whole | None = Field(None, description="processes of its account, or `unlimited`")
    core_mb: Amount | None = Field(None, description="MiB of a core dump, or `unlimited`")
    file_mb: Amount | None = Field(None, description="MiB of one file it writes, or `unlimited`")
    locked_memory_mb: Amount | None = Field(None, description="MiB of locked memory, or `unlimited`")
    address_space_mb: Amount | None = Field(None, description="MiB of addresses of one process, or `unlimited`")
    stack_mb: Amount | None = Field(None, description="MiB of stack, or `unlimited`")
    cpu_time_seconds: Whole | None = Field(None, description="processor time of one process, or `unlimited`")
    nice: Annotated[int, Field(ge=-20, le=19)] | None = Field(None, description="less than 0: only root may")
    ionice: Ionice | None = Field(None, description="`idle`, `best-effort:0` to `:7`; as root also `realtime:0`")
    umask: Umask | None = Field(None, description="three octal digits as text: `027`")
    oom_score: Annotated[int, Field(ge=-1000, le=1000)] | None = Field(
        None, description="who is killed first when memory runs out: the highest; less than 0: only root may"
    )
    if_refused: Literal["fail", "start"] | None = Field(
        None, description="one of these can't be set: `fail` (if not given), or `start` without it, which is said"
    )
    cgroup: CgroupKeys | None = Field(None, description="limits of a cgroup")


class Limits(KernelLimits):
    """What a server may take. The first group is set once, before its start; the second is watched."""

    memory_mb: Mb | None = Field(None, description="MiB of memory of the whole tree of processes")
    memory_seconds: Seconds | None = Field(None, description="... above it for so long; 30 if not given")
    cpu_percent: Percent | None = Field(None, description="percent of one processor, of the whole tree")
    cpu_seconds: Seconds | None = Field(None, description="... above it for so long; 60 if not given")
    max_age_hours: Annotated[float, Field(gt=0, le=24 * 366)] | None = Field(
        None, description="restart it when it has run for so long, one after another"
    )
    max_age_spread_percent: Annotated[float, Field(ge=0, le=50)] | None = Field(
        None, description="... sooner or later by up to this share; 10 if not given"
    )
    on_exceed: Literal["restart", "warn"] | None = Field(
        None, description="over memoryMb or cpuPercent: `restart` (if not given), or only say so"
    )
