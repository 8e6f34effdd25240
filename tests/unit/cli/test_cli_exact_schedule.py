"""A word that is a schedule and the plugin of others: the schedule is meant, wherever one run is to be found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.cli import Sbctl, knows, remember, running, utc_home
from support.fake_schedules import NOW, FakeSchedules, run_row, schedule_row

from supervisor.model.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = utc_home(tmp_path)
    knows(home, "p", "p.a", "q.a")
    return home


@pytest.fixture
def fake(home: Home) -> Iterator[FakeSchedules]:
    with running(home, [], schedule_row("p"), schedule_row("p.a"), schedule_row("q.a")) as found:
        yield found


def remember_run(home: Home, id: str, schedule: str, state: str = "running", minutes: int = 0) -> None:
    at = int(NOW * 1000) + minutes * 60_000
    ended = None if state == "running" else at
    remember(home, "runs", **run_row(id, schedule, state, claimed=at, started=at, ended=ended))


def test_cancel_ends_no_run_of_another_schedule(sbctl: Sbctl, fake: FakeSchedules, home: Home) -> None:
    remember_run(home, "r_p.a", "p.a")
    sbctl("cancel", "p")
    assert fake.asked[-1]["run"] == "p"  # which the scheduler knows no run of
    remember_run(home, "r_1", "p", minutes=-5)
    sbctl("cancel", "p")
    assert fake.asked[-1]["run"] == "r_1"
    remember_run(home, "r_q", "q.a")
    sbctl("cancel", "q")  # only a plugin
    assert fake.asked[-1]["run"] == "r_q"


def test_show_and_retry_take_the_run_of_the_schedule(sbctl: Sbctl, fake: FakeSchedules, home: Home) -> None:
    remember_run(home, "r_p.a", "p.a", "failed")
    code, _, err = sbctl("show", "p")
    assert (code, "no run 'p'" in err) == (2, True)
    remember_run(home, "r_1", "p", "failed", minutes=-5)
    fake.ended = run_row("r_9", "p")
    assert json.loads(sbctl("show", "p", "--json")[1])["id"] == "r_1"
    sbctl("retry", "p")
    assert "r_1" in json.dumps(fake.asked[-1])
    assert json.loads(sbctl("show", "q", "--json")[1] or "{}") == {}


def test_a_schedule_that_was_removed_is_known_by_its_runs(sbctl: Sbctl, home: Home) -> None:
    knows(home, "p.a")
    remember_run(home, "r_1", "p", "failed", minutes=-5)
    remember_run(home, "r_2", "p.a", "failed")
    assert json.loads(sbctl("show", "p", "--json")[1])["id"] == "r_1"
