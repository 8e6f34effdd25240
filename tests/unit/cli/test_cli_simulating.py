"""`schedule test`: from where it begins, which is where `next` begins."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.cli import Sbctl, caller, compiled, utc_home

from supervisor.model.home import Home

TASK: dict[str, Any] = {"plugins": ["mail"], "commands": ["get"]}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return utc_home(tmp_path, "mail")


@pytest.fixture
def sbctl(home: Home, capfd: pytest.CaptureFixture[str]) -> Sbctl:
    return caller(home, capfd)


def facts_of(sbctl: Sbctl, *words: str) -> dict[str, Any]:
    code, out, err = sbctl("schedule", "test", "mail", "--days", "1", "--json", *words)
    assert code == 0, err
    found: dict[str, Any] = json.loads(out)["schedules"]["mail"]
    return found


# from a date


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


def test_one_that_was_seen_before_has_its_slot_at_that_moment(sbctl: Sbctl, home: Home) -> None:
    compiled(home, [{**TASK, "intervalHours": 6, "runAtStart": False}])
    day = 1_798_761_600  # 2027-01-01
    Path(home.intent_file).parent.mkdir(exist_ok=True)
    Path(home.intent_file).write_text(json.dumps({"schedules": {"mail": {"first_seen": day - 86_400}}}))

    found = facts_of(sbctl, "--from", "2027-01-01")
    assert (found["runs"], found["first"][0]) == (4, "2027-01-01T00:00:00.000Z")
