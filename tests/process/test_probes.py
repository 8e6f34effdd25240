"""R31: ready, well, alive: found out about real servers, some of which hang, lie or keep silent."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path
from typing import Any

import pytest
from support.children import child
from support.daemon import Daemon
from support.ports import free_port
from support.processes import alive, kill
from support.specs import Change, merged, says_ready, start_with
from support.waiting import eventually

from supervisor.model.check import DEGRADE, EXEC, HTTP, LOG, TCP, Check

QUICK: dict[str, Any] = {"interval": 0.2, "timeout": 1.0}


def check(kind: str, **values: Any) -> dict[str, Any]:
    return Check(kind=kind, shown=f"{kind} it", **{**QUICK, "host": "127.0.0.1", **values}).as_dict()


def ready(kind: str, **values: Any) -> Change:
    return {"ready": check(kind, **values), "policy": {"wait_ready": True}}


def shell(command: str) -> list[str]:
    return ["/bin/sh", "-c", command]


@pytest.fixture
def web(daemon: Daemon) -> tuple[int, Path]:
    """An HTTP server whose answers a test decides: its port, and the file that says them."""
    port, file = free_port(), Path(daemon.home.path, "answer")
    daemon.home.add_plugin("web", child("health", port, file))
    return port, file


def begun(daemon: Daemon, name: str) -> int:
    """The pid of one that is there and not ready."""
    pid: int = eventually(lambda: daemon.in_phase(name, "starting")["pid"])
    eventually(lambda: daemon.home.log(name).endswith("\n"))
    return pid


def causes(daemon: Daemon, name: str) -> list[str]:
    return [event["text"] for event in daemon.events(name, "service.exited")]


# ready


def test_each_kind_of_readiness(daemon: Daemon, web: tuple[int, Path]) -> None:
    home = daemon.home
    home.add_plugin("tcp", child("health", port := free_port(), "none"))
    home.add_plugin("exec", shell("sleep 0.3; touch is-ready; exec sleep 60"))
    home.add_plugin("line", shell("echo not; sleep 0.2; printf 'server '; sleep 0.1; echo is up; exec sleep 60"))
    home.add_plugin("said", child("ready", 0.2))
    home.add_plugin("elsewhere", shell("exec sleep 60"))
    for name in ("never", "silent", "mute"):
        home.add_plugin(name, shell("exec sleep 60"))
    changes = {
        "web": ready(HTTP, port=web[0], path="/healthz"),
        "tcp": ready(TCP, port=port),
        "exec": ready(EXEC, argv=("test", "-e", "is-ready")),
        "line": ready(LOG, text="server is up"),
        "said": says_ready(),
        # Not loopback, so it is asked by the helper; it leads back to this machine all the same.
        "elsewhere": ready(EXEC, argv=("role:probe", f"http://0.0.0.0:{web[0]}/"), timeout=5.0),
        "silent": merged(says_ready(), {"policy": {"start_timeout": 1.0}}),
        "mute": merged(ready(LOG, text="up"), {"policy": {"start_timeout": 1.0}}),
        "never": merged(ready(EXEC, argv=tuple(shell("echo no database; exit 3"))), {"policy": {"start_timeout": 1.0}}),
    }
    start_with(daemon, changes, wait=False)

    for name in ("web", "tcp", "exec", "line", "said", "elsewhere"):
        assert daemon.in_phase(name, "running")["ready"] is True
        assert daemon.events(name, "service.ready")
    (event, *_) = eventually(lambda: daemon.events("never", "probe.failed"))
    assert event["text"] == "never: it was never ready: exec it failed: exit code 3: no database"
    assert "not ready within 1 s: exec it failed" in eventually(lambda: causes(daemon, "never"))[0]
    for name, text in (("silent", "no READY=1"), ("mute", 'no line "up" in its output')):
        (event, *_) = eventually(lambda name=name: daemon.events(name, "probe.failed"))  # type: ignore[misc]
        assert event["text"] == f"{name}: it was never ready: {text}"
        assert f"not ready within 1 s: {text}" in eventually(lambda name=name: causes(daemon, name))[0]  # type: ignore[misc]


def test_what_makes_it_ready_is_not_lost_while_no_scheduler_is_there(daemon: Daemon) -> None:
    daemon.home.settings["core"] = {"scheduler": {"delaysSeconds": [1.0], "fastCrashSeconds": 60}}
    daemon.home.write()
    for name in ("said", "line"):
        daemon.home.add_plugin(name, child("notifier", "", 0))
    changes = {"said": says_ready(), "line": ready(LOG, text="server is up")}
    start_with(daemon, changes, wait=False)
    pids = {name: begun(daemon, name) for name in changes}

    scheduler = daemon.pid("scheduler")
    kill(scheduler)
    eventually(lambda: not alive(scheduler))
    for pid in pids.values():
        kill(pid, signal.SIGUSR1)

    for name, pid in pids.items():
        assert daemon.in_phase(name, "running")["pid"] == pid


def test_a_stranger_can_make_nobody_ready(daemon: Daemon) -> None:
    daemon.home.add_plugin("web", child("notifier", "", 0))
    start_with(daemon, {"web": says_ready()}, wait=False)
    pid = begun(daemon, "web")
    words = daemon.home.log("web").split()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
        out.sendto(b"READY=1", "\0" + words[1][1:])

    (event,) = eventually(lambda: daemon.events("web", "notify.refused"))

    assert f"pid {os.getpid()}" in event["text"]
    assert daemon.row("web")["state"] == "starting"
    kill(pid, signal.SIGUSR1)
    daemon.in_phase("web", "running")


# well


def test_what_is_not_well_is_started_again_and_the_cause_is_told(daemon: Daemon, web: tuple[int, Path]) -> None:
    port, file = web
    start_with(daemon, {"web": {"alive": check(HTTP, port=port, failures=2)}})
    pid = daemon.row("web")["pid"]
    file.write_text("500")

    eventually(lambda: daemon.events("web", "service.unhealthy"))
    file.unlink()

    row = eventually(lambda: (row := daemon.in_phase("web", "running"))["pid"] != pid and row)
    assert row["cause"] == "http it answered 500, 2 times in a row"
    assert "answered 500" in causes(daemon, "web")[0]


def test_what_is_only_degraded_runs_on_and_recovers(daemon: Daemon, web: tuple[int, Path]) -> None:
    port, file = web
    start_with(daemon, {"web": {"alive": check(HTTP, port=port, failures=2, action=DEGRADE)}})
    pid = daemon.row("web")["pid"]
    file.write_text("503")
    eventually(lambda: daemon.row("web")["detail"] == "http it answered 503")
    assert "http it answered 503, 2 times in a row" in daemon.events("web", "service.degraded")[0]["text"]
    file.write_text("500")
    eventually(lambda: daemon.row("web")["detail"] == "http it answered 500")
    assert daemon.ask("scheduler", "status")["summary"]["state"] == "degraded"

    file.unlink()

    eventually(lambda: daemon.row("web")["detail"] == "")
    assert daemon.row("web")["pid"] == pid
    assert [e["kind"] for e in daemon.events("web")][-2:] == ["service.degraded", "service.recovered"]


def test_a_degraded_one_is_called_so_while_the_scheduler_is_away(daemon: Daemon, web: tuple[int, Path]) -> None:
    daemon.home.settings["core"] = {"scheduler": {"delaysSeconds": [30], "fastCrashSeconds": 60}}
    daemon.home.write()
    port, file = web
    file.write_text("503")
    start_with(daemon, {"web": {"alive": check(HTTP, port=port, failures=2, action=DEGRADE)}})
    eventually(lambda: daemon.row("web")["ready"] is False)

    daemon.kill_scheduler()

    def row() -> dict[str, Any]:
        found: dict[str, Any] = daemon.ask("start", "entries")["rows"][0]
        return found

    eventually(lambda: row()["detail"] == "unsupervised; http it answered 503")
    assert (row()["state"], row()["ready"]) == ("running", False)


@pytest.mark.parametrize("killed", [False, True])
def test_a_reload_leaves_nobody_degraded_whom_nobody_judges(daemon: Daemon, killed: bool) -> None:
    """Also where the scheduler that had found it is gone by then."""
    failing = {"exec": "test -e is-well", "intervalSeconds": 0.2, "failures": 2, "onFailure": "degrade"}
    for name in ("bare", "other"):
        daemon.home.add_plugin(name, shell("exec sleep 60"), alive=failing)
    daemon.start()
    for name in ("bare", "other"):
        eventually(lambda name=name: daemon.row(name)["ready"] is False)  # type: ignore[misc]

    daemon.home.add_plugin("bare", shell("exec sleep 60"))
    passing = {**failing, "exec": "true", "onFailure": "restart"}
    daemon.home.add_plugin("other", shell("exec sleep 60"), alive=passing)
    pids = [daemon.row(name)["pid"] for name in ("bare", "other")]
    if killed:
        assert daemon.compile()["ok"]
        daemon.kill_scheduler()
    else:
        assert daemon.reload() == {"bare": "live", "other": "live"}

    for name in ("bare", "other"):
        eventually(lambda name=name: daemon.events(name)[-1]["kind"] == "service.recovered")  # type: ignore[misc]
        assert daemon.row(name)["ready"] is None
    assert [daemon.row(name)["pid"] for name in ("bare", "other")] == pids
    assert daemon.ask("scheduler", "status")["summary"]["state"] == "running"


def test_a_server_that_accepts_and_never_answers_is_hung(daemon: Daemon, web: tuple[int, Path]) -> None:
    port, file = web
    start_with(daemon, {"web": {"alive": check(HTTP, port=port, timeout=0.3, failures=2)}})
    file.write_text("hang")

    (event, *_) = eventually(lambda: daemon.events("web", "service.unhealthy"))

    assert "http it did not answer within 0.3 s, 2 times in a row" in event["text"]


def test_a_probe_that_hangs_is_alone_and_killed_at_its_limit(daemon: Daemon) -> None:
    daemon.home.add_plugin("web", shell("exec sleep 60"))
    probe = shell("trap '' TERM; echo $$ >>probes; while :; do sleep 60; done")
    slow = check(EXEC, argv=probe, interval=0.1, timeout=0.4, failures=3)
    start_with(daemon, {"web": {"alive": slow}})
    started = Path(daemon.home.path, "plugins", "web", "probes")

    def at_once() -> int:
        pids = [int(pid) for pid in started.read_text().split()] if started.exists() else []
        living = sum(map(alive, pids))
        assert living <= 1, pids
        return len(pids)

    eventually(lambda: at_once() >= 3)
    (event, *_) = eventually(lambda: daemon.events("web", "service.unhealthy"))
    assert "exec it failed: not done within 0.4 s, 3 times in a row" in event["text"]


def test_a_probe_does_not_outlive_the_scheduler_that_asked(daemon: Daemon) -> None:
    daemon.home.add_plugin("web", shell("exec sleep 60"))
    slow = check(EXEC, argv=shell("echo $$ >>probes; exec sleep 60"), timeout=30.0)
    start_with(daemon, {"web": {"alive": slow}})
    pid, started = daemon.row("web")["pid"], Path(daemon.home.path, "plugins", "web", "probes")
    (first,) = eventually(lambda: started.exists() and started.read_text().split())

    daemon.kill_scheduler()

    eventually(lambda: len(started.read_text().split()) == 2)  # the next one asks anew
    eventually(lambda: not alive(int(first)))
    assert daemon.row("web")["pid"] == pid


def test_the_verdict_on_an_earlier_life_is_dropped_with_it(daemon: Daemon) -> None:
    daemon.home.add_plugin("web", shell("exec sleep 60"))
    slow = check(EXEC, argv=shell("echo $$ >>probes; sleep 0.5; exit 1"), interval=0.3, timeout=5, failures=1)
    start_with(daemon, {"web": {"alive": slow, "policy": {"delays": [30.0]}}})
    started = Path(daemon.home.path, "plugins", "web", "probes")
    eventually(started.exists)

    kill(daemon.row("web")["pid"])

    daemon.in_phase("web", "backoff")
    probes = [int(pid) for pid in started.read_text().split()]
    eventually(lambda: not any(map(alive, probes)))
    assert daemon.events("web", "service.unhealthy") == []


# alive


def test_silence_ends_a_server_and_signs_keep_it(daemon: Daemon) -> None:
    daemon.home.add_plugin("talks", child("notifier", "READY=1;STATUS=all fine", 0.2))
    daemon.home.add_plugin("hangs", child("notifier", "READY=1", 0))
    watched = merged(says_ready(), {"watchdog": 1.0})
    start_with(daemon, {"talks": watched, "hangs": watched})
    assert daemon.row("talks")["detail"] == "all fine"

    (event, *_) = eventually(lambda: daemon.events("hangs", "service.watchdog"))

    assert "no sign of life for 1 s" in event["text"]
    eventually(lambda: daemon.row("hangs")["restarts"] >= 1)
    assert daemon.row("talks")["restarts"] == 0


def test_a_scheduler_that_hangs_is_replaced_and_its_servers_run_on(daemon: Daemon) -> None:
    daemon.home.supervision.update(graceSeconds=0.5, reconcileSeconds=0.2)
    daemon.home.settings["core"] = {"scheduler": {"watchdogSeconds": 1}}
    daemon.home.write()
    daemon.home.add_plugin("web", child("ready"))
    daemon.start()
    pid, scheduler = daemon.row("web")["pid"], daemon.pid("scheduler")

    os.kill(scheduler, signal.SIGSTOP)

    eventually(lambda: daemon.home.pid("scheduler") not in (scheduler, None), 15.0, "there is a new scheduler")
    row = daemon.in_phase("web", "running")
    assert (row["pid"], row["restarts"]) == (pid, 0)
    assert daemon.row("scheduler")["cause"] == "no sign of life for 1 s"
    eventually(lambda: any(e["kind"] == "scheduler.adopted" for e in daemon.home.events()))


def test_a_config_server_that_hangs_is_replaced(daemon: Daemon) -> None:
    daemon.home.settings["config"]["enabled"] = True
    daemon.home.supervision["graceSeconds"] = 0.5
    asked = {"intervalSeconds": 0.2, "timeoutSeconds": 0.5, "failures": 2}
    daemon.home.settings["core"] = {"config": {"alive": asked}}
    daemon.home.write()
    daemon.start()
    config = daemon.in_phase("config", "running")["pid"]

    os.kill(config, signal.SIGSTOP)

    eventually(lambda: daemon.row("config")["pid"] not in (config, None), 15.0, "there is a new config server")
    assert daemon.in_phase("config", "running")["cause"] == (
        f"http 127.0.0.1:{daemon.home.port}/healthz did not answer within 0.5 s, 2 times in a row"
    )
