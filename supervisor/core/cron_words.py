"""What a cron line means, as a person would say it."""

from __future__ import annotations

from itertools import pairwise

from supervisor.base.counting import plural
from supervisor.core.calendar import DAY, clock_text, date_text
from supervisor.core.cron_days import ALL_DAYS, ALL_WEEKDAYS, bits
from supervisor.core.cron_fields import FIRST_YEAR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from supervisor.core.cron import Cron
    from supervisor.core.cron_days import DaySet

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "", "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
NTH = ("", "first", "second", "third", "fourth", "fifth")
ALL_60 = (1 << 60) - 1
ALL_HOURS = (1 << 24) - 1
ALL_MONTHS = (1 << 13) - 2
MOST_TIMES = 6  # that are listed one by one


def explain(cron: Cron) -> str:
    """One sentence, without a full stop."""
    time, is_point = _time(cron)
    day = _day(cron.days, cron.months)
    if not day and is_point:
        day = "every day"
    text = " ".join(part for part in (time, day, _years(cron)) if part)
    return f"{text}, time of {cron.zone}" if cron.zone else text


def _time(cron: Cron) -> tuple[str, bool]:
    """The words, and whether they name times of a day rather than a rhythm."""
    seconds, minutes, hours = bits(cron.seconds), bits(cron.minutes), bits(cron.hours)
    if len(seconds) * len(minutes) * len(hours) <= MOST_TIMES:
        times = [clock_text((h * 60 + m) * 60 + s) for h in hours for m in minutes for s in seconds]
        return f"at {listed(times)}", True
    if len(seconds) > 1:
        return _by_seconds(cron, minutes, hours), False
    if len(minutes) == 1:
        rhythm = _hourly(cron, minutes[0])
    else:
        within = _hours(cron.hours)
        of = "" if within.startswith("of") else "of each hour"
        rhythm = "every minute" if cron.minutes == ALL_60 else _rhythm(cron.minutes, "minute", of)
        rhythm = f"{rhythm} {within}".rstrip()
    return f"{rhythm}, at second {seconds[0]}" if seconds != [0] else rhythm, False


def _by_seconds(cron: Cron, minutes: list[int], hours: list[int]) -> str:
    """Several times a minute."""
    rhythm = "every second" if cron.seconds == ALL_60 else _rhythm(cron.seconds, "second", "of each minute")
    within = _hours(cron.hours)
    if cron.minutes == ALL_60:
        return f"{rhythm} {within}".rstrip()
    if len(minutes) * len(hours) <= MOST_TIMES:
        return f"{rhythm} within {listed([clock_text((h * 60 + m) * 60) for h in hours for m in minutes])}"
    step = _even(cron.minutes, 60)
    which = runs([str(minute) for minute in range(60)], minutes)
    some = f"every {ordinal(step)} minute" if step else f"{plural(len(minutes), 'minute')} {which}"
    return f"{rhythm} in {some} {within or 'of each hour'}"


def _hourly(cron: Cron, minute: int) -> str:
    """One minute of several hours."""
    at = f" at minute {minute}" if minute else ""
    if cron.hours == ALL_HOURS:
        return f"every hour{at}"
    step = _even(cron.hours, 24)
    if step:
        return f"every {step} hours{at}"
    hours = bits(cron.hours)
    first, last = (clock_text((hour * 60 + minute) * 60) for hour in (hours[0], hours[-1]))
    if hours[-1] - hours[0] == len(hours) - 1:
        return f"every hour from {first} to {last}"
    if _step(hours):
        return f"every {_step(hours)} hours from {first} to {last}"
    return f"at {listed([clock_text((hour * 60 + minute) * 60) for hour in hours])}"


def _hours(mask: int) -> str:
    if mask == ALL_HOURS:
        return ""
    step = _even(mask, 24)
    if step:
        return f"of every {ordinal(step)} hour"
    hours = bits(mask)
    if hours[-1] - hours[0] == len(hours) - 1:
        return f"from {hours[0]:02d}:00 to {hours[-1]:02d}:59"
    return f"of the hours {runs([str(hour) for hour in range(24)], hours)}"


def _rhythm(mask: int, unit: str, of: str) -> str:
    """`every 15 minutes` where that is even over the hour; else which ones."""
    step = _even(mask, 60)
    if step:
        return f"every {step} {unit}s"
    values = bits(mask)
    step = _step(values)
    if step:
        return f"every {step} {unit}s from {unit} {values[0]} to {values[-1]} {of}".rstrip()
    return f"at {plural(len(values), unit)} {runs([str(value) for value in range(60)], values)} {of}".rstrip()


def _step(values: Sequence[int]) -> int:
    """The distance that three or more of them keep, if it is more than one; else 0."""
    gaps = {later - earlier for earlier, later in pairwise(values)}
    return gaps.pop() if len(values) > 2 and len(gaps) == 1 and gaps != {1} else 0


def _even(mask: int, size: int) -> int:
    """The step of `*/n`, if n divides the whole; else 0."""
    count = mask.bit_count()
    if count < 2 or size % count:
        return 0
    step = size // count
    return step if step > 1 and mask == sum(1 << value for value in range(0, size, step)) else 0


def _day(days: DaySet, months: int) -> str:
    by_day, by_weekday = _by_day(days), _by_weekday(days)
    month = runs(MONTHS, bits(months)) if months != ALL_MONTHS else ""
    if by_day:
        by_day = f"on the {by_day} of {month or 'every month'}"
    elif month:
        by_weekday = f"{by_weekday} in {month}".lstrip() if by_weekday else f"every day in {month}"
    if by_day and by_weekday:
        return f"{by_day} {'if it falls' if days.both else 'and also'} {by_weekday}"
    return by_day or by_weekday


def _by_day(days: DaySet) -> str:
    parts = []
    if days.days == ALL_DAYS:
        return ""
    values = bits(days.days)
    if len(values) > 3 and _step(values):
        parts.append(f"{', '.join(ordinal(n) for n in values[:3])} and so on to the {ordinal(values[-1])}")
    elif values:
        parts.append("first day" if values == [1] else runs([ordinal(n) for n in range(32)], values))
    parts += ["last day" if n == 0 else f"{ordinal(n + 1)} last day" for n in bits(days.last_days)]
    parts += [f"weekday nearest to the {ordinal(n)}" for n in bits(days.workdays)]
    parts += [
        "last weekday" if n == 0 else f"weekday nearest to the {ordinal(n + 1)} last day"
        for n in bits(days.last_workdays)
    ]
    return listed(parts)


def _by_weekday(days: DaySet) -> str:
    if days.weekdays == ALL_WEEKDAYS:
        return ""
    parts = []
    if days.weekdays:
        parts.append(weekdays_named(sorted((n - 1) % 7 for n in bits(days.weekdays))))
    for bit in bits(days.nth_weekdays):
        parts.append(f"the {NTH[bit // 7 + 1]} {WEEKDAYS[(bit % 7 - 1) % 7]} of the month")
    parts += [f"the last {WEEKDAYS[(n - 1) % 7]} of the month" for n in bits(days.last_weekdays)]
    return f"on {listed(parts)}"


def _years(cron: Cron) -> str:
    if not cron.years:
        return ""
    years = [FIRST_YEAR + n for n in bits(cron.years)]
    return f"in {years[0]} to {years[-1]}" if len(years) > MOST_TIMES else f"in {listed([str(year) for year in years])}"


def weekdays_named(weekdays: Sequence[int]) -> str:
    """Monday is 0; a run over the end of the week is one run: Saturday to Monday."""
    found = sorted(weekdays)
    first = next((n for n in found if (n - 1) % 7 not in found), 0)
    turned = sorted((n - first) % 7 for n in found)
    if len(turned) < 3 or turned[-1] != len(turned) - 1:
        return runs(WEEKDAYS, found)
    return f"{WEEKDAYS[first]} to {WEEKDAYS[(first + turned[-1]) % 7]}"


def clock_rule(is_fixed_time: bool, dst: str) -> str:
    """What a change of the clock does to such times by that rule."""
    if dst == "literal":
        return "literal: at each time that the clock shows; not in a gap, twice where it comes twice"
    if dst == "skip":
        return "skip: not in a gap, once where it comes twice"
    if is_fixed_time:
        return "vixie, for a fixed time: once, at the end of the gap or the first time where it comes twice"
    return "vixie, for a rhythm: at each time that the clock shows"


def runs(names: Sequence[str], values: Sequence[int]) -> str:
    """`Monday to Friday`, `1, 2 and 5 to 9`: three or more in a row become a range."""
    parts: list[str] = []
    start = 0
    for index in range(1, len(values) + 1):
        if index < len(values) and values[index] == values[index - 1] + 1:
            continue
        run = values[start:index]
        parts += [names[n] for n in run] if len(run) < 3 else [f"{names[run[0]]} to {names[run[-1]]}"]
        start = index
    return listed(parts)


def listed(parts: Sequence[str]) -> str:
    """`a, b and c`."""
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)


def ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def duration(seconds: float) -> str:
    """`6 h`, `90 min`, `2 days`, `1 h 1 s`: one unit where that is exact and not too many of it."""
    if seconds != int(seconds) or seconds < 120:
        return f"{seconds:g} s"
    whole = int(seconds)
    if whole % DAY == 0:
        return f"{whole // DAY} {plural(whole // DAY, 'day')}"
    for size, unit, most in ((3600, "h", 100), (60, "min", 600)):
        if whole % size == 0 and whole // size < most:
            return f"{whole // size} {unit}"
    parts = []
    for size, unit in ((DAY, "d"), (3600, "h"), (60, "min"), (1, "s")):
        count, whole = divmod(whole, size)
        parts += [f"{count} {unit}"] if count else []
    return " ".join(parts)


def moment(wall: int) -> str:
    return f"{date_text(wall // DAY)} {clock_text(wall % DAY)}"
