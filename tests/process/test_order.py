"""Services that need one another: who starts after whom, who goes with whom, and what a killed scheduler forgets."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from typing import Any

import pytest
from support.children import child
from support.daemon import Daemon
from support.ports import free_port
from support.processes import alive, kill
from support.specs import merged, requires, says_ready, start_with
from support.waiting import eventually

CHAIN = ("web", "api", "db")


def add_chain(daemon: Daemon, delay: float = 0.2) -> dict[str, Any]:
    """web needs api, which needs db; all take a while until they are ready."""
    for name in CHAIN:
        daemon.home.add_plugin(name, child("ready", delay))
    return {
        "db": says_ready(),
        "api": merged(says_ready(), requires("db")),
        "web": merged(says_ready(), requires("api")),
    }


def quick_scheduler(daemon: Daemon) -> None:
    daemon.home.settings["core"] = {
        "scheduler": {"giveUpAfter": 1000, "delaysSeconds": [0.01], "fastCrashSeconds": 60, "windowDeaths": 1000}
    }
    daemon.home.write()


def kill_scheduler(daemon: Daemon) -> None:
    old = daemon.pid("scheduler")
    kill(old)
    eventually(lambda: daemon.home.pid("scheduler") not in (old, None), 10, "there is a new scheduler")


def story(daemon: Daemon, *kinds: str) -> list[tuple[str, str]]:
    """(service, event) in the order of the journal."""
    wanted = {f"service.{kind}" for kind in kinds}
    return [(e["service"], e["kind"].removeprefix("service.")) for e in daemon.home.events() if e["kind"] in wanted]


def kinds(daemon: Daemon, name: str) -> list[str]:
    return [event["kind"].removeprefix("service.") for event in daemon.events(name)]


def test_a_chain_starts_in_order_and_stops_in_reverse(daemon: Daemon) -> None:
    start_with(daemon, add_chain(daemon))
    assert {daemon.row(name)["state"] for name in CHAIN} == {"running"}

    assert daemon.stop() == 0

    ups = [one for one in story(daemon, "started", "ready") if one[0] in CHAIN]
    assert ups == [(name, kind) for name in ("db", "api", "web") for kind in ("started", "ready")]
    downs = [name for name, _ in story(daemon, "exited") if name in CHAIN]
    assert downs == ["web", "api", "db"]
    assert daemon.events("web", "service.waiting")[0]["text"].startswith("web: waits for api (")


def test_what_nobody_is_ordered_behind_starts_and_stops_at_once(daemon: Daemon) -> None:
    for number in range(6):
        daemon.home.add_plugin(f"leaf-{number}", child("ready", 0.3))
    daemon.home.add_plugin("root", child("ready", 0.1))
    leaves = {f"leaf-{number}": merged(says_ready(), requires("root")) for number in range(6)}
    start_with(daemon, {"root": says_ready(), **leaves})

    started = [event["at"] for name in leaves for event in daemon.events(name, "service.started")]
    ready = [event["at"] for name in leaves for event in daemon.events(name, "service.ready")]
    assert len(started) == 6
    assert max(started) < min(ready), "all were on their way before the first was up"


def test_who_needs_what_is_stopped_goes_first_and_comes_back_with_it(daemon: Daemon) -> None:
    start_with(daemon, add_chain(daemon, 0.05))

    answer = daemon.ask("scheduler", "stop", names=["db"])

    assert (answer["accepted"], sorted(answer["with"])) == (["db"], ["api", "web"])
    daemon.in_phase("db", "stopped")
    assert [name for name, _ in story(daemon, "exited")] == ["web", "api", "db"]
    for name in ("api", "web"):
        assert daemon.in_phase(name, "waiting")["desired"] == "up"
    eventually(lambda: daemon.row("api")["detail"] == "waits for db (stopped)")
    told = daemon.ask("scheduler", "why", name="web")
    assert told["waits_for"] == ["api is waiting: waits for db (stopped)", "db is stopped"]
    settled = daemon.ask("scheduler", "settle", names=["web"], timeout=5)
    assert settled["settled"], "what waits for one that is down will not come by itself"

    answer = daemon.ask("scheduler", "start", names=["web"])

    assert (answer["accepted"], answer["already"], answer["with"]) == ([], ["web"], ["db"])
    for name in CHAIN:
        daemon.in_phase(name, "running")
        assert daemon.row(name)["restarts"] == 0


def test_a_required_one_that_crashes_leaves_the_others_unless_they_ask_for_a_restart(daemon: Daemon) -> None:
    daemon.home.supervision["delaysSeconds"] = [0.3]
    daemon.home.write()
    daemon.home.add_plugin("db", child("ready", 0.1))
    daemon.home.add_plugin("calm", child("ready"))
    daemon.home.add_plugin("bound", child("ready"))
    changes = {"db": says_ready(), "calm": requires("db"), "bound": requires("db", restart=True)}
    start_with(daemon, changes)
    before = {name: row["pid"] for name, row in daemon.rows().items()}

    kill(before["db"])

    eventually(lambda: daemon.row("bound")["pid"] not in (None, before["bound"]))
    assert daemon.row("calm")["pid"] == before["calm"]
    assert kinds(daemon, "bound")[-4:] == ["held", "exited", "waiting", "started"]
    texts = [event["text"] for event in daemon.events("bound", "service.held")]
    assert texts == ["bound: held until what it requires is back: db has ended"]
    assert story(daemon, "started", "ready")[-2:] == [("db", "ready"), ("bound", "started")]


def test_one_that_failed_for_good_takes_along_who_needs_it(daemon: Daemon) -> None:
    daemon.home.add_plugin("db", child("ready"), giveUpAfter=1, fastCrashSeconds=60)
    daemon.home.add_plugin("web", child("ready"))
    start_with(daemon, {"web": requires("db")})

    kill(daemon.row("db")["pid"])

    eventually(lambda: daemon.row("web")["detail"].startswith("waits for db (failed: killed by SIGKILL"))
    daemon.ask("scheduler", "start", names=["db"])
    daemon.in_phase("web", "running")


def test_one_shots_let_in_who_waits_for_their_work(daemon: Daemon) -> None:
    daemon.home.add_plugin("migrate", child("crash_after", 0.2, 0), restart="on-failure")
    daemon.home.add_plugin("broken", child("crash_after", 0, 3), restart="never")
    daemon.home.add_plugin("web", child("ready"))
    daemon.home.add_plugin("never", child("ready"))
    start_with(
        daemon, {"web": requires("migrate", condition="finished"), "never": requires("broken", condition="finished")}
    )

    daemon.in_phase("web", "running")

    order = story(daemon, "started", "exited", "stopped")
    assert order.index(("migrate", "exited")) < order.index(("web", "started"))
    assert daemon.row("migrate")["state"] == "stopped"
    eventually(lambda: "broken (failed" in daemon.row("never")["detail"])


def test_a_reverse_stop_goes_on_under_the_next_scheduler(daemon: Daemon) -> None:
    quick_scheduler(daemon)
    daemon.home.add_plugin("db", child("ready"))
    daemon.home.add_plugin("api", child("ready"))
    daemon.home.add_plugin("web", child("ignore_term"), stop={"graceSeconds": 1.5})
    start_with(daemon, {"api": requires("db"), "web": requires("api")})
    eventually(lambda: "ready" in daemon.home.log("web"))
    daemon.ask("scheduler", "stop", names=["db"])
    assert daemon.row("db")["state"] == "running"
    assert daemon.row("db")["desired"] == "down"

    kill_scheduler(daemon)

    daemon.in_phase("db", "stopped")
    assert [name for name, _ in story(daemon, "exited") if name in CHAIN] == ["web", "api", "db"]
    assert {daemon.row(name)["state"] for name in ("api", "web")} == {"waiting"}


def test_a_stop_of_everything_keeps_the_order_also_when_no_scheduler_is_there(daemon: Daemon) -> None:
    ended = daemon.home.path / "ended"
    for name in CHAIN:
        tidy = f"echo {name} >> {ended}; sleep 0.3; echo {name} gone >> {ended}; exit 0"
        loop = "echo ready; while :; do sleep 0.05; done"
        daemon.home.add_plugin(name, ["sh", "-c", f"trap '{tidy}' TERM; {loop}"])
    start_with(daemon, {"api": requires("db"), "web": requires("api")})
    for name in CHAIN:
        eventually(lambda name=name: "ready" in daemon.home.log(name))
    daemon.ask("start", "stop", names=["scheduler"], timeout=0.0)  # killed at once, and not started again

    daemon.stop()

    assert ended.read_text().splitlines() == ["web", "web gone", "api", "api gone", "db", "db gone"]


def test_a_wait_goes_on_under_the_next_scheduler(daemon: Daemon) -> None:
    quick_scheduler(daemon)
    path = daemon.home.path / "there"
    daemon.home.add_plugin("web", child("ready"))
    daemon.home.add_plugin("db", child("ready"))
    daemon.home.add_plugin("app", child("ready"))
    start_with(daemon, {"app": requires(files=(str(path),)), "web": requires("db"), "db": {"auto_start": False}})
    daemon.ask("scheduler", "stop", names=["db"])
    daemon.in_phase("web", "waiting")
    eventually(lambda: daemon.row("app")["detail"] == f"waits for file {path}")

    kill_scheduler(daemon)

    eventually(lambda: daemon.row("web")["detail"] == "waits for db (stopped)")
    path.touch()
    daemon.in_phase("app", "running")
    daemon.ask("scheduler", "start", names=["db"])
    daemon.in_phase("web", "running")
    assert len(daemon.events("web", "service.started")) == 2


def test_only_so_many_are_on_their_way_at_once(daemon: Daemon) -> None:
    names = [f"server-{number}" for number in range(5)]
    for name in names:
        daemon.home.add_plugin(name, child("ready", 0.15))
    start_with(daemon, {name: merged(says_ready(), {"policy": {"gated": True}}) for name in names}, max_starting=2)

    on_the_way, most = set(), 0
    for name, kind in story(daemon, "started", "ready"):
        on_the_way = on_the_way | {name} if kind == "started" else on_the_way - {name}
        most = max(most, len(on_the_way & set(names)))
    assert most == 2
    assert {daemon.row(name)["state"] for name in names} == {"running"}


def test_instances_restart_one_by_one_and_never_two_are_down(daemon: Daemon) -> None:
    quick_scheduler(daemon)
    daemon.home.add_plugin("web", child("ready", 0.15))
    start_with(daemon, {"web": merged(says_ready(), {"instances": 3})})
    names = ["web:1", "web:2", "web:3"]
    before = {name: daemon.row(name)["pid"] for name in names}

    assert daemon.ask("scheduler", "restart", names=["web"])["accepted"] == names
    eventually(lambda: daemon.row("web:1")["pid"] not in (None, before["web:1"]))
    kill_scheduler(daemon)

    eventually(lambda: all(daemon.row(name)["pid"] not in (None, before[name]) for name in names))
    down: set[str] = set()
    for name, kind in story(daemon, "exited", "ready"):
        down = down | {name} if kind == "exited" else down - {name}
        assert len(down & set(names)) <= 1


def test_a_rolling_restart_ends_at_one_that_does_not_come_back(daemon: Daemon) -> None:
    flag = daemon.home.path / "broken"
    command = f"test ! -e {flag} || exit 3; exec sleep 100"
    daemon.home.add_plugin("web", ["/bin/sh", "-c", command])
    start_with(daemon, {"web": {"instances": 3}})
    eventually(lambda: all(daemon.row(f"web:{number}")["uptime_s"] > 0.6 for number in (1, 2, 3)))
    before = daemon.row("web:3")["pid"]
    flag.touch()

    daemon.ask("scheduler", "restart", names=["web*"])

    event = eventually(lambda: daemon.events("web:1", "service.rolling_halted"))[0]
    assert event["data"]["left"] == ["web:2", "web:3"]
    assert daemon.row("web:3")["pid"] == before


@pytest.mark.parametrize("group", [False, True])
def test_a_signal_reaches_the_process_or_its_group(daemon: Daemon, group: bool) -> None:
    daemon.home.add_plugin("web", child("print_signals"))
    daemon.start()
    eventually(lambda: "ready" in daemon.home.log("web"))

    daemon.ask("scheduler", "signal", names=["w*"], signal="usr1", group=group)

    eventually(lambda: "got SIGUSR1" in daemon.home.log("web"))
    assert len(daemon.events("web", "service.signalled")) == 1


def test_a_disabled_service_stays_down_whatever_is_started_again(daemon: Daemon) -> None:
    quick_scheduler(daemon)
    daemon.home.add_plugin("web", child("ready"))
    daemon.home.add_plugin("asleep", child("ready"), autoStart=False)
    daemon.start()
    old = daemon.row("web")["pid"]

    assert daemon.ask("scheduler", "disable", names=["web"], by="anna")["accepted"] == ["web"]
    assert daemon.ask("scheduler", "enable", names=["asleep"])["accepted"] == ["asleep"]

    row = daemon.in_phase("web", "stopped")
    assert (row["enabled"], row["detail"], alive(old)) == (False, "disabled", False)
    daemon.in_phase("asleep", "running")
    kill_scheduler(daemon)
    assert daemon.in_phase("web", "stopped")["enabled"] is False
    daemon.stop()
    daemon.launch()
    daemon.settle()
    assert daemon.row("web")["state"] == "stopped"
    assert daemon.row("asleep")["state"] == "running"
    daemon.ask("scheduler", "start", names=["web"])
    assert daemon.in_phase("web", "running")["enabled"] is False
    os.kill(daemon.row("web")["pid"], signal.SIGKILL)
    assert daemon.ask("scheduler", "enable", names=["web"])["accepted"] == ["web"]
    assert daemon.in_phase("web", "running")["enabled"] is True


def test_what_runs_outside_is_left_alone_and_taken_over_when_it_ends(daemon: Daemon) -> None:
    quick_scheduler(daemon)
    folder = daemon.home.add_plugin("web", child("ready"))
    outside = subprocess.Popen(child("ready"), cwd=folder, stdout=subprocess.PIPE)
    try:
        assert outside.stdout is not None
        assert outside.stdout.readline() == b"ready\n"
        start_with(daemon, {"web": {"policy": {"look_outside": True}}})
        row = daemon.in_phase("web", "external")
        assert (row["pid"], row["desired"]) == (outside.pid, "up")

        kill_scheduler(daemon)

        daemon.in_phase("web", "external")
        assert len(daemon.events("web", "service.external")) == 1
    finally:
        outside.kill()
        outside.communicate()
    assert daemon.in_phase("web", "running")["pid"] != outside.pid


def test_a_port_or_a_disk_that_is_not_free_is_waited_for(daemon: Daemon) -> None:
    port = free_port()
    daemon.home.add_plugin("web", child("ready"))
    daemon.home.add_plugin("big", child("ready"))
    with socket.create_server(("127.0.0.1", port)):
        start_with(
            daemon,
            {"web": requires(ports=(port,)), "big": requires(free_bytes=1 << 60, free_path=str(daemon.home.path))},
        )
        assert daemon.in_phase("web", "waiting")["detail"] == f"waits for port {port} (in use)"
        detail = daemon.in_phase("big", "waiting")["detail"]
        assert f"waits for {1 << 40} MiB free at {daemon.home.path} (" in detail
    daemon.in_phase("web", "running")
    assert daemon.row("web")["restarts"] == 0
