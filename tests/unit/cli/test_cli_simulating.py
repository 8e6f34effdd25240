"""`schedule test`: from where it begins, which is where `next` begins."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.cli import Sbctl, caller, compiled, remember, utc_home

from supervisor.base.clock import iso
from supervisor.cli.schedules import in_force
from supervisor.model.home import Home

HOUR, DAY = 3600, 86_400
AT = 1_800_000_000.25  # 2027-01-15 08:00:00 UTC
OPENS_LATER = {"activeHours": {"start": 10, "end": 20}, "outsideHours": "defer"}
TASK: dict[str, Any] = {"plugins": ["mail"], "commands": ["get"]}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return utc_home(tmp_path, "mail")


@pytest.fixture
def sbctl(home: Home, capfd: pytest.CaptureFixture[str]) -> Sbctl:
    return caller(home, capfd)


def facts_of(sbctl: Sbctl, *words: str) -> dict[str, Any]:
    code, out, err = sbctl(
        "schedule", "test", "mail", *(() if "--days" in words else ("--days", "1")), "--json", *words
    )
    assert code == 0, err
    found: dict[str, Any] = json.loads(out)["schedules"]["mail"]
    return found


def seen_first(home: Home, at: int) -> None:
    Path(home.intent_file).parent.mkdir(exist_ok=True)
    Path(home.intent_file).write_text(json.dumps({"schedules": {"mail": {"first_seen": at}}}))


def kept(home: Home, cursor: int, **values: Any) -> None:
    """What a scheduler has written of it."""
    revision = in_force(home).schedules["mail"].revision
    remember(home, "schedules", **{"id": "mail", "cursor": cursor, "revision": revision, **values})


def firsts(sbctl: Sbctl) -> tuple[list[str], list[str]]:
    """The next times by `schedule test` and by `next`; that which runs at once has the second for the moment."""
    slots = json.loads(sbctl("next", "mail", "-n", "3", "--json")[1])["slots"]
    times: list[str] = facts_of(sbctl, "--days", "9")["first"][:3]
    return times, [slot["due"] for slot in slots if slot["would"] == "run"]


# from now


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> float:
    monkeypatch.setattr("time.time", lambda: AT)
    return AT


def test_what_does_not_run_at_start_has_no_slot_that_waits_for_its_hours(sbctl: Sbctl, home: Home, now: float) -> None:
    compiled(home, [{**TASK, "intervalMinutes": 150, "runAtStart": False, **OPENS_LATER}])
    seen_first(home, int(now) - 100)
    kept(home, int(now) - 100)

    times, by_next = firsts(sbctl)
    assert times == by_next
    assert times[0] == iso(int(now) - 100 + 150 * 60)


@pytest.mark.parametrize("was_edited", [False, True])
def test_a_slot_that_was_put_off_is_among_them_unless_the_rule_was_edited(
    sbctl: Sbctl, home: Home, now: float, was_edited: bool
) -> None:
    compiled(home, [{**TASK, "intervalHours": 6, **OPENS_LATER}])
    seen_first(home, int(now) - 7 * HOUR)
    kept(home, int(now) - (10 if was_edited else 2 * HOUR))

    times, by_next = firsts(sbctl)
    assert times == by_next
    assert times[0] == iso(int(now) + (5 if was_edited else 2) * HOUR)


def test_so_is_one_of_a_rule_that_no_interval_is_in(sbctl: Sbctl, home: Home, now: float) -> None:
    compiled(home, [{**TASK, "cron": "30 7 * * *", **OPENS_LATER}])
    kept(home, int(now) - DAY)

    times, by_next = firsts(sbctl)
    assert times == by_next
    assert times[0] == iso(int(now) + 2 * HOUR)


@pytest.mark.parametrize("runs_now", [False, True])
def test_after_finish_goes_on_from_the_end_of_the_last_run(
    sbctl: Sbctl, home: Home, now: float, runs_now: bool
) -> None:
    """Of a run that goes on, as of one that takes no time: from its slot, and no second one at once."""
    compiled(home, [{**TASK, "intervalHours": 6, "afterFinish": True}])
    seen_first(home, int(now) - 7 * HOUR)
    ended = now - (7 if runs_now else 2) * HOUR + 1.5
    kept(home, int(ended) - 1, last_at=int(ended * 1000))
    slot = int(ended) + 6 * HOUR
    if runs_now:
        remember(home, "slots", schedule="mail", nominal=slot, nominal_to=slot, decided=1, outcome="run", count=1)

    times, by_next = firsts(sbctl)
    due = slot + 6 * HOUR if runs_now else ended + 6 * HOUR
    assert by_next == [iso(due)]
    assert times[:2] == [iso(due), iso(due + 6 * HOUR)]


@pytest.mark.parametrize("by_file", [False, True])
def test_one_is_enabled_or_not_as_somebody_has_said(sbctl: Sbctl, home: Home, now: float, by_file: bool) -> None:
    compiled(home, [{**TASK, "cron": "0 * * * *", "enabled": by_file}])
    Path(home.intent_file).parent.mkdir(exist_ok=True)
    Path(home.intent_file).write_text(json.dumps({"schedules": {"mail": {"enabled": not by_file}}}))

    found = facts_of(sbctl)
    assert (found["runs"], found["skipped"]) == ((0, {"disabled": 23}) if by_file else (23, {}))


# from a date


def test_what_waits_at_that_moment_for_its_hours_is_among_them(sbctl: Sbctl, home: Home, now: float) -> None:
    """The same, whether that moment is to come or over."""
    compiled(home, [{**TASK, "cron": "30 7 * * *", **OPENS_LATER}])
    for date in ("2027-02-01", "2026-12-01"):
        assert facts_of(sbctl, "--from", f"{date}T08:00")["first"] == [f"{date}T10:00:00.000Z"]


@pytest.mark.parametrize(("date", "first"), [("2027-02-01", "2027-02-01T03:00:00.500Z"), ("2027-01-15T07:00", ""),
                                             ("2027-01-13", "2027-01-13T03:00:00.000Z")])  # fmt: skip
def test_after_finish_has_gone_on_until_that_moment(
    sbctl: Sbctl, home: Home, now: float, date: str, first: str
) -> None:
    """Before now by its first sight, which is what is known of then."""
    compiled(home, [{**TASK, "intervalHours": 6, "afterFinish": True}])
    seen_first(home, int(now) - 5 * DAY + HOUR)
    kept(home, int(now) - 5 * HOUR, last_at=int(now * 1000) - 5 * HOUR * 1000 + 250)
    assert facts_of(sbctl, "--from", date)["first"][0] == (first or "2027-01-15T09:00:00.000Z")


def test_one_that_comes_later_than_that_moment_begins_there(sbctl: Sbctl, home: Home, now: float) -> None:
    compiled(home, [{**TASK, "intervalHours": 6}])
    seen_first(home, int(now) - 100)
    assert facts_of(sbctl, "--from", "2026-12-01")["first"][0] == "2026-12-01T00:00:00.000Z"


def test_what_is_due_at_that_moment_is_among_them_and_what_is_at_the_end_is_not(sbctl: Sbctl, home: Home) -> None:
    compiled(home, [{**TASK, "cron": "0 0 * * *", "jitterMinutes": 0}])

    found = facts_of(sbctl, "--from", "2027-01-01")
    assert (found["runs"], found["first"]) == (1, ["2027-01-01T00:00:00.000Z"])
    assert found["longest_gap_s"] == 86_400.0


def test_of_an_interval_it_is_the_beginning_which_is_no_slot_where_nothing_runs_at_start(
    sbctl: Sbctl, home: Home
) -> None:
    for runs_at_start, first in ((True, "00"), (False, "06")):
        compiled(home, [{**TASK, "intervalHours": 6, "runAtStart": runs_at_start}])
        assert facts_of(sbctl, "--from", "2027-01-01")["first"][0] == f"2027-01-01T{first}:00:00.000Z"


def test_one_that_was_seen_before_has_its_slot_at_that_moment(sbctl: Sbctl, home: Home, now: float) -> None:
    compiled(home, [{**TASK, "intervalHours": 6, "runAtStart": False}])
    day = 1_798_761_600  # 2027-01-01
    seen_first(home, day - DAY)

    found = facts_of(sbctl, "--from", "2027-01-01")
    assert (found["runs"], found["first"][0]) == (4, "2027-01-01T00:00:00.000Z")
