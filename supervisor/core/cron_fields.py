"""One field of a cron line, from its text to a set of bits; what it can't say is refused by name, with a way out."""

from __future__ import annotations

import binascii
from functools import lru_cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

FIRST_YEAR, LAST_YEAR = 1970, 2199


class CronError(ValueError):
    """The text names the field and what is wrong with it."""

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what)
        self.remedy = remedy


class Field:
    """What a field is called, and what it may hold."""

    __slots__ = ("high", "low", "name", "names", "spread_to", "top")

    def __init__(
        self, name: str, low: int, high: int, *, names: dict[str, int], top: int = 0, spread_to: int = 0
    ) -> None:
        self.name = name
        self.low = low
        self.high = high
        self.names = names
        self.top = top or high  # the highest number that may be written: Sunday is 7 as well as 0
        self.spread_to = spread_to or high  # H stays below what not every month has

    @property
    def size(self) -> int:
        return self.high - self.low + 1

    def wrong(self, what: str, remedy: str = "") -> CronError:
        return CronError(f"{self.name}: {what}", remedy)


def _named(words: str, first: int) -> dict[str, int]:
    """By their full names and the first three letters of them."""
    full = {word: number for number, word in enumerate(words.split(), first)}
    return full | {word[:3]: number for word, number in full.items()}


WEEKDAY_NAMES = _named("SUNDAY MONDAY TUESDAY WEDNESDAY THURSDAY FRIDAY SATURDAY", 0)
MONTH_NAMES = _named("JANUARY FEBRUARY MARCH APRIL MAY JUNE JULY AUGUST SEPTEMBER OCTOBER NOVEMBER DECEMBER", 1)

SECOND = Field("second", 0, 59, names={})
MINUTE = Field("minute", 0, 59, names={})
HOUR = Field("hour", 0, 23, names={})
DAY = Field("day of month", 1, 31, names={}, spread_to=28)
MONTH = Field("month", 1, 12, names=MONTH_NAMES)
WEEKDAY = Field("weekday", 0, 6, names=WEEKDAY_NAMES, top=7)
YEAR = Field("year", FIRST_YEAR, LAST_YEAR, names={})


@lru_cache(2048)
def plain(field: Field, text: str) -> int:
    """The bits of a field of numbers, names, ranges and steps."""
    mask = 0
    for item in items(field, text):
        mask |= _values(field, item)
    return mask


@lru_cache(512)
def days(text: str) -> tuple[int, int, int, int]:
    """Of the day of month: days, days before the last, nearest weekdays to them, and to those before the last."""
    if text[-1] == "W":
        return _workday(text)
    mask = last = 0
    for item in items(DAY, text):
        if item == "L":
            last |= 1
        elif item.startswith("L-"):
            last |= 1 << _before_last(item[2:])
        else:
            mask |= _values(DAY, item)
    return mask, last, 0, 0


@lru_cache(512)
def weekdays(text: str) -> tuple[int, int, int]:
    """Of the weekday: weekdays, nth weekdays (bit 7 * (k - 1) + weekday), last weekdays."""
    mask = nth = last = 0
    for item in items(WEEKDAY, text):
        head, hash_, which = item.partition("#")
        if hash_:
            if len(which) != 1 or which not in "12345":
                raise WEEKDAY.wrong(f"{item!r}: after # comes a number from 1 to 5", "the last one is, say, 5L")
            nth |= 1 << 7 * (int(which) - 1) + _number(WEEKDAY, head) % 7
        elif item[-1] == "L" or (item[0] == "L" and len(item) > 1):
            last |= 1 << _last_weekday(item)
        else:
            mask |= _values(WEEKDAY, item)
    return mask, nth, last


def items(field: Field, text: str) -> list[str]:
    if text == "?":  # Quartz's way to leave a day field open
        return ["*"]
    found = text.split(",")
    if "" in found:
        raise field.wrong(f"{text!r} has nothing on one side of a comma")
    return found


def _values(field: Field, item: str) -> int:
    """The bits of `7`, `MON-FRI`, `*/5`, `10-40/5`, `10/5` (from 10 to the end) and `22-2` (over the end)."""
    base, slash, by = item.partition("/")
    step = _step(field, item, by) if slash else 1
    if base == "*":
        return _run(field, range(field.low, field.high + 1, step))
    first, dash, last = base.partition("-")
    if not first and dash:
        raise field.wrong(f"{item!r} is less than {field.low}", "days from the end are L-1, L-2" * (field is DAY))
    low = _number(field, first)
    if dash:
        return _range(field, low, _number(field, last), step)
    if slash:
        return _run(field, range(low, field.high + 1, step)) or _run(field, [low])
    return _run(field, [low])


def _range(field: Field, low: int, high: int, step: int) -> int:
    if field is WEEKDAY and high == 0 and low:
        high = 7  # MON-SUN ends on a Sunday
    elif field is WEEKDAY and low == 7 and high != 7:
        low = 0
    if low > high:
        if field is YEAR:
            raise field.wrong(f"the range {low}-{high} goes backwards")
        return _over_the_end(field, low, high, step)
    return _run(field, range(low, high + 1, step))


def _over_the_end(field: Field, low: int, high: int, step: int) -> int:
    """Of 22-2. With a step, some programs count on over the end and some begin anew there: only if both agree."""
    counted_on = _run(field, range(low, high + field.size + 1, step))
    begun_anew = _run(field, range(low, field.high + 1, step)) | _run(field, range(field.low, high + 1, step))
    if counted_on != begun_anew:
        raise field.wrong(
            f"the range {low}-{high}/{step} goes over the end, and programs disagree on where its steps fall then",
            "a list of the values is clear",
        )
    return counted_on


def _run(field: Field, values: Iterable[int]) -> int:
    mask = 0
    shift = FIRST_YEAR if field is YEAR else 0
    for value in values:
        if value > field.high:
            value -= field.size  # over the end of the range, or Sunday as 7
        mask |= 1 << value - shift
    return mask


def _step(field: Field, item: str, by: str) -> int:
    if not is_number(by) or int(by) == 0:
        raise field.wrong(f"{item!r} needs a number above 0 after the /")
    step = int(by)
    if step > field.size:
        raise field.wrong(
            f"in {item!r} the step is larger than the field, which starts anew after {field.size}",
            "an interval (every 90 minutes, say) is a trigger of its own: intervalMinutes",
        )
    return step


def _number(field: Field, word: str) -> int:
    if is_number(word):
        number = int(word)
        if not field.low <= number <= field.top:
            bound, than = (field.low, "less") if number < field.low else (field.top, "more")
            raise field.wrong(f"{number} is {than} than {bound}")
        return number
    number = field.names.get(word, -1)
    if number < 0:
        raise field.wrong(*_unknown(field, word))
    return number


def _unknown(field: Field, word: str) -> tuple[str, str]:
    if not word:
        return "a number is missing", ""
    if "W" in word and field is DAY:
        return (
            f"{word!r} is not known",
            "the weekday nearest to the 15th is 15W, the last one of the month LW, alone in the field",
        )
    if "L" in word and field in (DAY, WEEKDAY):
        return f"{word!r} is not known", "the last day is L as the day of month; the last Friday is 5L as the weekday"
    if "~" in word:
        return f"{word!r}: ranges to draw from are not known", "H(0-29) takes one that stays the same"
    if field.names:
        some = "JAN to DEC" if field is MONTH else "SUN to SAT"
        return f"{word!r} is neither a number nor a name ({some})", ""
    return f"{word!r} is not a number", ""


def is_number(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) <= 4


def _before_last(word: str) -> int:
    if not is_number(word) or int(word) > 30:
        raise DAY.wrong(f"'L-{word}': a month has no more than 30 days before its last")
    return int(word)


def _workday(text: str) -> tuple[int, int, int, int]:
    head = text[:-1]
    if head == "L":
        return 0, 0, 0, 1
    if head.startswith("L-"):
        return 0, 0, 0, 1 << _before_last(head[2:])
    if not is_number(head):
        raise DAY.wrong(f"{text!r}: W stands after one day, alone in the field", "write 15W, or LW")
    day = _number(DAY, head)
    if day > 28:
        raise DAY.wrong(
            f"{text!r}: not every month has that day, and programs disagree on what follows", "LW is the last weekday"
        )
    return 0, 0, 1 << day, 0


def _last_weekday(item: str) -> int:
    number = item.replace("L", "", 1)
    if number in WEEKDAY_NAMES:
        raise WEEKDAY.wrong(f"{item!r} is not known", f"write {WEEKDAY_NAMES[number]}L")
    if item == "L":
        raise WEEKDAY.wrong("'L' alone says no day", "the last Saturday of the month is 6L, any Saturday 6")
    if not is_number(number):
        raise WEEKDAY.wrong(f"{item!r} is not known", "the last Friday of the month is 5L")
    return _number(WEEKDAY, number) % 7


def fill(field: Field, text: str, key: str) -> str:
    """The field with every H replaced by a number that is this key's own and stays the same."""
    drawn = binascii.crc32(f"{key}/{field.name}".encode("utf-8", "surrogateescape"))
    return ",".join(_filled(field, item, drawn) if item[:1] == "H" else item for item in text.split(","))


def _filled(field: Field, item: str, drawn: int) -> str:
    """`H`, `H(0-29)`, `H/15`, `H(0-29)/10`: one of the range, or every 15 from one of the first 15."""
    if field is YEAR:
        raise field.wrong("H has no meaning here")
    rest = item[1:]
    low, high = field.low, field.spread_to
    if rest.startswith("("):
        inside, closed, rest = rest[1:].partition(")")
        first, dash, last = inside.partition("-")
        if not closed or not dash:
            raise field.wrong(f"{item!r} is not known", "a range for H is written H(0-29)")
        low, high = _number(field, first), _number(field, last)
        if low > high:
            raise field.wrong(f"in {item!r} the range goes backwards", "H knows no range over the end")
    if not rest:
        return str(low + drawn % (high - low + 1))
    if rest[0] != "/":
        raise field.wrong(f"{item!r} is not known", "write H, H(0-29), H/15 or H(0-29)/10")
    step = _step(field, item, rest[1:])
    high = high if "(" in item else field.high
    first_one = low + drawn % min(step, high - low + 1)
    return f"{first_one}-{high}/{step}" if first_one + step <= high else str(first_one)
