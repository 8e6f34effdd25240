"""The commands of a service beside its own: before its start, to stop it, after its end, to reload."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from support.children import child
from support.daemon import Daemon
from support.processes import alive, kill
from support.specs import start_with
from support.waiting import eventually

from supervisor.base.errors import Problem

SERVER = "trap 'echo reloaded; ' HUP; echo ready; while :; do sleep 0.02; done"


def shell(command: str) -> list[str]:
    return ["/bin/sh", "-c", command]


def quick_scheduler(daemon: Daemon) -> None:
    daemon.home.settings["core"] = {
        "scheduler": {"giveUpAfter": 1000, "delaysSeconds": [0.01], "fastCrashSeconds": 60, "windowDeaths": 1000}
    }
    daemon.home.write()


def kill_scheduler(daemon: Daemon) -> None:
    old = daemon.pid("scheduler")
    kill(old)
    eventually(lambda: daemon.home.pid("scheduler") not in (old, None), 10, "there is a new scheduler")


def said(daemon: Daemon, name: str) -> str:
    path = Path(daemon.home.path, "logs", name, "server.commands.log")
    return path.read_text() if path.exists() else ""


def test_the_command_before_comes_first_with_the_services_environment(daemon: Daemon) -> None:
    daemon.home.add_plugin("web", child("ready"), manifest={"env": {"COLOUR": "red"}})
    command = shell('sleep 0.1; echo "$COLOUR $SB_PLUGIN $SB_KEY" | sed "s/[0-9]*$//"; pwd')
    start_with(daemon, {"web": {"commands": {"before": command}, "policy": {"before": 5.0}}})

    daemon.in_phase("web", "running")

    assert said(daemon, "web").splitlines() == ["red web web/before.", str(daemon.home.path / "plugins" / "web")]
    assert "web/" not in str(sorted(daemon.rows()))


def test_a_command_before_that_fails_or_hangs_counts_like_a_crash(daemon: Daemon) -> None:
    daemon.home.supervision.update(delaysSeconds=[0.02], giveUpAfter=3)
    daemon.home.write()
    daemon.home.add_plugin("bad", child("ready"))
    daemon.home.add_plugin("slow", child("ready"), giveUpAfter=1)
    start_with(
        daemon,
        {
            "bad": {"commands": {"before": shell("echo no disk; exit 4")}, "policy": {"before": 5.0}},
            "slow": {"commands": {"before": shell("sleep 60 & sleep 60")}, "policy": {"before": 0.3, "grace": 0.2}},
        },
    )

    assert daemon.in_phase("bad", "failed")["cause"] == "the command before it failed: exit code 4: no disk"
    assert len(daemon.events("bad", "service.spawn_failed")) == 3
    assert daemon.events("bad", "service.started") == []
    assert "the command before it failed: not done within" in daemon.in_phase("slow", "failed")["cause"]
    eventually(lambda: not any("/before" in key for key in daemon.marked()), 5, "nothing of a command lives on")


def test_a_command_that_meets_a_limit_of_the_service_names_it(daemon: Daemon) -> None:
    daemon.home.add_plugin("web", child("ready"), giveUpAfter=1, limits={"fileMb": 1, "coreMb": 0})
    before = shell("echo begins; head -c 3000000 /dev/zero >big; exit $?")
    start_with(daemon, {"web": {"commands": {"before": before}, "policy": {"before": 5.0}}})

    cause = daemon.in_phase("web", "failed")["cause"]
    assert cause.startswith("the command before it failed: exit code ")
    assert cause.endswith(" (fileMb is 1)")


def test_a_stop_ends_the_command_before(daemon: Daemon) -> None:
    daemon.home.add_plugin("web", child("ready"))
    start_with(
        daemon, {"web": {"commands": {"before": shell("echo on; sleep 60")}, "policy": {"before": 50.0}}}, wait=False
    )
    eventually(lambda: "on" in said(daemon, "web"))

    daemon.ask("scheduler", "stop", names=["web"])

    daemon.in_phase("web", "stopped")
    assert daemon.events("web", "service.started") == []
    eventually(lambda: not any("/before" in key for key in daemon.marked()))


def test_a_command_before_goes_on_under_the_next_scheduler_and_its_end_is_known(daemon: Daemon) -> None:
    quick_scheduler(daemon)
    for name in ("here", "ended", "failing"):
        daemon.home.add_plugin(name, child("ready"))
    flag = daemon.home.path / "go"
    wait = f"echo on >> {daemon.home.path}/runs-$SB_PLUGIN; while ! test -e {flag}; do sleep 0.02; done"
    daemon.home.settings["core"]["scheduler"]["delaysSeconds"] = [0.4]
    daemon.home.write()
    policy = {"before": 20.0, "give_up": 1}
    start_with(
        daemon,
        {
            "here": {"commands": {"before": shell(f"{wait}; sleep 1")}, "policy": policy},
            "ended": {"commands": {"before": shell(wait)}, "policy": policy},
            "failing": {"commands": {"before": shell(f"{wait}; exit 7")}, "policy": policy},
        },
        wait=False,
    )
    names = ("here", "ended", "failing")
    runs = {name: daemon.home.path / f"runs-{name}" for name in names}
    daemon.rows()
    eventually(lambda: all(path.exists() for path in runs.values()))
    kill(daemon.pid("scheduler"))
    flag.touch()

    for name in ("here", "ended"):
        daemon.in_phase(name, "running")
    assert "exit code 7" in daemon.in_phase("failing", "failed")["cause"]
    assert {path.read_text() for path in runs.values()} == {"on\n"}, "none was run twice"


def test_a_stop_goes_through_its_command_and_several_signals_in_turn(daemon: Daemon) -> None:
    daemon.home.add_plugin("web", child("print_signals", "stay"))
    rungs = {"stop_first": [[signal.SIGUSR1, 0.15], [signal.SIGINT, 0.15]], "stop_command": 5.0, "grace": 0.15}
    command = shell("echo asked $SB_MAIN_PID")
    start_with(daemon, {"web": {"commands": {"stop": command}, "policy": rungs}})
    eventually(lambda: "ready" in daemon.home.log("web"))
    pid = daemon.row("web")["pid"]

    daemon.ask("scheduler", "stop", names=["web"])

    daemon.in_phase("web", "stopped")
    assert said(daemon, "web") == f"asked {pid}\n"
    heard = daemon.home.log("web").splitlines()[1:]
    assert "got SIGCONT" in heard  # had it been suspended, it could not have obeyed
    assert [line for line in heard if line != "got SIGCONT"] == ["got SIGUSR1", "got SIGINT", "got SIGTERM"]
    assert len(daemon.events("web", "service.killed")) == 1
    assert not alive(pid)


def test_the_command_after_the_end_knows_how_it_ended(daemon: Daemon) -> None:
    daemon.home.supervision["delaysSeconds"] = [0.05]
    daemon.home.write()
    daemon.home.add_plugin("web", child("crash_after", 0.05, 7), giveUpAfter=2)
    daemon.home.add_plugin("other", child("ready"))
    command = shell('echo "code=$SB_EXIT_CODE signal=$SB_EXIT_SIGNAL cause=$SB_CAUSE"')
    after = {"commands": {"afterEnd": command}, "policy": {"after_end": 5.0}}
    start_with(daemon, {"web": after, "other": after})

    daemon.in_phase("web", "failed")
    kill(daemon.row("other")["pid"])

    assert said(daemon, "web") == "code=7 signal= cause=exit-code\n" * 2
    eventually(lambda: said(daemon, "other") == "code= signal=SIGKILL cause=signal\n")
    eventually(lambda: daemon.home.log("other").count("ready") == 2)
    daemon.ask("scheduler", "stop", names=["other"])
    daemon.in_phase("other", "stopped")
    assert said(daemon, "other").endswith("code=0 signal= cause=stopped\n")


def test_a_service_reloads_by_its_signal_or_its_command(daemon: Daemon) -> None:
    daemon.home.add_plugin("by-signal", shell(SERVER))
    daemon.home.add_plugin("by-command", child("ready"))
    daemon.home.add_plugin("not", child("ready"))
    command = shell("echo reload $SB_MAIN_PID; exit 2")
    start_with(daemon, {"by-signal": {"reload_signal": 1}, "by-command": {"commands": {"reload": command}}})
    eventually(lambda: "ready" in daemon.home.log("by-signal"))
    before = daemon.rows()

    daemon.ask("scheduler", "reload_service", names=["by-*"])

    eventually(lambda: "reloaded" in daemon.home.log("by-signal"))
    failed = eventually(lambda: daemon.events("by-command", "service.command_failed"))
    assert failed[0]["text"].endswith(f"exit code 2: reload {before['by-command']['pid']}")
    assert {name: row["pid"] for name, row in daemon.rows().items()} == {n: row["pid"] for n, row in before.items()}
    with pytest.raises(Problem, match="not has no way to read its settings again") as caught:
        daemon.ask("scheduler", "reload_service", names=["by-signal", "not"])
    assert "plugins/not/manifest.json" in caught.value.remedy
    assert daemon.home.log("by-signal").count("reloaded") == 1
