"""R01: SIGKILL for `start`, the scheduler, the config server, one after the other, over a tree that has them all.

After each, either nothing of the tree is alive within the stop grace, or it runs on as it was; then, or after the next
start, there is one copy of each, and the port is bound by ours.
"""

from __future__ import annotations

import http.client
import signal
from collections import Counter

import psutil
import pytest
from support.children import child
from support.daemon import Daemon
from support.killing import await_successor, kill_start
from support.processes import alive, kill
from support.scheduling import ENDED, Scheduling
from support.waiting import eventually

from supervisor.engine.entries import name_of

GRACE_S = 0.5
MARGIN_S = 2.0  # for the daemons themselves to notice, and for a busy machine
DAEMONS = ("start", "scheduler", "config")
ROLES = DAEMONS[1:]
SERVERS = ("server", "helper", "deaf", "writer")


def test_quick(scheduling: Scheduling) -> None:
    play(scheduling, rounds=3)


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_twenty_rounds(scheduling: Scheduling) -> None:
    play(scheduling, rounds=20)


def play(desk: Scheduling, *, rounds: int) -> None:
    prepare(desk)
    desk.start()
    for number in range(rounds):
        run = begin_run(desk)
        victim = DAEMONS[number % len(DAEMONS)]
        {"start": start_killed, "scheduler": scheduler_killed, "config": config_killed}[victim](desk)
        check_one_of_each(desk.daemon)
        check_run(desk, run, lives_on=victim != "start")
    assert desk.daemon.stop() == 0
    assert desk.home.pids() == []


def prepare(desk: Scheduling) -> None:
    home = desk.home
    home.supervision.update(graceSeconds=GRACE_S, fastCrashSeconds=0.01, windowDeaths=1000)
    home.settings["config"]["enabled"] = True
    home.settings["core"] = {role: {"fastCrashSeconds": 0.01, "windowDeaths": 1000} for role in ROLES}
    home.write()
    home.add_plugin("server", child("ready"))
    home.add_plugin("helper", child("grandchild", 0, "deaf"))
    home.add_plugin("deaf", child("ignore_term"))
    home.add_plugin("writer", child("spew", 0, 200))
    desk.job("job", child("leave", 0), overlap="allow")


def begin_run(desk: Scheduling) -> str:
    run = desk.run("job")
    eventually(lambda: any(key.startswith(f"run/{run}/") for key in desk.daemon.marked()), 10, "its step runs")
    for name in ("deaf", "helper"):
        eventually(lambda name=name: "ready" in desk.home.log(name))  # type: ignore[misc]
    return run


def start_killed(desk: Scheduling) -> None:
    kill_start(desk.daemon)

    eventually(lambda: desk.home.pids() == [], GRACE_S + MARGIN_S, "nothing of the tree is alive")
    desk.start()


def scheduler_killed(desk: Scheduling) -> None:
    daemon = desk.daemon
    before, old = all_pids(daemon), daemon.pid("scheduler")
    kill(old)

    await_successor(daemon, old)
    after = all_pids(daemon)
    assert {name: after[name] for name in (*SERVERS, "config")} == {name: before[name] for name in (*SERVERS, "config")}


def config_killed(desk: Scheduling) -> None:
    daemon = desk.daemon
    before = all_pids(daemon)
    kill(before["config"])

    eventually(lambda: daemon.row("config")["pid"] not in (before["config"], None), 10, "there is a new config server")
    after = all_pids(daemon)
    assert {name: after[name] for name in (*SERVERS, "scheduler")} == {
        name: before[name] for name in (*SERVERS, "scheduler")
    }


def all_pids(daemon: Daemon) -> dict[str, int]:
    return {name: row["pid"] for name, row in daemon.rows().items()}


def check_one_of_each(daemon: Daemon) -> None:
    for name in ("scheduler", "config", *SERVERS):
        daemon.in_phase(name, "running", 15)
    eventually(lambda: answers(daemon.home.port), 15, "the port answers")
    eventually(lambda: has_one_of_each(daemon), 5, "there is one of each")
    config = psutil.Process(daemon.row("config")["pid"])
    assert daemon.home.port in [one.laddr.port for one in config.net_connections() if one.status == psutil.CONN_LISTEN]


def has_one_of_each(daemon: Daemon) -> bool:
    """Titles hide the marks of the daemons: they are the children of `start` that are none of the others."""
    servers = {key: pids for key, pids in daemon.marked().items() if name_of(key) in SERVERS}
    assert Counter(map(name_of, servers)) == dict.fromkeys(SERVERS, 1)
    known = {pid for pids in daemon.marked().values() for pid in pids}
    children = {one.pid for one in psutil.Process(daemon.pid("start")).children() if alive(one.pid)}
    roles = {daemon.pid("scheduler"), daemon.row("config")["pid"]}
    assert children - (known - roles) == roles
    return True


def answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError as error:
        raise AssertionError(str(error)) from None
    finally:
        connection.close()


def check_run(desk: Scheduling, run: str, *, lives_on: bool) -> None:
    """Its step is ended here, or it was ended with `start`; it has an end in any case."""
    pids = [pid for key, pids in desk.daemon.marked().items() if key.startswith(f"run/{run}/") for pid in pids]
    assert len(pids) == lives_on
    for pid in pids:
        kill(pid, signal.SIGUSR1)
    row = desk.ended(run)
    assert row["state"] in (("succeeded",) if lives_on else ENDED), row
