"""bin/run_automations.sh: for programs that call a script and read JSON."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.checkout import Checkout
from support.children import child
from support.home import ROOT, Result, TemporaryHome
from support.processes import alive, kill
from support.waiting import eventually

from supervisor.base import proc

SCRIPT = ROOT / "bin" / "run_automations.sh"


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    made = Checkout(tmp_path)
    yield made
    made.end()


@pytest.fixture
def quiet(home: TemporaryHome) -> TemporaryHome:
    """A home without a config server, which none of this is about."""
    home.settings["config"] = {"enabled": False}
    home.write()
    return home


def automations(home: TemporaryHome, *args: str, **more: Any) -> Result:
    return home.run([SCRIPT, *args], **more)


@pytest.mark.parametrize("args", [[], ["reload"], ["start", "now"], [""]])
def test_wrong_usage(checkout: Checkout, args: list[str]) -> None:
    result = checkout.run(*args, command=[str(checkout.root / "bin" / "run_automations.sh")])

    assert result == (2, "", "usage: run_automations.sh start|stop|status|restart\n")


@pytest.mark.parametrize(
    ("verb", "asked"),
    [
        ("start", ["start"]),
        ("stop", ["stop", "--timeout", "5"]),
        ("restart", ["restart", "--timeout", "5"]),
    ],
)
def test_verbs_from_elsewhere_by_a_link(checkout: Checkout, tmp_path: Path, verb: str, asked: list[str]) -> None:
    link = tmp_path / "a link"
    link.symlink_to(checkout.root / "bin" / "run_automations.sh")

    assert checkout.told(verb, command=[str(link)], cwd=Path("/"), SB_VENV=sys.prefix)["args"] == asked


def test_status_is_json_even_when_sbctl_can_say_nothing(checkout: Checkout) -> None:
    (checkout.root / "supervisor/cli/hot.py").write_text("import sys; sys.exit('error: no home found')")

    script = str(checkout.root / "bin" / "run_automations.sh")
    result = checkout.run("status", command=[script], SB_VENV=sys.prefix)

    assert json.loads(result.out) == {"pid": None, "running": False, "last_activity": None, "ticks": 0}
    assert "no home found" in result.err


def test_a_day_with_it(quiet: TemporaryHome) -> None:
    quiet.add_plugin("good", child("ready"))

    stopped = automations(quiet, "status")
    assert (stopped.code, stopped.json()["running"], stopped.json()["pid"]) == (3, False, None)

    assert automations(quiet, "start").code == 0
    first = quiet.pid("start")
    assert automations(quiet, "start").code == 0
    assert quiet.pid("start") == first

    status = automations(quiet, "status")
    told = status.json()
    assert (status.code, told["running"], told["pid"]) == (0, True, first)
    assert isinstance(told["ticks"], int)
    assert told["last_activity"].startswith("20")
    assert {row["name"] for row in told["services"]} == {"scheduler", "good"}

    assert automations(quiet, "restart").code == 0
    assert quiet.pid("start") not in (None, first)

    assert automations(quiet, "stop").code == 0
    assert automations(quiet, "stop").code == 0
    assert quiet.pids() == []


@pytest.mark.slow
def test_stop_takes_five_seconds_at_most(quiet: TemporaryHome) -> None:
    quiet.add_plugin("deaf", child("ignore_term"), stop={"graceSeconds": 60})
    assert automations(quiet, "start").code == 0
    eventually(lambda: "ready" in quiet.log("deaf"), message="the deaf one is deaf")

    began = time.monotonic()
    assert automations(quiet, "stop").code == 0

    assert 3.0 < time.monotonic() - began < 6.5
    assert quiet.pids() == []


def test_pid_files_of_a_killed_tree_are_cleaned_up(quiet: TemporaryHome) -> None:
    assert automations(quiet, "start").code == 0
    kill(quiet.pid("start") or 0)
    eventually(lambda: quiet.pids() == [], message="what it ran ends with it")
    (quiet.path / "logs" / "scheduler.pid").write_text("1\n")  # somebody else's by now: not to be believed

    assert (automations(quiet, "status").code, quiet.pid("start"), quiet.pid("scheduler")) == (1, None, None)
    assert automations(quiet, "status").code == 3
    assert alive(1)


def test_it_becomes_what_does_the_work(quiet: TemporaryHome) -> None:
    """So a signal to it, or to its group, reaches that, and nobody in between holds the group or hides the end."""
    quiet.add_plugin("deaf", child("ignore_term"), stop={"graceSeconds": 60})
    assert automations(quiet, "start").code == 0
    eventually(lambda: "ready" in quiet.log("deaf"), message="the deaf one is deaf")

    with subprocess.Popen(
        [SCRIPT, "stop"], env=quiet.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        eventually(lambda: "hot.py stop --timeout 5" in proc.command_of(process.pid))
        assert proc.Children(process.pid).read() == []
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) in (-signal.SIGTERM, 128 + signal.SIGTERM)
