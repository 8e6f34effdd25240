"""Why a server ended: the verdict and the last words that a person is shown."""

from __future__ import annotations

import json
import os
import socket
from typing import Any

import pytest
from support.children import child
from support.daemon import PYTHON, Daemon
from support.home import TemporaryHome
from support.processes import kill
from support.waiting import eventually

BIND = "import socket, sys; socket.create_server(('127.0.0.1', int(sys.argv[1])))"


@pytest.fixture
def ended(daemon: Daemon) -> Daemon:
    """Servers end once and stay down, so that each has one cause."""
    daemon.home.supervision.update(giveUpAfter=1)
    daemon.home.write()
    return daemon


def cause_of(daemon: Daemon, name: str) -> dict[str, Any]:
    eventually(lambda: daemon.row(name)["state"] in ("failed", "stopped"), 10, f"{name} is down")
    events = daemon.events(name, "service.exited") + daemon.events(name, "service.spawn_failed")
    cause: dict[str, Any] = events[-1]["data"]["cause"]
    return cause


def test_what_keeps_a_server_from_starting_is_named(ended: Daemon) -> None:
    home = ended.home
    program = home.path / "plugins" / "not-a-program"
    program.write_text("#!/bin/sh\n")
    script = home.path / "plugins" / "no-interpreter"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    home.add_plugin("missing", ["no-such-program"])
    home.add_plugin("missing-path", ["/no/such/program"])
    home.add_plugin("not-executable", [str(program)])
    home.add_plugin("directory", [str(home.path)])
    home.add_plugin("interpreter", [str(script)])
    home.add_plugin("folder", child("ready"), manifest={"cwd": "no/such/folder"})
    ended.start()

    kinds = {name: cause_of(ended, name)["kind"] for name in ended.rows() if name != "scheduler"}

    assert kinds == {
        "missing": "not-found",
        "missing-path": "not-found",
        "not-executable": "not-executable",
        "directory": "not-executable",
        "interpreter": "not-found",
        "folder": "bad-folder",
    }
    assert "no-such-program" in cause_of(ended, "missing")["text"]
    assert "no/such/folder" in cause_of(ended, "folder")["text"]


def test_how_a_server_ended_is_named(ended: Daemon) -> None:
    home = ended.home
    with socket.create_server(("127.0.0.1", home.port)):
        home.add_plugin("taken", [PYTHON, "-c", BIND, str(home.port)])
        home.add_plugin("signal", child("crash_after", 0, -11))
        home.add_plugin("code", child("crash_after", 0, 3))
        home.add_plugin("clean", child("crash_after", 0, 0), restart="on-failure")
        ended.start()
        causes = {name: cause_of(ended, name) for name in ("taken", "signal", "code", "clean")}

    assert {name: cause["kind"] for name, cause in causes.items()} == {
        "taken": "port-in-use",
        "signal": "signal",
        "code": "exit-code",
        "clean": "clean",
    }
    assert causes["signal"]["signal"] == "SIGSEGV"
    assert causes["code"]["words"] == ["ready", "ending with 3"]
    assert "Address already in use" in causes["taken"]["words"][-1]


def test_a_limit_that_a_server_met_is_named(ended: Daemon) -> None:
    fill = "while True: open('full', 'ab').write(bytes(1 << 20))"
    ended.home.add_plugin("file", [PYTHON, "-c", fill], limits={"fileMb": 1})  # it is told, and doesn't die of a signal
    ended.home.add_plugin("space", child("ready"), limits={"addressSpaceMb": 1})
    burn = [PYTHON, "-c", "while True: pass"]
    ended.home.add_plugin("processor", burn, restart="never", limits={"cpuTimeSeconds": 1})
    ended.start()

    causes = {name: cause_of(ended, name)["text"] for name in ("file", "space", "processor")}

    assert causes["space"].endswith(" (addressSpaceMb is 1)")
    assert causes["file"] == "exit code 1: OSError: [Errno 27] File too large (fileMb is 1)"
    assert causes["processor"].startswith("killed by SIG")
    assert causes["processor"].endswith(" (cpuTimeSeconds is 1)")


def test_the_last_words_are_those_of_the_last_life(daemon: Daemon) -> None:
    daemon.home.supervision.update(giveUpAfter=3, delaysSeconds=[0.01])
    daemon.home.write()
    daemon.home.add_plugin("server", ["/bin/sh", "-c", "echo life $$; exit 1"])
    daemon.start()
    daemon.in_phase("server", "failed")

    words = [event["data"]["cause"]["words"] for event in daemon.events("server", "service.exited")]

    assert [len(each) for each in words] == [1, 1, 1]
    assert len({each[0] for each in words}) == 3


def test_a_server_killed_by_a_person_is_not_called_stopped(daemon: Daemon) -> None:
    daemon.home.add_plugin("server", child("ready"))
    daemon.start()
    kill(daemon.row("server")["pid"])

    event = eventually(lambda: daemon.events("server", "service.exited"))[0]

    assert (event["data"]["cause"]["kind"], event["data"]["cause"]["signal"]) == ("signal", "SIGKILL")


def test_a_user_that_can_not_be_switched_to_is_named(ended: Daemon) -> None:
    """Not even root may become this one; nobody else may become anyone."""
    who = {"uid": 65534, "groups": [2**32 - 1]} if os.geteuid() == 0 else {"uid": 0, "groups": []}
    ended.home.add_plugin("server", child("ready"))
    assert ended.compile()["ok"]
    set_user(ended.home, who)
    ended.launch()
    ended.settle()

    cause = cause_of(ended, "server")

    assert cause["kind"] == "bad-user"
    assert "setpriv" in cause["words"][-1]


def set_user(home: TemporaryHome, who: dict[str, Any]) -> None:
    """What the compiler would refuse, or what has changed since it looked."""
    path = home.path / "logs" / "run" / "settings" / "current" / "scheduler.json"
    data = json.loads(path.read_text())
    for service in data["services"]:
        service["launch"]["user"] = {"name": "ghost", "gid": 65534, "home": "/", **who}
    path.write_text(json.dumps(data))


def test_long_last_words_in_any_script_cost_no_note(daemon: Daemon) -> None:
    """30 lines of 1,000 wide characters, twice in a state, would not fit into one message to `start`."""
    text = "import os, signal\nprint(('\\U0001F600' * 2000 + '\\n') * 40, flush=True)\n"
    text += "if os.fork():\n    os._exit(3)\n"
    text += "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: signal.pause()\n"
    daemon.home.supervision.update(graceSeconds=1)
    daemon.home.write()
    daemon.home.add_plugin("loud", [PYTHON, "-c", text], giveUpAfter=1)  # it alone, not the scheduler that is killed
    daemon.home.add_plugin("other", child("ready"))
    daemon.start()
    daemon.in_phase("loud", "failed")

    assert "Traceback" not in (daemon.home.path / "logs" / "scheduler.out").read_text()
    daemon.kill_scheduler()
    eventually(lambda: daemon.row("loud")["state"] == "failed")
    assert len(daemon.events("loud", "service.exited")) == 1


def test_more_environment_than_a_message_takes_is_the_services_fault(ended: Daemon) -> None:
    """Each value would be taken by the system; together they don't fit into one request to `start`."""
    env = {f"LONG{number}": "x" * 9_900 for number in range(30)}
    ended.home.add_plugin("large", child("ready"), manifest={"env": env})
    ended.home.add_plugin("other", child("ready"))
    ended.start()

    row = ended.in_phase("large", "failed")

    assert "too long" in row["cause"]
    assert ended.row("other")["state"] == "running"
    assert "Traceback" not in (ended.home.path / "logs" / "scheduler.out").read_text()
