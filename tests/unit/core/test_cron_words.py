"""Lines as a person would say them."""

from __future__ import annotations

import pytest

from supervisor.core.cron import explain, parse
from supervisor.core.cron_words import duration, weekdays_named


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("* * * * *", "every minute"),
        ("*/15 * * * *", "every 15 minutes"),
        ("*/7 * * * *", "every 7 minutes from minute 0 to 56 of each hour"),
        ("3,7,9 * * * *", "at minutes 3, 7 and 9 of each hour"),
        ("3,7,9 1,2,5 * * *", "at minutes 3, 7 and 9 of the hours 1, 2 and 5"),
        ("0 * * * *", "every hour"),
        ("5 * * * *", "every hour at minute 5"),
        ("10 */2 * * *", "every 2 hours at minute 10"),
        ("0 9-17 * * *", "every hour from 09:00 to 17:00"),
        ("7 1-23/2 * * *", "every 2 hours from 01:07 to 23:07"),
        ("*/20 */6 * * *", "every 20 minutes of every 6th hour"),
        ("*/15 9-17 * * 1-5", "every 15 minutes from 09:00 to 17:59 on Monday to Friday"),
        ("30 2 * * *", "at 02:30 every day"),
        ("30 2 * * 1-5", "at 02:30 on Monday to Friday"),
        ("0 9,17 * * SAT,SUN", "at 09:00 and 17:00 on Saturday and Sunday"),
        ("0 0 * 6-8 SAT-MON", "at 00:00 on Saturday to Monday in June to August"),
        ("0 0 * 1,7 *", "at 00:00 every day in January and July"),
        ("0 9 1 * *", "at 09:00 on the first day of every month"),
        ("0 0 1,15 * *", "at 00:00 on the 1st and 15th of every month"),
        ("0 0 22-31 * *", "at 00:00 on the 22nd to 31st of every month"),
        ("0 0 */5 * *", "at 00:00 on the 1st, 6th, 11th and so on to the 31st of every month"),
        ("0 0 29 2 *", "at 00:00 on the 29th of February"),
        ("0 0 13 * 5", "at 00:00 on the 13th of every month and also on Friday"),
        ("0 0 1-7 * */7", "at 00:00 on the 1st to 7th of every month if it falls on Sunday"),
        ("0 0 L * *", "at 00:00 on the last day of every month"),
        ("0 0 L-2 * *", "at 00:00 on the 3rd last day of every month"),
        ("0 0 LW * *", "at 00:00 on the last weekday of every month"),
        ("0 0 15W * *", "at 00:00 on the weekday nearest to the 15th of every month"),
        ("0 0 * * 5L", "at 00:00 on the last Friday of the month"),
        ("0 0 * * 1#1,3#2", "at 00:00 on the first Monday of the month and the second Wednesday of the month"),
        ("CRON_TZ=America/New_York 0 9 * * *", "at 09:00 every day, time of America/New_York"),
    ],
)
def test_a_line_in_words(text: str, words: str) -> None:
    assert explain(parse(text)) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("* * * * * *", "every second"),
        ("*/10 * * * * *", "every 10 seconds"),
        ("30 * * * * *", "every minute, at second 30"),
        ("5 0 */2 * * *", "every 2 hours, at second 5"),
        ("15 0 9 * * *", "at 09:00:15 every day"),
        ("* 30 2 * * *", "every second within 02:30"),
        ("0,30 */5 9-17 * * *", "every 30 seconds in every 5th minute from 09:00 to 17:59"),
        ("5,6 0-20 * * * *", "at seconds 5 and 6 of each minute in minutes 0 to 20 of each hour"),
        ("0 0 9 1 1 * 2027", "at 09:00 on the first day of January in 2027"),
    ],
)
def test_a_line_with_seconds_in_words(text: str, words: str) -> None:
    assert explain(parse(text, seconds=True)) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (1.0, "1 s"),
        (0.5, "0.5 s"),
        (90.0, "90 s"),
        (300.0, "5 min"),
        (5400.0, "90 min"),
        (21_600.0, "6 h"),
        (3661.0, "1 h 1 min 1 s"),
        (86_400.0, "1 day"),
        (14 * 86_400.0, "14 days"),
        (90_000.0, "25 h"),
    ],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_weekdays_go_round_the_end_of_the_week() -> None:
    assert weekdays_named([0, 5, 6]) == "Saturday to Monday"
    assert weekdays_named([0, 1, 2, 3, 4]) == "Monday to Friday"
    assert weekdays_named([0, 2]) == "Monday and Wednesday"
    assert weekdays_named(range(7)) == "Monday to Sunday"
