"""What people wish of schedules while nothing runs: written where the scheduler looks when it starts."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from support.cli import Sbctl, compiled, remember, utc_home
from support.fake_schedules import run_row

from supervisor.model.home import Home

pytestmark = pytest.mark.usefixtures("compiler")
TASK = {"commands": ["get"], "cron": "0 6 * * *"}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = utc_home(tmp_path, "mail", "disk")
    return compiled(home, [{**TASK, "plugins": ["mail"]}, {**TASK, "plugins": ["disk"], "enabled": False}])


def kept(home: Home, schedule: str = "mail") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(home.intent_file).read_text()).get("schedules", {}).get(schedule, {})
    return found


def keep(home: Home, **wish: object) -> None:
    services = {"web": {"enabled": False, "at": "", "by": ""}}
    Path(home.intent_file).parent.mkdir(exist_ok=True)
    Path(home.intent_file).write_text(json.dumps({"format": 1, "services": services, "schedules": {"mail": wish}}))


def status(sbctl: Sbctl, schedule: str = "mail") -> str:
    rows = json.loads(sbctl("schedule", "list", schedule, "--json")[1])["schedules"]
    return str(rows[0]["status"])


# enabled or not


def test_disabled_and_enabled_while_nothing_runs(sbctl: Sbctl, home: Home) -> None:
    code, out, err = sbctl("schedule", "disable", "mail")
    assert (code, out) == (0, "mail is disabled\n")
    assert "no scheduler runs: it counts from the next start on" in err
    assert kept(home) == {"enabled": False}
    assert status(sbctl) == "disabled"
    assert json.loads(sbctl("schedule", "disable", "mail", "--json")[1]) == {"accepted": [], "already": ["mail"]}
    assert sbctl("schedule", "enable", "mail")[1] == "mail is enabled\n"
    assert kept(home) == {}  # the settings say the same, so they have the word again
    assert sbctl("schedule", "enable", "mail")[1] == "mail was enabled already\n"
    assert sbctl("schedule", "enable", "disk")[1] == "disk is enabled\n"
    assert kept(home, "disk") == {"enabled": True}


def test_all_names_are_known_or_nothing_is_written(sbctl: Sbctl, home: Home) -> None:
    code, _, err = sbctl("schedule", "disable", "mail", "mial")
    assert code == 2
    assert "did you mean 'mail'?" in err
    assert not Path(home.intent_file).exists()


def test_what_else_is_in_the_file_stays(sbctl: Sbctl, home: Home) -> None:
    keep(home, first_seen=1_700_000_000)
    assert sbctl("schedule", "disable", "mail")[0] == 0
    assert kept(home) == {"first_seen": 1_700_000_000, "enabled": False}
    assert json.loads(Path(home.intent_file).read_text())["services"]["web"]["enabled"] is False


def test_a_file_that_can_not_be_read_is_not_written_over(sbctl: Sbctl, home: Home) -> None:
    Path(home.intent_file).parent.mkdir(exist_ok=True)
    Path(home.intent_file).write_text("{")
    code, _, err = sbctl("schedule", "disable", "mail")
    assert code == 1
    assert "state.json can't be read" in err
    assert Path(home.intent_file).read_text() == "{"


# paused


def test_paused_and_resumed_while_nothing_runs(sbctl: Sbctl, home: Home) -> None:
    code, out, _ = sbctl("pause", "mail", "--reason", "new disk", "--on-resume", "once")
    assert (code, out) == (0, "mail is paused\n")
    pause = kept(home)["paused"]
    assert (pause["reason"], pause["until"], pause["on_resume"], bool(pause["by"])) == ("new disk", None, "once", True)
    assert status(sbctl) == "paused"
    assert sbctl("pause", "mail")[1] == "mail was paused already\n"
    assert sbctl("pause", "mail", "--for", "2h")[1].startswith("mail is paused until ")
    assert kept(home)["paused"]["until"] > time.time() + 7000

    assert sbctl("resume", "mail")[1] == "mail goes on\n"
    assert status(sbctl) == "active"
    assert sbctl("resume", "mail")[1] == "mail was not paused\n"
    assert sbctl("pause", "mail")[1] == "mail is paused\n"


@pytest.mark.parametrize(("option", "how"), [([], "catch_up"), (["--what", "once"], "once")])
def test_what_is_made_up_for_is_left_to_the_scheduler(sbctl: Sbctl, home: Home, option: list[str], how: str) -> None:
    """It ends what is over when it starts, as by its own `until`."""
    keep(home, paused={"at": 1.0, "by": "anna", "reason": "", "until": None, "on_resume": "catch_up"})
    assert sbctl("schedule", "resume", "mail", *option)[0] == 0
    pause = kept(home)["paused"]
    assert (pause["at"], pause["on_resume"], pause["until"] <= time.time()) == (1.0, how, True)


def test_one_that_is_made_longer_goes_on_since_it_began(sbctl: Sbctl, home: Home) -> None:
    keep(home, paused={"at": 1.0, "by": "anna", "reason": "", "until": None, "on_resume": "catch_up"})
    assert sbctl("pause", "mail", "--for", "2h", "--on-resume", "catch-up")[1].startswith("mail is paused until ")
    assert kept(home)["paused"]["at"] == 1.0

    flag = Path(home.pause_file)
    flag.touch()
    os.utime(flag, (1.0, 1.0))
    assert sbctl("pause", "--reason", "new disk")[0] == 0
    assert (flag.stat().st_mtime, "new disk" in flag.read_text()) == (1.0, True)


def test_a_pause_that_is_over_is_none(sbctl: Sbctl, home: Home) -> None:
    keep(home, paused={"at": 1.0, "by": "anna", "reason": "", "until": 2.0, "on_resume": "next"})
    assert sbctl("resume", "mail")[1] == "mail was not paused\n"
    assert sbctl("pause", "mail")[1] == "mail is paused\n"


# what needs a scheduler


@pytest.mark.parametrize("verb", [["run", "mail"], ["retry", "last"], ["cancel", "last"]])
def test_nothing_is_run_while_nothing_runs(sbctl: Sbctl, home: Home, verb: list[str]) -> None:

    remember(home, "runs", **run_row("r_1", state="running" if verb[0] == "cancel" else "succeeded"))
    code, _, err = sbctl(*verb)
    assert code == 7
    assert "sbctl is not running" in err
    assert "next: sbctl start" in err
