"""Other settings while everything runs: only what changed is touched."""

from __future__ import annotations

import json

import pytest
from support.children import child
from support.daemon import Daemon
from support.processes import alive, open_files, resident_kib
from support.waiting import eventually

from supervisor.base.proc import command_of


def test_only_what_changed_is_touched(daemon: Daemon) -> None:
    home = daemon.home
    for name in ("same", "relaunched", "relaxed", "removed"):
        home.add_plugin(name, child("ready"))
    daemon.start()
    before = {name: row["pid"] for name, row in daemon.rows().items()}
    home.add_plugin("relaunched", child("ready", 0.01))
    home.add_plugin("relaxed", child("ready"), stop={"graceSeconds": 7})
    home.add_plugin("added", child("ready"))
    home.add_plugin("asleep", child("ready"), autoStart=False)
    (home.path / "plugins" / "removed" / "manifest.json").unlink()
    (home.path / "plugins" / "removed").rmdir()

    changes = daemon.reload()

    assert changes == {
        "removed": "remove",
        "added": "start",
        "asleep": "add",
        "relaunched": "restart",
        "relaxed": "live",
        "scheduler": "live",  # it must outwait the slowest
    }
    eventually(lambda: "removed" not in daemon.rows())
    daemon.settle()
    rows = daemon.rows()
    assert not alive(before["removed"])
    assert not (home.path / "logs" / "removed" / "server.pid").exists()
    for name in ("scheduler", "same", "relaxed"):
        assert rows[name]["pid"] == before[name], name
    assert rows["relaunched"]["pid"] not in (None, before["relaunched"])
    assert (rows["added"]["state"], rows["asleep"]["state"]) == ("running", "stopped")
    assert daemon.reload() == {}
    assert {name: row["pid"] for name, row in daemon.rows().items()} == {n: r["pid"] for n, r in rows.items()}


def test_a_changed_server_is_no_longer_failed(daemon: Daemon) -> None:
    daemon.home.supervision["giveUpAfter"] = 1
    daemon.home.write()
    daemon.home.add_plugin("policy", child("crash_after", 0, 1))
    daemon.home.add_plugin("launch", child("crash_after", 0, 1))
    daemon.home.add_plugin("same", child("crash_after", 0, 1))
    daemon.start()
    for name in ("policy", "launch", "same"):
        daemon.in_phase(name, "failed")

    daemon.home.add_plugin("launch", child("ready"))
    daemon.home.add_plugin("policy", child("crash_after", 0, 1), exitCodes=[1], restart="on-failure")
    daemon.reload()

    daemon.in_phase("launch", "running")
    daemon.in_phase("policy", "stopped")
    assert len(daemon.events("policy", "service.exited")) == 2
    assert len(daemon.events("same", "service.exited")) == 1
    assert daemon.row("same")["state"] == "failed"


def test_other_log_limits_count_from_the_next_line_on(daemon: Daemon) -> None:
    daemon.home.add_plugin("loud", child("spew", 0, 1000))
    daemon.start()
    pids = {name: row["pid"] for name, row in daemon.rows().items()}
    daemon.home.settings["logs"] = {"maxMb": 0.02, "keep": 2}
    daemon.home.write()

    changes = daemon.reload()

    assert set(changes.values()) == {"live"}, changes
    eventually(lambda: (daemon.home.path / "logs" / "loud" / "server.log.1").exists())
    assert {name: row["pid"] for name, row in daemon.rows().items()} == pids


def test_a_scheduler_that_must_be_restarted_for_new_settings_hands_its_servers_over(daemon: Daemon) -> None:
    daemon.home.add_plugin("server", child("ready"))
    daemon.start()
    old, server = daemon.pid("scheduler"), daemon.row("server")["pid"]
    assert daemon.compile()["ok"]
    compiled = daemon.home.path / "logs" / "run" / "settings" / "current" / "start.json"
    data = json.loads(compiled.read_text())
    next(spec for spec in data["services"] if spec["name"] == "scheduler")["launch"]["env"] = {"NEW": "1"}
    compiled.write_text(json.dumps(data))

    daemon.ask("start", "reload", revision=data["revision"])

    eventually(lambda: daemon.home.pid("scheduler") not in (old, None))
    assert alive(server)
    assert daemon.row("server")["pid"] == server


def test_a_server_that_was_stopped_by_hand_stays_so(daemon: Daemon) -> None:
    daemon.home.add_plugin("server", child("ready"))
    daemon.start()
    daemon.ask("scheduler", "stop", names=["server"])
    daemon.in_phase("server", "stopped")
    daemon.home.add_plugin("server", child("ready", 0.01))

    assert daemon.reload() == {"server": "leave"}

    row = daemon.row("server")
    assert (row["state"], row["desired"]) == ("stopped", "down")


def test_a_removed_server_may_come_back_while_it_is_still_stopping(daemon: Daemon) -> None:
    folder = daemon.home.add_plugin("deaf", child("ignore_term"), stop={"graceSeconds": 0.7})
    daemon.start()
    eventually(lambda: "ready" in daemon.home.log("deaf"))
    old = daemon.row("deaf")["pid"]
    manifest = (folder / "manifest.json").read_text()
    (folder / "manifest.json").unlink()
    folder.rmdir()
    assert daemon.reload() == {"deaf": "remove", "scheduler": "live"}
    folder.mkdir()
    (folder / "manifest.json").write_text(manifest)

    daemon.reload()

    eventually(lambda: daemon.row("deaf")["pid"] not in (None, old))
    assert not alive(old)
    assert daemon.in_phase("deaf", "running")["desired"] == "up"


def test_other_settings_survive_a_kill_of_the_scheduler(daemon: Daemon) -> None:
    daemon.home.add_plugin("old", child("ready"))
    daemon.home.add_plugin("going", child("ready"))
    daemon.start()
    going = daemon.row("going")["pid"]
    daemon.home.add_plugin("new", child("ready"))
    manifest = daemon.home.path / "plugins" / "going" / "manifest.json"
    manifest.unlink()
    manifest.parent.rmdir()
    assert daemon.compile()["ok"]
    old = daemon.pid("scheduler")

    daemon.kill_scheduler()

    eventually(lambda: daemon.home.pid("scheduler") not in (old, None))
    eventually(lambda: set(daemon.rows()) == {"scheduler", "old", "new"})
    daemon.in_phase("new", "running")
    assert not alive(going)


def test_the_callers_environment_counts_from_then_on(daemon: Daemon) -> None:
    daemon.home.add_plugin("server", ["/bin/sh", "-c", "echo token=$GIVEN; exec sleep 1000"])
    daemon.start()
    eventually(lambda: "token=\n" in daemon.home.log("server"))

    daemon.reload(env={"PATH": "/usr/bin:/bin", "GIVEN": "fresh"})
    daemon.ask("scheduler", "restart", names=["server"])

    eventually(lambda: "token=fresh\n" in daemon.home.log("server"))


def used(daemon: Daemon) -> dict[str, int]:
    return {role: open_files(daemon.pid(role)) for role in ("start", "scheduler")}


def is_back(daemon: Daemon, before: dict[str, int]) -> bool:
    """A raw file that is open just now, or a client that is leaving, is no leak: one would be over a hundred."""
    return all(count <= before[role] + 5 for role, count in used(daemon).items())


def test_no_descriptor_stays_open_after_many_restarts_and_questions(daemon: Daemon) -> None:
    prepare_restarts(daemon)
    restart_often(daemon, 10)
    before = used(daemon)

    restart_often(daemon, 60)
    for _ in range(200):
        daemon.rows()

    eventually(lambda: is_back(daemon, before), 5, f"descriptors are back at {before}, not {used(daemon)}")


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_three_hundred_restarts_cost_start_no_memory(daemon: Daemon) -> None:
    prepare_restarts(daemon)
    restart_often(daemon, 30)
    eventually(lambda: "sbctl: start" in command_of(daemon.pid("start")))  # the title's module is loaded late
    before, fds = resident_kib(daemon.pid("start")), used(daemon)

    restart_often(daemon, 300)

    assert resident_kib(daemon.pid("start")) <= before * 1.1
    eventually(lambda: is_back(daemon, fds))


def prepare_restarts(daemon: Daemon) -> None:
    daemon.home.supervision["settleSeconds"] = 0.001
    daemon.home.write()
    daemon.home.add_plugin("server", ["/bin/sleep", "1000"])
    daemon.home.add_plugin("helper", ["/bin/sh", "-c", "sleep 1000 & sleep 1000"])
    daemon.start()


def restart_often(daemon: Daemon, times: int) -> None:
    with daemon.client("scheduler") as client:
        for _ in range(times):
            client.request("restart", names=["server", "helper"])
            client.request("settle", names=["server", "helper"], timeout=5)


def test_what_the_daemons_go_by_themselves_changes_as_they_run(daemon: Daemon) -> None:
    """And is said, though no service has anything to do with it."""
    daemon.home.supervision.update(tickSeconds=3600, settleSeconds=0.3, reconcileSeconds=600)
    daemon.home.write()
    daemon.home.add_plugin("server", child("ready"))
    daemon.start()
    pid = daemon.row("scheduler")["pid"]
    daemon.home.supervision.update(tickSeconds=0.1, settleSeconds=0.2, reconcileSeconds=0.1)
    daemon.home.settings["logs"] = {"dailyLinesPerSecond": 7}
    daemon.home.write()

    assert daemon.reload() == {"scheduler": "live", "start": "live"}

    told = [event for event in daemon.home.events() if event["kind"] == "settings.reloaded"]
    fields = [change["fields"] for event in told for change in event["data"]["changes"]]
    assert ["settleSeconds", "tickSeconds", "reconcileSeconds", "dailyLinesPerSecond"] in fields
    eventually(lambda: len([event for event in daemon.home.events() if event["kind"] == "tick"]) >= 3)
    assert daemon.row("scheduler")["pid"] == pid
    assert daemon.reload() == {}
