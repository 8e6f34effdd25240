"""What is reckoned while nothing runs: as a scheduler that starts now would have it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.cli import Sbctl, compiled, remember, utc_home
from support.fake_schedules import NOW

from supervisor.base.clock import iso
from supervisor.cli.outlook import Outlook
from supervisor.cli.schedules import in_force
from supervisor.model.home import Home

HOUR = 3600
DAWN = NOW - 6 * HOUR + 720  # 02:12
TASK = {"plugins": ["mail"], "commands": ["get"], "cron": "0 */6 * * *"}
HOURS = [{**TASK, "cron": "0 */12 * * *", "activeHours": {"start": 7, "end": 23}, "outsideHours": "defer"}]
LATE = [{**TASK, "jitterMinutes": 300}]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return utc_home(tmp_path, "mail")


def kept(home: Home, cursor: float, **values: Any) -> None:
    """What a scheduler that was stopped has left."""
    revision = in_force(home).schedules["mail"].revision
    remember(home, "schedules", **{"id": "mail", "cursor": int(cursor), "revision": revision, **values})


def outlook(home: Home, now: float) -> Outlook:
    return Outlook(home, in_force(home), now)


# slots that are late


def test_a_slot_that_was_put_off_is_still_to_come(home: Home) -> None:
    compiled(home, HOURS)
    kept(home, DAWN - 6 * HOUR)
    slots = outlook(home, DAWN).slots(["mail"], 2)
    midnight = DAWN - 2 * HOUR - 720

    first, second = slots
    assert (first["nominal"], first["due"], first["would"]) == (iso(midnight), iso(midnight + 7 * HOUR), "run")
    assert first["note"] == "moved into its active hours"
    assert second["nominal"] == iso(midnight + 12 * HOUR)


def test_a_slot_that_is_late_by_its_jitter_is_still_to_come(home: Home) -> None:
    compiled(home, LATE)
    kept(home, NOW - 8 * HOUR)
    nominal = NOW - 2 * HOUR
    found = outlook(home, nominal + 60)

    assert found.slots(["mail"], 1)[0]["nominal"] == found.rows(["mail"])[0]["next_run"] == iso(nominal)


@pytest.mark.parametrize("case", ["decided", "in the slots", "never seen", "changed", "over"])
def test_a_slot_that_was_decided_or_is_nobodys_is_not(home: Home, case: str) -> None:
    compiled(home, LATE)
    nominal = int(NOW) - 2 * HOUR
    if case == "decided":
        kept(home, nominal)
    if case == "in the slots":
        kept(home, nominal - 6 * HOUR)
        remember(home, "slots", schedule="mail", nominal=nominal, nominal_to=nominal, decided=1, outcome="run", count=1)
    if case == "changed":
        kept(home, nominal - 6 * HOUR, revision="another")
    if case == "over":
        kept(home, nominal - 6 * HOUR)
    now = nominal + (60 if case != "over" else 5.9 * HOUR)
    assert outlook(home, now).slots(["mail"], 1)[0]["nominal"] == iso(nominal + 6 * HOUR)


# by the end of a run

AFTER = {"plugins": ["mail"], "commands": ["get"], "intervalHours": 6, "afterFinish": True}


def seen_first(home: Home, at: float) -> None:
    Path(home.intent_file).parent.mkdir(exist_ok=True)
    Path(home.intent_file).write_text(json.dumps({"schedules": {"mail": {"first_seen": int(at)}}}))


def by_its_end(home: Home, ended: float, cursor: float, **values: Any) -> dict[str, Any]:
    seen_first(home, NOW - 48 * HOUR)
    kept(home, cursor, last_at=int(ended * 1000), **values)
    (slot,) = outlook(home, NOW).slots(["mail"], 3)
    row = outlook(home, NOW).rows(["mail"])[0]
    assert (row["next_run"], row["next_due"], row["status"]) == (slot["nominal"], slot["due"], "active")
    return slot


def test_after_finish_is_counted_from_the_end_of_the_last_run(sbctl: Sbctl, home: Home) -> None:
    compiled(home, [AFTER])
    ended = NOW - 2 * HOUR + 0.25
    slot = by_its_end(home, ended, NOW - 2 * HOUR - 60)

    assert (slot["nominal"], slot["due"]) == (iso(int(ended + 6 * HOUR)), iso(ended + 6 * HOUR))
    assert (slot["would"], slot["note"]) == ("run", "")


def test_what_was_due_by_the_end_of_a_run_meanwhile_is_due_at_once(home: Home) -> None:
    compiled(home, [AFTER])
    slot = by_its_end(home, NOW - 9 * HOUR, NOW - 9 * HOUR)
    assert (slot["nominal"], slot["due"]) == (iso(NOW - 3 * HOUR), iso(NOW))


def test_what_an_end_makes_waits_for_its_hours(home: Home) -> None:
    compiled(home, [{**AFTER, "activeHours": {"start": 14, "end": 20}}])
    slot = by_its_end(home, NOW - HOUR, NOW - HOUR)
    assert (slot["due"][11:16], slot["note"]) == ("14:00", "moved into its active hours")


def test_after_a_slot_that_was_held_it_is_counted_from_that(home: Home) -> None:
    compiled(home, [AFTER])
    held = int(NOW) - HOUR
    remember(home, "slots", schedule="mail", nominal=held, nominal_to=held, decided=1, outcome="skipped", count=1)
    assert by_its_end(home, NOW - 7 * HOUR, NOW - 8 * HOUR)["due"] == iso(held + 6 * HOUR)


def test_after_an_edit_it_is_counted_from_the_end_all_the_same(home: Home) -> None:
    compiled(home, [AFTER])
    slot = by_its_end(home, NOW - HOUR, NOW - 60, revision="another")
    assert slot["due"] == iso(NOW + 5 * HOUR)


def test_one_that_was_never_seen_is_due_at_once_or_after_its_time(home: Home) -> None:
    for runs_at_start, wait in ((True, 0), (False, 6 * HOUR)):
        compiled(home, [{**AFTER, "runAtStart": runs_at_start}])
        assert [slot["due"] for slot in outlook(home, NOW).slots(["mail"], 3)] == [iso(NOW + wait)]


def claimed(home: Home, nominal: float, due: float, state: str = "queued") -> None:
    """It has not begun."""
    remember(home, "slots", schedule="mail", nominal=int(nominal), nominal_to=int(nominal), decided=1, outcome="run",
             count=1, run="r1")  # fmt: skip
    remember(home, "runs", id="r1", schedule="mail", plugin="mail", trigger="schedule", state=state,
             nominal=int(nominal), due=int(due * 1000), claimed=1)  # fmt: skip


@pytest.mark.parametrize(("state", "due"), [("queued", "10:00"), ("running", "14:00")])
def test_one_that_was_claimed_and_waits_for_its_hours_is_the_next(home: Home, state: str, due: str) -> None:
    compiled(home, [{**AFTER, "intervalHours": 9, "activeHours": {"start": 10, "end": 20}}])
    claimed(home, NOW - 3 * HOUR, NOW - 3 * HOUR, state)
    slot = by_its_end(home, NOW - 12 * HOUR + 0.25, NOW - 12 * HOUR)

    assert slot["due"][11:16] == due
    assert (slot["nominal"] == iso(NOW - 3 * HOUR)) == (state == "queued")


@pytest.mark.parametrize("later", [600, -600])
def test_one_that_waits_for_its_delay_after_another_is_the_next(home: Home, later: int) -> None:
    """Its time may be over by now: then it begins at once."""
    compiled(home, [{"plugins": ["mail"], "commands": ["get"], "name": "first", "cron": "0 0 1 1 *"},
                    {"plugins": ["mail"], "commands": ["get"],
                     "afterSchedule": {"schedule": "mail.first", "when": "done", "delaySeconds": 3600}}])  # fmt: skip
    kept(home, NOW - HOUR)
    claimed(home, NOW - 60, NOW + later)
    (slot,) = outlook(home, NOW).slots(["mail"], 3)
    row = outlook(home, NOW).rows(["mail"])[0]

    assert slot["due"] == row["next_due"] == iso(NOW + max(later, 0))
    assert (slot["would"], slot["note"]) == ("run", "it waits for its time")


def test_without_its_history_it_does_not_run_for_that(home: Home) -> None:
    compiled(home, [AFTER])
    seen_first(home, NOW - 48 * HOUR)
    assert [slot["due"] for slot in outlook(home, NOW).slots(["mail"], 3)] == [iso(NOW + 6 * HOUR)]


def test_what_was_only_considered_is_no_slot(home: Home) -> None:
    """Of a first run that is put off, or after an edit."""
    compiled(home, [{**AFTER, "activeHours": {"start": 10, "end": 20}}])
    seen_first(home, NOW - HOUR)
    kept(home, NOW - HOUR - 1)
    assert [slot["due"] for slot in outlook(home, NOW).slots(["mail"], 3)] == [iso(NOW + 2 * HOUR)]


def test_its_time_is_shown_wherever_it_is_asked_for(sbctl: Sbctl, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: NOW)
    compiled(home, [{**AFTER, "intervalHours": 11}])
    seen_first(home, NOW - 48 * HOUR)
    kept(home, NOW - HOUR, last_at=int(NOW - HOUR) * 1000)
    for words in (("next", "mail"), ("schedule", "list"), ("schedule", "show", "mail"), ("why", "mail")):
        out = sbctl(*words)[1]
        assert "18:00" in out or "in 10h 0m" in out, words


# what holds a slot


def test_a_pause_holds_what_comes_before_its_end(home: Home) -> None:
    compiled(home, [TASK])
    Path(home.pause_file).write_text(f"until: {iso(NOW + 5 * HOUR)}\n")
    found = outlook(home, NOW)

    assert [slot["would"] for slot in found.slots(["mail"], 1)] == ["paused", "run"]
    assert found.rows(["mail"])[0]["status"] == "paused"


@pytest.mark.parametrize(
    ("hours", "would"), [(3, ["run", "run"]), (5, ["cooldown", "run", "run"]), (-1, ["run", "run"])]
)
@pytest.mark.parametrize("breaker", ["open", "half_open"])
def test_a_cooldown_holds_what_comes_before_its_end(home: Home, hours: int, would: list[str], breaker: str) -> None:
    compiled(home, [TASK])
    until = NOW + hours * HOUR
    kept(home, NOW, breaker=breaker, breaker_until=int(until * 1000), streak=3)
    slots = outlook(home, NOW).slots(["mail"], 2)  # in four hours, and six later

    assert [slot["would"] for slot in slots] == would
    assert slots[0]["until"] == (iso(until) if would[0] == "cooldown" else None)
    row = outlook(home, NOW).rows(["mail"])[0]
    held = hours > 0
    assert (row["status"], row["cooldown_until"]) == ("cooldown" if held else "active", iso(until) if held else None)
    assert row["next_run"] == (iso(NOW + 10 * HOUR) if hours == 5 else iso(NOW + 4 * HOUR))


def test_why_names_the_cooldown(sbctl: Sbctl, home: Home) -> None:
    compiled(home, [TASK])
    assert "gates       all open" in sbctl("why", "mail")[1]
    kept(home, NOW, breaker="open", breaker_until=4_000_000_000_000, streak=3)
    out = sbctl("why", "mail")[1]
    assert out.startswith("mail is cooling down until Tue 02 Oct 2096 ")
    assert "after 3 failures in a row" in out
    assert "held by     cooldown: " in out
