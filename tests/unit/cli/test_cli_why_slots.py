"""`why SCHEDULE TIME`: whether there is a slot, by the rule, and whether the history has it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.cli import Sbctl, compiled, remember, running, utc_home
from support.fake_schedules import NOW, FakeSchedules, schedule_row

from supervisor.base.clock import iso
from supervisor.model.home import Home

AT = int(NOW) - 86_400 * 3650  # a whole minute that is over, whatever the clock of this machine says


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = utc_home(tmp_path, "fast")
    intents = Path(home.intent_file)
    intents.parent.mkdir(exist_ok=True)
    intents.write_text(json.dumps({"schedules": {"fast": {"first_seen": AT - 3600}}}))
    return compiled(home, [{"plugins": ["fast"], "commands": ["get"], "intervalSeconds": 5}])


@pytest.fixture
def fake(home: Home) -> Iterator[FakeSchedules]:
    with running(home, [], schedule_row("fast")) as found:
        found.old_slots = None
        yield found


def remember_slot(home: Home, nominal: int, last: int | None = None) -> None:
    remember(home, "slots", schedule="fast", nominal=nominal, nominal_to=last or nominal, decided=1, outcome="skipped",
             reason="paused", count=1)  # fmt: skip


@pytest.mark.usefixtures("fake")
def test_a_slot_of_a_crowded_minute_is_found(sbctl: Sbctl, home: Home) -> None:
    for number in range(-5, 13):
        remember_slot(home, AT + number * 5)
    for at in (AT, AT + 5, AT + 60):
        out = sbctl("why", "fast", iso(at))[1]
        assert "by its rule" not in out
        assert "\nthen        " in out


@pytest.mark.usefixtures("fake")
def test_a_stretch_holds_what_lies_in_it(sbctl: Sbctl, home: Home) -> None:
    remember_slot(home, AT, AT + 3000)
    for number in range(6):
        remember_slot(home, AT + 3005 + number * 5)
    assert "by its rule" not in sbctl("why", "fast", iso(AT + 2000))[1]


@pytest.mark.usefixtures("fake")
def test_a_slot_without_a_row_is_told(sbctl: Sbctl, home: Home) -> None:
    remember_slot(home, AT)
    remember_slot(home, AT + 300)
    assert "is a slot by its rule; the history has no row of it" in sbctl("why", "fast", iso(AT + 120))[1]
    assert "there is no slot by its rule: before it" in sbctl("why", "fast", iso(AT + 122))[1]


@pytest.mark.usefixtures("fake")
def test_a_history_that_can_not_be_read_is_not_said_to_lack_it(sbctl: Sbctl, home: Home) -> None:
    Path(home.history_file).parent.mkdir(exist_ok=True)
    Path(home.history_file).write_bytes(b"this is no database" * 100)
    code, out, err = sbctl("why", "fast", iso(AT))
    assert (code, err.count("the history can't be read")) == (0, 1)
    assert "is a slot by its rule\n" in out


FAR = int(NOW) + 86_400 * 3650  # 08:00, to come


def test_a_slot_to_come_is_found_by_when_it_is_due(sbctl: Sbctl, home: Home) -> None:
    """As `next` shows it: put off until its hours, or late by its jitter."""
    task = {"plugins": ["fast"], "commands": ["get"], "cron": "0 2 * * *", "activeHours": {"start": 7, "end": 23}}
    compiled(home, [{**task, "outsideHours": "defer"}])
    assert " 02:00 is a slot, due " in sbctl("why", "fast", iso(FAR - 3600))[1]
    assert " 07:00, that is still to come\n" in sbctl("why", "fast", iso(FAR - 3600))[1]
    assert " 02:00 is a slot that is still to come\n" in sbctl("why", "fast", iso(FAR - 6 * 3600))[1]
    assert "there is no slot by its rule: before it" in sbctl("why", "fast", iso(FAR - 1800))[1]

    compiled(home, [{**task, "cron": "0 9 * * *", "jitterMinutes": 240}])
    due = json.loads(sbctl("next", "fast", "--json")[1])["slots"][0]["due"]
    assert "09:00 is a slot, due " in sbctl("why", "fast", due)[1]
