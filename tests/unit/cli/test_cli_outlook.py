"""What is reckoned while nothing runs: as a scheduler that starts now would have it."""

from __future__ import annotations

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
