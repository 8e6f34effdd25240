"""Which schedule is meant: one that is removed, new, not in force, one of several; and without a history to read."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from support.cli import Sbctl, compiled, knows, remember, running, utc_home
from support.fake_schedules import NOW, run_row, schedule_row

from supervisor.model.home import Home

pytestmark = pytest.mark.usefixtures("compiler")
TASK = {"plugins": ["mail"], "commands": ["get"], "cron": "0 6 * * *"}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = utc_home(tmp_path, "mail", "disk")
    return compiled(home, [TASK])


@pytest.fixture
def gone(home: Home) -> Home:
    """`mail.old` has a slot and two runs, and no settings."""
    at = int(NOW)
    remember(home, "runs", **run_row("r_old", "mail.old"))
    remember(home, "runs", **run_row("r_hand", "mail.old", "failed", exit_code=3, trigger="manual", by="anna"))
    remember(home, "slots", schedule="mail.old", nominal=at, nominal_to=at, decided=at * 1000, run="r_old",
             outcome="run", count=1)  # fmt: skip
    return home


def with_tasks(home: Home, *tasks: dict[str, Any]) -> None:
    """In the files only."""
    Path(home.etc, "scheduler.json").write_text(json.dumps({"tasks": [TASK, *tasks]}))


# why


@pytest.mark.parametrize("runs", [False, True])
def test_why_one_that_was_removed(sbctl: Sbctl, gone: Home, runs: bool) -> None:
    def look() -> None:
        code, out, _ = sbctl("why", "mail.old")
        first, *rest = out.splitlines()
        assert code == 0
        assert first.startswith("mail.old is no schedule any more; its last slot was ")
        assert first.endswith("28 Nov 08:00") or "28 Nov 2026 08:00" in first
        assert rest[0] == "zone        UTC"
        assert rest[1].endswith("✔ r_old 2.0s")
        assert "✖ r_hand exit 3 2.0s, manual by anna" in rest[2]
        assert rest[-1] == "next        sbctl runs mail.old; to have it again: sbctl schedule add mail.old"
        answer = json.loads(sbctl("why", "mail.old", "--json")[1])
        assert (answer["standing"], answer["row"], answer["slots"][0]["run"]) == ("removed", None, "r_old")
        assert "then        " in sbctl("why", "mail.old", "2026-11-28T08:00")[1]

    if not runs:
        look()
        return
    with running(gone, ["web"], schedule_row("mail")):
        look()


def test_one_that_was_removed_while_nothing_ran(sbctl: Sbctl, home: Home) -> None:
    """It is still in what was compiled last."""
    remember(home, "runs", **run_row("r_1", "mail"))
    Path(home.etc, "scheduler.json").write_text("{}")
    out = sbctl("why", "mail")[1]
    assert out.startswith("mail is no schedule any more; its last run began ")


def test_why_one_that_is_new(sbctl: Sbctl, home: Home) -> None:
    """Added while nothing runs, after an earlier start."""
    with_tasks(home, {"plugins": ["disk"], "commands": ["get"], "cron": "0 7 * * *"})
    code, out, err = sbctl("why", "disk")
    assert code == 0
    assert "no scheduler runs" in err
    assert out.startswith("disk is active; next ")
    assert "it is new, and known from etc/scheduler.json: it begins with the next sbctl start" in out
    assert json.loads(sbctl("why", "disk", "--json")[1])["standing"] == "new"


def test_one_that_was_there_at_the_last_start_is_not_new(sbctl: Sbctl, home: Home) -> None:
    assert "it is new" not in sbctl("why", "mail")[1]
    assert json.loads(sbctl("why", "mail", "--json")[1])["standing"] == ""


def test_before_the_first_start_all_are_new(sbctl: Sbctl, home: Home) -> None:
    shutil.rmtree(Path(home.compiled_file("scheduler")).parent.parent)
    assert "it is new" in sbctl("why", "mail")[1]


def test_why_tells_who_paused_it_while_nothing_runs(sbctl: Sbctl, home: Home) -> None:
    assert sbctl("pause", "mail", "--until", "2035-01-01")[0] == 0
    lines = sbctl("why", "mail")[1].splitlines()
    assert lines[2].startswith("held by     paused: by ")
    assert lines[2].endswith(", until Mon 01 Jan 2035 00:00")


def test_why_one_that_is_not_in_force(sbctl: Sbctl, home: Home) -> None:
    with_tasks(home, {"plugins": ["disk"], "commands": ["get"], "cron": "0 7 * * *"})
    with running(home, ["web"], schedule_row("mail")):
        code, out, err = sbctl("why", "disk")
    assert (code, err) == (0, "")
    assert out.startswith("disk is in etc/scheduler.json, and not in force yet; it would run at 07:00 every day\n")
    assert out.endswith("next        sbctl reload\n")


def test_why_a_name_that_nothing_has(sbctl: Sbctl, home: Home) -> None:
    code, _, err = sbctl("why", "mial")
    assert code == 2
    assert "no service or schedule 'mial'" in err
    assert "did you mean 'mail'?" in err


# a plugin


@pytest.mark.parametrize("verb", [["why"], ["schedule", "show"]])
@pytest.mark.parametrize("runs", [False, True])
def test_the_name_of_a_plugin_with_several(sbctl: Sbctl, home: Home, verb: list[str], runs: bool) -> None:
    Path(home.etc, "scheduler.json").write_text(
        json.dumps({"tasks": [{**TASK, "name": name} for name in ("early", "late")]})
    )

    def refused() -> None:
        code, out, err = sbctl(*verb, "mail")
        assert (code, out) == (2, "")
        assert "mail has several schedules" in err
        assert "next: one of mail.early, mail.late" in err

    if not runs:
        refused()
        return
    knows(home, "mail.early", "mail.late")
    with running(home, [], schedule_row("mail.early"), schedule_row("mail.late")):
        refused()


@pytest.mark.parametrize("verb", [["why"], ["schedule", "show"]])
def test_the_name_of_a_plugin_with_one(sbctl: Sbctl, home: Home, verb: list[str]) -> None:
    Path(home.etc, "scheduler.json").write_text(json.dumps({"tasks": [{**TASK, "name": "early"}]}))
    assert sbctl(*verb, "mail")[1].startswith("mail.early")


# a history that can't be read


@pytest.mark.parametrize("verb", [["schedule", "list"], ["schedule", "show", "mail"], ["next"], ["why", "mail"]])
def test_a_broken_history_is_said_in_one_line(sbctl: Sbctl, home: Home, verb: list[str]) -> None:
    Path(home.history_file).parent.mkdir(exist_ok=True)
    Path(home.history_file).write_bytes(b"this is no database" * 100)
    code, out, err = sbctl(*verb)
    assert (code, "mail" in out) == (0, True), err
    assert [line for line in err.splitlines() if "history.db" in line] == [
        f"the history can't be read: {home.history_file}: it is not a database; what has run is not known"
    ]
    assert len(err.splitlines()) == 2  # with the one that no scheduler runs


# logs


def test_the_output_of_jobs_is_with_their_runs(sbctl: Sbctl, home: Home) -> None:
    for name in ("mail", "disk"):
        code, _, err = sbctl("logs", name)
        assert code == 2
        assert f"{name} has no server, so there is no log of one" in err
        assert f"next: sbctl runs {name}; then: sbctl show RUN --log" in err
    assert "no service 'mial'" in sbctl("logs", "mial")[2]
