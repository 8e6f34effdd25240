"""R40: many clients at the same moment enable, disable and pause: what each of them was told last is what holds.

By a running scheduler; by commands that write the file themselves, while nothing runs; and by commands while the tree
comes and goes, so that now the one and now the other writes.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from support.children import child
from support.daemon import Daemon
from support.home import TemporaryHome
from support.scheduling import add_steps, add_task

CLIENTS = 8


def test_toggles(daemon: Daemon) -> None:
    play(daemon, 25)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_two_hundred_toggles(daemon: Daemon) -> None:
    play(daemon, 200)


def play(daemon: Daemon, toggles: int) -> None:
    """Half of them toggle a server, the others a schedule: all of it is in one file."""
    for number in range(CLIENTS):
        daemon.home.add_plugin(f"web{number}", child("ready"), autoStart=False)
        add_steps(daemon.home, f"job{number}", get="true")
        add_task(daemon.home, f"job{number}", intervalHours=1, runAtStart=False)
    daemon.start()
    begin = threading.Barrier(CLIENTS)

    def toggle(number: int) -> None:
        verbs = ("pause", "resume") if number % 2 else ("schedule_disable", "schedule_enable")
        with daemon.client("scheduler") as client:
            begin.wait(10)
            for turn in range(toggles + number % 3):
                client.request("disable" if turn % 2 == 0 else "enable", names=[f"web{number}"], by=f"client{number}")
                client.request(verbs[turn % 2], names=[f"job{number}"], by=f"client{number}")

    at_once(toggle)

    for where in ("", "after the next start"):
        on_disk = json.loads((daemon.home.path / "logs" / "state.json").read_bytes())
        rows = daemon.rows()
        schedules = {row["id"]: row for row in daemon.ask("scheduler", "schedules", names=[])["schedules"]}
        for number in range(CLIENTS):
            is_down = (toggles + number % 3) % 2 == 1
            assert on_disk["services"][f"web{number}"]["enabled"] is not is_down, f"{number} {where}"
            assert rows[f"web{number}"]["enabled"] is not is_down, f"{number} {where}"
            row = schedules[f"job{number}"]
            assert (bool(row["paused"]) if number % 2 else not row["enabled"]) is is_down, f"{number} {where}: {row}"
        if not where:
            assert daemon.stop() == 0
            daemon.start()


def at_once(call: Callable[[int], Any], count: int = CLIENTS) -> list[Any]:
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(call, range(count)))


@pytest.fixture
def quiet(home: TemporaryHome) -> TemporaryHome:
    home.settings["config"] = {"enabled": False}
    home.write()
    for number in range(CLIENTS):
        home.add_plugin(f"web{number}", child("ready"))
        add_steps(home, f"job{number}", get="true")
        add_task(home, f"job{number}", intervalHours=1, runAtStart=False)
    return home


@pytest.mark.slow
def test_commands_while_nothing_runs(quiet: TemporaryHome) -> None:
    assert quiet.sbctl("start").code == 0
    assert quiet.sbctl("stop").code == 0

    def change(number: int) -> list[int]:
        return [
            quiet.sbctl("disable", f"web{number}").code,
            quiet.sbctl("pause", f"job{number}").code,
        ]

    assert at_once(change) == [[0, 0]] * CLIENTS

    assert wishes(quiet) == (set(range(CLIENTS)), set(range(CLIENTS)))


def wishes(home: TemporaryHome) -> tuple[set[int], set[int]]:
    """Which servers are disabled, and which schedules paused."""
    content = json.loads((home.path / "logs" / "state.json").read_bytes())
    disabled = {int(name.removeprefix("web")) for name, row in content["services"].items() if not row["enabled"]}
    paused = {int(name.removeprefix("job")) for name, row in content.get("schedules", {}).items() if row.get("paused")}
    return disabled, paused


def test_commands_while_the_tree_comes_and_goes(quiet: TemporaryHome) -> None:
    come_and_go(quiet, 2)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_many_commands_while_the_tree_comes_and_goes(quiet: TemporaryHome) -> None:
    come_and_go(quiet, 40)


def come_and_go(home: TemporaryHome, rounds: int) -> None:
    assert home.sbctl("start").code == 0
    is_over = threading.Event()

    def restart() -> None:
        while not is_over.is_set():
            for verb in ("stop", "start"):
                done = home.sbctl(verb, timeout=50)
                assert done.code == 0, done

    with ThreadPoolExecutor(1) as pool:
        restarting = pool.submit(restart)
        try:
            for turn in range(rounds):
                wish(home, "disable" if turn % 2 == 0 else "enable")
        finally:
            is_over.set()
            restarting.result(60)


def wish(home: TemporaryHome, verb: str) -> None:
    """Each client wishes the same of its own server; all who were told that it was done find it so."""
    results = at_once(lambda number: home.sbctl(verb, f"web{number}", timeout=50))
    disabled, _ = wishes(home)
    told = 0
    for number, result in enumerate(results):
        assert "Traceback" not in result.err, result
        if result.out.startswith((f"web{number} is {verb}d", f"web{number} was {verb}d already")):
            told += 1
            assert (number in disabled) is (verb == "disable"), f"{verb} web{number}: {disabled} {result}"
    assert told, results
