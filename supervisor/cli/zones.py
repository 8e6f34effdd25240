"""The zone in which times are shown and read: that of a schedule, of --tz, or of this machine."""

from __future__ import annotations

import time

from supervisor.base.errors import FAILED, USAGE, Problem
from supervisor.base.zones import UnknownZone, zone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.core.zone import Zone

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DAY_S = 86_400
MISSING = "install the time zones of the system (Debian: apt install tzdata), or write UTC"


def zone_named(name: str) -> Zone:
    """Of --tz or of settings; "" is that of this machine."""
    try:
        return zone(name)
    except UnknownZone as error:
        raise Problem(
            f"there is no time zone {name[:80]!r}",
            why=str(error),
            remedy=MISSING if "no time zones at all" in error.why else "write a name like Europe/Berlin or UTC",
            code=USAGE if name else FAILED,
        ) from None


def wall(at: float, its: Zone) -> time.struct_time:
    """The date and time of day that clocks there show."""
    whole = int(at // 1)
    return time.gmtime(whole + its.offset(whole))


def moment(at: float, its: Zone, now: float) -> str:
    """`Fri 21 Nov 10:15:00`, and the year where it is not this one."""
    t = wall(at, its)
    return f"{day(at, its)}{_other_year(t, wall(now, its))} {t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d}"


def minute(at: float, its: Zone, now: float) -> str:
    """`10:15` of this day, `Fri 21 Nov 10:15` of this year, and the year where it is another."""
    t, today = wall(at, its), wall(now, its)
    clock = f"{t.tm_hour:02d}:{t.tm_min:02d}" + (f":{t.tm_sec:02d}" if t.tm_sec else "")
    return clock if t[:3] == today[:3] else f"{day(at, its)}{_other_year(t, today)} {clock}"


def clock(at: float, its: Zone, now: float) -> str:
    """`10:15:00` of this day, `21 Nov 10:15` before and after it: for columns."""
    t, today = wall(at, its), wall(now, its)
    if t[:3] == today[:3]:
        return f"{t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d}"
    return f"{t.tm_mday} {MONTHS[t.tm_mon - 1]}{_other_year(t, today)} {t.tm_hour:02d}:{t.tm_min:02d}"


def _other_year(t: time.struct_time, today: time.struct_time) -> str:
    return "" if t.tm_year == today.tm_year else f" {t.tm_year}"


def day(at: float, its: Zone) -> str:
    t = wall(at, its)
    return f"{DAYS[t.tm_wday]} {t.tm_mday:02d} {MONTHS[t.tm_mon - 1]}"


def offset_text(seconds: int) -> str:
    """`+01:00`."""
    sign, rest = ("-", -seconds) if seconds < 0 else ("+", seconds)
    return f"{sign}{rest // 3600:02d}:{rest // 60 % 60:02d}"


def local_iso(at: float, its: Zone) -> str:
    """`2026-11-21T10:15:00+01:00`."""
    t = wall(at, its)
    date = f"{t.tm_year:04d}-{t.tm_mon:02d}-{t.tm_mday:02d}"
    return f"{date}T{t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d}{offset_text(its.offset(int(at // 1)))}"
