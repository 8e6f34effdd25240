"""Time: is the clock set by somebody, which clock is it, which boot is this, and are there time zones."""

from __future__ import annotations

import ctypes

from supervisor.base import proc, zones
from supervisor.cli.doctor.check import PROBLEM, WARNING, Check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.cli.doctor.exam import Exam

SOURCE = "/sys/devices/system/clocksource/clocksource0/current_clocksource"
COARSE = ("jiffies", "refined-jiffies", "pit")
STA_UNSYNC = 0x0040
TIME_ERROR = 5


class _Timex(ctypes.Structure):
    """The first fields of `struct timex`, and room for the rest."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_long * 64),
    )


def look(exam: Exam) -> list[Check]:
    found = [judge_sync(is_synchronized()), judge_source(_read(SOURCE))]
    found.append(judge_boot(proc.boot_id(), str(exam.start.health.get("boot_id") or "")))
    scheduler = exam.documents.get("scheduler", {}).get("schedules") or {}
    names = {str(each.get("zone") or "") for each in scheduler.get("schedules") or () if isinstance(each, dict)}
    found.append(judge_zones(*_zones({*names, str(scheduler.get("zone") or "")})))
    return found


def is_synchronized() -> bool | None:
    """By the kernel's word, which whoever sets the clock tells it; None: it does not say."""
    timex = _Timex()
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex))
    except (OSError, AttributeError):
        return None
    if state < 0:
        return None
    return state != TIME_ERROR and not timex.status & STA_UNSYNC


def judge_sync(synchronized: bool | None) -> Check:
    if synchronized:
        return Check("synchronized", "the clock is kept by a time service, the kernel says")
    if synchronized is None:
        return Check("synchronized", "the kernel does not say whether the clock is kept by a time service")
    return Check(
        "synchronized",
        "no time service keeps the clock, as far as the kernel knows",
        level=WARNING,
        why="schedules go by it: one that drifts runs them early or late, one that is set back or forward in steps",
        next="timedatectl set-ntp true; or install chrony (in a container and in many VMs: on the host)",
    )


def judge_source(source: str) -> Check:
    if source in COARSE:
        why = "delays and timeouts get as coarse as the kernel's ticks"
        return Check(
            "source", source, level=WARNING, where=SOURCE, why=why, next="boot without clocksource=, or look at: dmesg"
        )
    return Check("source", source or "not told by this kernel")


def judge_boot(own: str, daemons: str) -> Check:
    if own == "unknown":
        return Check(
            "boot id",
            "can't be read",
            level=PROBLEM,
            where="/proc/sys/kernel/random/boot_id",
            why="after a reboot, records of processes would be taken for those of this boot",
            next="mount /proc as a whole (in a container: without masking /proc/sys)",
        )
    if daemons and daemons != own:
        return Check(
            "boot id",
            "start knows another one than this shell",
            level=WARNING,
            why="a container may give each its own: leftovers of a killed sbctl are then proven by marks alone",
        )
    return Check("boot id", own[:8])


def _zones(names: set[str]) -> tuple[str, list[str]]:
    """The zone of this machine ("": none can be read), and what is wrong with those that schedules use."""
    wrong: list[str] = []
    for name in sorted(names - {""}):
        try:
            zones.zone(name)
        except zones.UnknownZone as error:
            wrong.append(str(error))
    try:
        return zones.zone("").name, wrong
    except zones.UnknownZone as error:
        return "", [*wrong, str(error)]


def judge_zones(machine: str, wrong: list[str]) -> Check:
    if wrong:
        return Check(
            "time zones",
            "; ".join(wrong[:3]),
            level=PROBLEM,
            why="schedules of these zones can't be reckoned",
            next="apt-get install tzdata",
        )
    return Check("time zones", f"of this machine: {machine}")


def _read(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read(200).strip()
    except OSError:
        return ""
