"""R01: the scheduler is killed just after it asked for a spawn, a moment that random kills never hit.

No service twice, none unknown, no exit given to another, no line lost: the promise of the protocol.
"""

from __future__ import annotations

import random
import threading
from collections import Counter

import pytest
from support.children import child
from support.daemon import Daemon
from support.home import TemporaryHome
from support.numbers import check_numbers
from support.processes import kill
from support.waiting import eventually

WRITERS, VICTIMS = 4, 4


def test_quick(home: TemporaryHome) -> None:
    play(home, rounds=15, seed=random.randrange(10**6))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_hundred(home: TemporaryHome) -> None:
    play(home, rounds=200, seed=random.randrange(10**6))


def play(home: TemporaryHome, *, rounds: int, seed: int) -> None:
    daemon = prepare(home)
    chance = random.Random(seed)
    print(f"seed {seed}")
    before = {name: daemon.row(name)["pid"] for name in writers()}
    for number in range(rounds):
        scheduler = daemon.pid("scheduler")
        victim = f"victim{chance.randrange(VICTIMS)}"
        pid = current_pid(daemon, victim)
        killer = threading.Timer(chance.uniform(0, 0.004), kill, [scheduler])
        killer.start()
        if pid is not None:
            kill(pid)
        if number % 4 == 0:
            killer.join()
            eventually(lambda old=scheduler: daemon.home.pid("scheduler") not in (old, None), 10)
            kill(daemon.pid("scheduler"))
        killer.join()
        eventually(lambda old=scheduler: daemon.home.pid("scheduler") not in (old, None), 10)
    daemon.settle()
    check(daemon, before)


def writers() -> list[str]:
    return [f"writer{number}" for number in range(WRITERS)]


def prepare(home: TemporaryHome) -> Daemon:
    many = {"fastCrashSeconds": 0.001, "windowDeaths": 100_000}
    home.supervision.update(many)
    home.settings["config"]["enabled"] = False
    # On a busy machine several in a row are killed before they are ready, which would soon be one too many.
    home.settings["core"] = {"scheduler": {**many, "giveUpAfter": 100_000, "delaysSeconds": [0.01]}}
    home.write()
    for name in writers():
        home.add_plugin(name, child("spew", 0, 2000))
    for number in range(VICTIMS):
        home.add_plugin(f"victim{number}", ["/bin/sh", "-c", f"sleep 0.{number + 1}; exit {10 + number}"])
    return Daemon(home).start()


def current_pid(daemon: Daemon, name: str) -> int | None:
    """From the PID file: asking the scheduler would wait for it."""
    try:
        return int((daemon.home.path / "logs" / name / "server.pid").read_text())
    except (FileNotFoundError, ValueError):
        return None


def check(daemon: Daemon, before: dict[str, int]) -> None:
    rows = daemon.rows()
    for name, pid in before.items():
        assert rows[name]["pid"] == pid, f"{name} was restarted"
    eventually(lambda: no_doubles(daemon), 10, "each service has exactly one main process")
    check_exits(daemon.home)
    assert daemon.stop() == 0
    for name in before:
        check_numbers(daemon.home, name)
    assert daemon.home.pids() == []


def no_doubles(daemon: Daemon) -> bool:
    """Keys of live processes: one generation a service, and it is the one that is shown."""
    generations = Counter(key.rpartition(".")[0] for key in daemon.marked() if not key.startswith("scheduler"))
    doubled = {name: count for name, count in generations.items() if count > 1}
    assert not doubled, doubled
    return True


def check_exits(home: TemporaryHome) -> None:
    """Each life has at most one end, and it is its own: victim2 ends with 12 or by our SIGKILL, never with 11."""
    ends: Counter[str] = Counter()
    for event in home.events():
        if event["kind"] != "service.exited" or not event["service"].startswith("victim"):
            continue
        cause = event["data"]["cause"]
        ends[event["data"]["key"]] += 1
        own = 10 + int(event["service"].removeprefix("victim"))
        assert cause["code"] == own or cause["signal"] == "SIGKILL", event
    assert [key for key, count in ends.items() if count > 1] == []
    for number in range(VICTIMS):
        lives = sorted(int(key.rpartition(".")[2]) for key in ends if key.startswith(f"victim{number}."))
        assert lives == list(range(1, len(lives) + 1)), f"a life of victim{number} has no end: {lives}"
