"""A home of servers carries nothing for schedules, until the first one comes, or the first run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.children import child
from support.daemon import Daemon
from support.scheduling import NOTES_ITS_SLOT, Scheduling
from support.waiting import eventually

SECOND = {"intervalSeconds": 1, "missedSpreadSeconds": 0}
WAITS = "while [ ! -e go ]; do sleep 0.02; done"


def is_loaded(daemon: Daemon) -> bool:
    """Whether the scheduler has SQLite in its memory."""
    return "sqlite" in Path(f"/proc/{daemon.pid('scheduler')}/maps").read_text()


def test_servers_alone(scheduling: Scheduling) -> None:
    desk = scheduling
    desk.home.add_plugin("server", child("ready"))
    desk.plugin("by-hand", get="true")
    desk.start()

    assert desk.home.sbctl("status").code == 0
    assert desk.ask("health")["counters"]["history_queued"] == 0
    assert not is_loaded(desk.daemon)
    assert not (desk.home.path / "logs" / "history.db").exists()
    for words in (["runs"], ["status", "--json"], ["why", "server"]):
        assert desk.home.sbctl(*words).code == 0, words
    assert not is_loaded(desk.daemon)


def test_the_first_schedule_comes_with_a_reload(scheduling: Scheduling) -> None:
    desk = scheduling
    desk.home.add_plugin("server", child("ready"))
    desk.plugin("job", get=NOTES_ITS_SLOT)
    desk.start()
    server = desk.daemon.row("server")["pid"]
    assert not is_loaded(desk.daemon)

    desk.task("job", **SECOND)
    desk.home.write()
    assert desk.home.sbctl("reload").code == 0
    desk.first("job", 2)
    assert is_loaded(desk.daemon)
    assert "1 schedule" in desk.daemon.row("scheduler")["detail"]

    desk.daemon.kill_scheduler()
    desk.first("job", 4)
    lines = [line.rpartition(" ")[0] for line in desk.started()]
    assert len(lines) == len(set(lines)), lines
    assert desk.daemon.row("server")["pid"] == server

    desk.home.scheduler["tasks"] = []
    desk.home.write()
    assert desk.home.sbctl("reload").code == 0
    assert desk.ask("schedules")["schedules"] == []


def test_a_run_by_hand_that_outlives_its_scheduler(scheduling: Scheduling) -> None:
    desk = scheduling
    folder = desk.plugin("job", get=WAITS)
    desk.start()
    assert not is_loaded(desk.daemon)

    run = desk.run("job")
    assert is_loaded(desk.daemon)
    desk.daemon.kill_scheduler()
    (folder / "go").touch()

    assert desk.ended(run)["state"] == "succeeded"
    assert eventually(lambda: is_loaded(desk.daemon))


@pytest.mark.parametrize("name", ["history.db", "history.db.waiting"])
def test_what_is_remembered_is_looked_after(scheduling: Scheduling, name: str) -> None:
    """It is not for ever, and what waits to be written in it is to be written."""
    desk = scheduling
    desk.plugin("job", get="true")
    logs = desk.home.path / "logs"
    logs.mkdir(exist_ok=True)
    (logs / name).touch()
    desk.start()

    assert eventually(lambda: is_loaded(desk.daemon))
    assert desk.done("job")["state"] == "succeeded"


def test_everything_that_is_asked_for_schedules_is_answered(scheduling: Scheduling) -> None:
    desk = scheduling
    desk.home.add_plugin("server", child("ready"))
    desk.start()

    assert json.loads(desk.home.sbctl("schedule", "list", "--json").out)["schedules"] == []
    for words in (["next"], ["pause"], ["resume"]):
        done = desk.home.sbctl(*words)
        assert done.code == 0, (words, done)
    done = desk.home.sbctl("run", "server")
    assert done.code != 0
    assert "server" in done.err
