"""What a cron line may say, and how the rest is refused."""

from __future__ import annotations

import pytest

from supervisor.core.cron import CronError, parse
from supervisor.core.cron_days import bits


def minutes(text: str) -> list[int]:
    return bits(parse(f"{text} * * * *").minutes)


def hours(text: str) -> list[int]:
    return bits(parse(f"0 {text} * * *").hours)


def months(text: str) -> list[int]:
    return bits(parse(f"0 0 1 {text} *").months)


def weekdays(text: str) -> list[int]:
    return bits(parse(f"0 0 * * {text}").days.weekdays)


def days(text: str, *, first: int = 0, length: int = 31) -> list[int]:
    """Of a month that begins on the weekday `first`, Sunday being 0."""
    return bits(parse(text).days.of_month(first, length))


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0", [0]),
        ("07,7,8", [7, 8]),
        ("*/20", [0, 20, 40]),
        ("5/20", [5, 25, 45]),
        ("10-20/5", [10, 15, 20]),
        ("0-0/5", [0]),
        ("58-1", [0, 1, 58, 59]),
        ("57-5/3", [0, 3, 57]),
        ("*/60", [0]),
        ("*,5", list(range(60))),
        ("?", list(range(60))),
    ],
)
def test_a_field_of_numbers(text: str, values: list[int]) -> None:
    assert sorted(minutes(text)) == sorted(values)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("7", [0]),
        ("0", [0]),
        ("SUN", [0]),
        ("mon-FRI", [1, 2, 3, 4, 5]),
        ("FRI-MON", [0, 1, 5, 6]),
        ("5-7", [0, 5, 6]),
        ("SAT-SUN", [0, 6]),
        ("MON-SUN", [0, 1, 2, 3, 4, 5, 6]),
        ("7-2", [0, 1, 2]),
        ("7-7", [0]),
        ("Wednesday,friday", [3, 5]),
        ("TUE/2", [2, 4, 6]),
        ("*/2", [0, 2, 4, 6]),
    ],
)
def test_weekdays(text: str, values: list[int]) -> None:
    assert weekdays(text) == values


def test_names_of_months_and_ranges_over_the_end() -> None:
    assert months("JAN,mar,December") == [1, 3, 12]
    assert months("Nov-FEB") == [1, 2, 11, 12]
    assert hours("22-2") == [0, 1, 2, 22, 23]


@pytest.mark.parametrize(
    ("alias", "line"),
    [
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@Weekly", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"),
        ("@YEARLY", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
    ],
)
def test_aliases(alias: str, line: str) -> None:
    assert parse(alias).expression == line


@pytest.mark.parametrize(
    ("text", "first", "length", "values"),
    [
        ("0 0 L * *", 0, 29, [29]),
        ("0 0 1,L * *", 0, 30, [1, 30]),
        ("0 0 L-2 * *", 0, 31, [29]),
        ("0 0 L-30 * *", 0, 30, []),
        ("0 0 LW * *", 6, 30, [28]),  # the 29th and 30th are a Saturday and a Sunday
        ("0 0 15W * *", 0, 31, [16]),  # the 15th is a Sunday
        ("0 0 15W * *", 6, 31, [14]),  # the 15th is a Saturday
        ("0 0 1W * *", 6, 31, [3]),  # not the month before
        ("0 0 * * 5L", 0, 31, [27]),
        ("0 0 * * L5", 0, 31, [27]),
        ("0 0 * * 1#1", 0, 31, [2]),
        ("0 0 * * MON#5", 0, 29, []),
        ("0 0 * * MON#5", 0, 31, [30]),
        ("0 0 * * mon#2,tue", 0, 31, [3, 9, 10, 17, 24, 31]),
    ],
)
def test_days_that_depend_on_the_month(text: str, first: int, length: int, values: list[int]) -> None:
    assert days(text, first=first, length=length) == values


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0 0 13 * 5", [6, 13, 20, 27]),  # either
        ("0 0 */10 * 3", [11]),  # both: a field begins with *
        ("0 0 1-7 * */7", [1]),
        ("0 0 *,5 * 1", [2, 9, 16, 23, 30]),
        ("0 0 5,* * 1", list(range(1, 32))),  # it does not begin with *, so either
        ("0 0 ? * 5", [6, 13, 20, 27]),
        ("0 0 13 * ?", [13]),
    ],
)
def test_day_and_weekday_go_together_as_in_debians_cron(text: str, values: list[int]) -> None:
    assert days(text, first=0) == values


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("30 2 * * *", True),
        ("0-59 2 * * *", True),
        ("0/15 1,2 * * *", True),
        ("*/15 2 * * *", False),
        ("30 * * * *", False),
        ("30 */2 * * *", False),
        ("? 2 * * *", False),
        ("@daily", True),
        ("@hourly", False),
    ],
)
def test_a_fixed_time_is_one_whose_minute_and_hour_do_not_begin_with_a_star(text: str, fixed: bool) -> None:
    assert parse(text).is_fixed_time is fixed


def test_seconds_come_first_and_only_if_asked_for() -> None:
    line = parse("15 30 2 * * *", seconds=True)

    assert (bits(line.seconds), bits(line.minutes), bits(line.hours)) == ([15], [30], [2])
    assert line.is_fixed_time
    assert not parse("*/10 30 2 * * *", seconds=True).is_fixed_time
    assert parse("30 2 * * *", seconds=True).seconds == 1
    with pytest.raises(CronError, match="6 fields") as refused:
        parse("15 30 2 * * *")
    assert "seconds: true" in refused.value.remedy


def test_a_year_may_end_a_line_with_seconds() -> None:
    line = parse("0 0 9 29 2 * 2027-2033", seconds=True)
    day = 86_400 * 365

    assert line.next_wall(58 * day) == 1_835_427_600  # 2028-02-29 09:00
    assert line.next_wall(1_961_658_001) is None  # after that of 2032
    with pytest.raises(CronError, match="never fires"):
        parse("0 0 9 29 2 * 2027", seconds=True)


def test_a_zone_may_come_before_the_fields() -> None:
    assert parse("CRON_TZ=Europe/Berlin 0 9 * * *").zone == "Europe/Berlin"
    assert parse("TZ=America/New_York  @daily").zone == "America/New_York"
    assert parse("0 9 * * *").zone == ""


def test_h_is_a_number_of_the_schedules_own_that_stays() -> None:
    one, other = parse("H H * * *", key="plugin.one"), parse("H H * * *", key="plugin.two")

    assert one.expression == parse("h h * * *", key="plugin.one").expression
    assert one.expression != other.expression
    assert one.is_fixed_time
    assert parse(one.expression) is one


def test_h_keeps_to_its_range() -> None:
    for number in range(100):
        key = f"plugin.{number}"
        assert bits(parse("H(10-19) * * * *", key=key).minutes)[0] in range(10, 20)
        assert bits(parse("0 0 H * *", key=key).days.days)[0] <= 28
        every = bits(parse("H/15 * * * *", key=key).minutes)
        assert every == list(range(every[0], 60, 15))
        assert len(every) == 4
        few = bits(parse("H(0-29)/10 * * * *", key=key).minutes)
        assert few == list(range(few[0], 30, 10))
        assert len(few) == 3


def test_h_spreads() -> None:
    found = {parse("H * * * *", key=f"plugin.{number}").minutes for number in range(300)}

    assert len(found) > 50


def test_h_is_no_part_of_a_name() -> None:
    assert parse("0 0 * MARCH THU", key="x").expression == "0 0 * MARCH THU"


def test_equal_lines_are_one_object() -> None:
    assert parse(" */5  *  * * mon") is parse("*/5 * * * MON")
    assert parse("1 * * * 1,2").days is parse("2 3 * * 1,2").days


@pytest.mark.parametrize(
    ("text", "says", "remedy"),
    [
        ("60 * * * *", "minute: 60 is more than 59", ""),
        ("* 24 * * *", "hour: 24 is more than 23", ""),
        ("* * 0 * *", "day of month: 0 is less than 1", ""),
        ("* * 32 * *", "day of month: 32", ""),
        ("* * * 13 *", "month: 13", ""),
        ("* * * * 8", "weekday: 8 is more than 7", ""),
        ("-1 * * * *", "minute: '-1' is less than 0", ""),
        ("* * -1 * *", "day of month: '-1' is less than 1", "L-1"),
        ("1, * * * *", "nothing on one side of a comma", ""),
        ("1- * * * *", "a number is missing", ""),
        ("/5 * * * *", "a number is missing", ""),
        ("*/0 * * * *", "number above 0", ""),
        ("*/x * * * *", "number above 0", ""),
        ("1//2 * * * *", "number above 0", ""),
        ("*/90 * * * *", "step is larger than the field", "interval"),
        ("1-2-3 * * * *", "'2-3' is not a number", ""),
        ("*-5 * * * *", "'*' is not a number", ""),
        ("\u00b9 * * * *", "not a number", ""),
        ("1_0 * * * *", "not a number", ""),
        ("1~9 * * * *", "ranges to draw from", "H(0-29)"),
        ("0 23-3/2 * * *", "programs disagree", "list"),
        ("L * * * *", "minute: 'L' is not a number", ""),
        ("0 0 * L *", "month: 'L' is neither", ""),
        ("0 0 1LW * *", "W stands after one day", "15W"),
        ("0 0 1,2W * *", "W stands after one day", "15W"),
        ("0 0 W15 * *", "'W15' is not known", "15W"),
        ("0 0 31W * *", "not every month", "LW"),
        ("0 0 L-31 * *", "no more than 30", ""),
        ("0 0 15W * MON", "not clear", "two triggers"),
        ("0 0 L-1 * MON", "not clear", "two triggers"),
        ("0 0 MON * *", "day of month: 'MON' is not a number", ""),
        ("0 0 * JANU *", "neither a number nor a name (JAN to DEC)", ""),
        ("0 0 * * FRIL", "'FRIL' is not known", "5L"),
        ("0 0 * * L", "says no day", "6L"),
        ("0 0 * * 1#6", "number from 1 to 5", "5L"),
        ("0 0 * * 1#0", "number from 1 to 5", ""),
        ("0 0 * * 1#1#1", "number from 1 to 5", ""),
        ("0 0 * * MON-FRI#1", "'MON-FRI' is neither", ""),
        ("0 0 30 2 *", "never fires", ""),
        ("0 0 31 4,6,9,11 *", "never fires", ""),
        ("0 0 L-29 2 ?", "never fires", ""),
        ("H(5-2) * * * *", "goes backwards", ""),
        ("H(5) * * * *", "'H(5)' is not known", "H(0-29)"),
        ("H5 * * * *", "'H5' is not known", "H/15"),
        ("H/90 * * * *", "step is larger", "interval"),
        ("@reboot", "@reboot is not a time", "autoStart"),
        ("@startup", "@startup is not a time", "autoStart"),
        ("@every 5m", "@every 5m is not known", "interval"),
        ("@fortnightly", "is not known", "@weekly"),
        ("@daily x", "is not known", "@daily"),
        ("* * * *", "has 4 fields", "five"),
        ("* * * * * * *", "has 7 fields", "seconds"),
        ("CRON_TZ= * * * * *", "no name", "Europe/Berlin"),
        ("CRON_TZ=UTC", "there is no cron line", ""),
        ("", "there is no cron line", ""),
        ("1," * 600 + "1 * * * *", "too long", ""),
    ],
)
def test_what_it_cannot_say_is_refused_by_name(text: str, says: str, remedy: str) -> None:
    with pytest.raises(CronError) as refused:
        parse(text, key="some")

    assert says in str(refused.value)
    assert remedy in refused.value.remedy


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("* * * * *", 60),
        ("*/15 * * * *", 900),
        ("0 * * * *", 3600),
        ("0 9,17 * * *", 8 * 3600),
        ("30 2 * * *", 86_400),
        ("30 2 * * 1-5", 86_400),
        ("30 2 * * 1", 7 * 86_400),
        ("0 0 1,15 * *", 14 * 86_400),
        ("0 0 1 * *", 30 * 86_400),
        ("0 0 1 1 *", 365 * 86_400),
    ],
)
def test_its_period_is_the_typical_time_between_two(text: str, period: int) -> None:
    assert parse(text).period == period
