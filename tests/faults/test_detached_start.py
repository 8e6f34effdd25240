"""R28, R27: a detached start with stdin closed, no terminal, and no endpoint in the world that answers.

Nothing before "ready" may wait for the network, and nothing after it for whoever was to read what is said: stdout
closed, a pipe without a reader, a full device.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.children import child
from support.daemon import Daemon
from support.endpoints import Endpoint, SilentNameServer, endpoints, never
from support.home import LAUNCHER, TemporaryHome
from support.scheduling import NOTES_ITS_SLOT, add_steps, add_task
from support.waiting import eventually

READY_S = 5.0
NAME = "never.answered.test"
# In a mount namespace of its own, where the only name server is the silent one; then without a stdin.
DEAF_TO_NAMES = 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@" <&-'


@pytest.fixture
def blackhole() -> Iterator[Endpoint]:
    with endpoints(never) as [endpoint]:
        yield endpoint


@pytest.fixture
def names() -> Iterator[SilentNameServer]:
    server = SilentNameServer(f"127.77.{os.getpid() >> 8 & 255}.{os.getpid() & 255 or 1}")
    yield server
    server.close()


@pytest.fixture
def deaf_home(home: TemporaryHome, blackhole: Endpoint) -> TemporaryHome:
    """Whatever a start could ask is asked, each second or so."""
    often: dict[str, Any] = {"intervalSeconds": 0.3, "timeoutSeconds": 2}
    home.scheduler["checks"] = {
        "site": {"http": blackhole.url("/health"), **often},
        "name": {"http": f"http://{NAME}/", **often},
    }
    often.update(failures=1000, onFailure="degrade")
    home.add_plugin("web", child("ready"), alive={"http": blackhole.url(), **often})
    home.add_plugin("named", child("ready"), alive={"http": f"http://{NAME}/", **often})
    home.add_plugin("plain", child("ready"))
    for check in home.scheduler["checks"]:
        add_steps(home, f"needs-{check}", get=NOTES_ITS_SLOT)
        add_task(home, f"needs-{check}", intervalSeconds=1, check=check)
    return home


@pytest.mark.root
def test_it_is_ready_in_five_seconds_and_stays_up(
    deaf_home: TemporaryHome, blackhole: Endpoint, names: SilentNameServer, tmp_path: Path
) -> None:
    start_unheard(deaf_home, names, tmp_path)
    check_stays_up(deaf_home, blackhole, names, ticks=3)


@pytest.mark.slow
@pytest.mark.root
@pytest.mark.timeout(120)
def test_it_stays_up_for_a_minute(
    deaf_home: TemporaryHome, blackhole: Endpoint, names: SilentNameServer, tmp_path: Path
) -> None:
    start_unheard(deaf_home, names, tmp_path)
    check_stays_up(deaf_home, blackhole, names, ticks=60)


def start_unheard(home: TemporaryHome, names: SilentNameServer, folder: Path) -> None:
    resolv = folder / "resolv.conf"
    resolv.write_text(f"nameserver {names.address}\n")
    words = ["/bin/sh", "-c", DEAF_TO_NAMES, "sh", resolv]
    alone = ["unshare", "--mount", "--propagation", "private"]
    if home.run([*alone, *words, "true"]).code:
        pytest.skip("no mount namespace is to be had here")
    home.sbctl("config", "check")  # whatever a first use costs is not what is measured
    began = time.monotonic()
    done = home.run([*alone, "setsid", *words, LAUNCHER, "start"])

    assert done.code == 0, done
    assert time.monotonic() - began < READY_S


def check_stays_up(home: TemporaryHome, blackhole: Endpoint, names: SilentNameServer, ticks: int) -> None:
    pids = {role: home.pid(role) for role in ("start", "scheduler", "config")}
    before = tick(home)
    eventually(lambda: tick(home) >= before + ticks, ticks * 1.5 + 5)

    assert {role: home.pid(role) for role in pids} == pids
    rows = {row["name"]: row for row in services(home)}
    assert {row["state"] for row in rows.values()} <= {"running", "degraded"}, rows
    assert all(row["restarts"] == 0 for row in rows.values())
    eventually(lambda: blackhole.asked >= 2)  # by the probe and by the check
    eventually(names.asked)
    assert not (home.path / "started").exists()
    began = time.monotonic()
    assert home.sbctl("stop").code == 0
    assert time.monotonic() - began < READY_S
    assert home.pids() == []


def tick(home: TemporaryHome) -> int:
    return max((event["data"]["tick"] for event in home.events() if event["kind"] == "tick"), default=0)


def services(home: TemporaryHome) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = home.status()["services"]
    return found


# nobody to talk to

CLOSED = 'exec "$@" >&- 2>&-'
PIPE = 'mkfifo "$1" && { exec 9<>"$1"; exec 8>"$1"; exec 9<&-; shift; exec "$@" >&8 2>&8 8>&-; }'
FULL = 'exec "$@" >/dev/full 2>/dev/full'


@pytest.mark.slow
@pytest.mark.parametrize("how", [CLOSED, PIPE, FULL], ids=["closed", "pipe", "full"])
def test_whoever_can_not_be_told_is_not_waited_for(home: TemporaryHome, how: str) -> None:
    home.settings["config"]["enabled"] = False
    home.write()
    home.add_plugin("plain", child("ready"))
    words = [str(home.path / "fifo")] if "mkfifo" in how else []

    home.run(["/bin/sh", "-c", how, "sh", *words, LAUNCHER, "start"])

    eventually(lambda: tick(home) >= 2, 15, "it runs, and goes on running")
    assert {row["state"] for row in services(home)} == {"running"}
    for role in ("start", "scheduler"):
        pid = home.pid(role)
        assert pid is not None
        assert not holds(pid, "/dev/full", str(home.path / "fifo"))
    assert home.sbctl("stop").code == 0
    assert home.pids() == []


def holds(pid: int, *paths: str) -> bool:
    """Has it one of these as its stdin, stdout or stderr?"""
    return any(os.readlink(f"/proc/{pid}/fd/{fd}") in paths for fd in range(3))


@pytest.mark.slow
def test_nor_in_the_foreground(daemon: Daemon) -> None:
    """Each event is written to a full device."""
    daemon.home.add_plugin("plain", child("ready"))
    assert daemon.compile()["ok"]
    daemon.launch("--foreground", through=("/bin/sh", "-c", FULL, "sh"))
    daemon.settle()

    eventually(lambda: tick(daemon.home) >= 2, 15)
    assert daemon.row("plain")["state"] == "running"
    os.kill(daemon.pid("start"), signal.SIGHUP)
    eventually(lambda: daemon.events("", "signal.ignored"))
    assert daemon.stop() == 0
    assert daemon.home.pids() == []
