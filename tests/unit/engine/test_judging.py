"""Why a server has ended: which of its limits it has met, by the same rule as a step."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.fakes import FakeWorld, spec

from supervisor.core.machine import State
from supervisor.engine import port_holder
from supervisor.engine.judging import judge_end
from supervisor.engine.service import Service
from supervisor.model.cause import CauseKind
from supervisor.model.check import TCP, Check
from supervisor.model.limits import UNLIMITED, KernelLimits
from supervisor.model.service import Phase

MIB = 1 << 20
MAPPED = "sh: error while loading shared libraries: libc.so.6: failed to map segment from shared object"


@pytest.fixture
def server(tmp_path: Path) -> Service:
    world = FakeWorld()
    its = spec()
    its.launch.log = str(tmp_path / "server.log")
    world.engine.load([its])
    world.engine.spawned("server.1", 41, 1)
    world.loop.close()
    return world.engine.services["server"]


def text(server: Service, status: int, words: str = "", used_ms: int | None = None, **rlimits: int) -> str:
    Path(server.spec.launch.log).write_text(words)
    server.spec.launch.limits = KernelLimits(rlimits={name: (amount, amount) for name, amount in rlimits.items()})
    return judge_end(server, status, None, None, None if used_ms is None else (used_ms, 0)).text


@pytest.mark.parametrize(
    ("status", "words", "used_ms", "rlimits", "expected"),
    [
        (137 << 8, "", 1000, {"cpu": 1}, "exit code 137: 1.00 s of processor time used (cpuTimeSeconds is 1)"),
        (9, "", 1999, {"cpu": 1}, "killed by SIGKILL: 2.00 s of processor time used (cpuTimeSeconds is 1)"),
        (signal.SIGXCPU, "", None, {"cpu": 1}, "killed by SIGXCPU (cpuTimeSeconds is 1)"),
        (9, "", 620, {"cpu": 1}, "killed by SIGKILL: 0.62 s of processor time used (cpuTimeSeconds is 1)"),
        (9, "", 999, {"cpu": 1}, "killed by SIGKILL: 1.00 s of processor time used (cpuTimeSeconds is 1)"),
        (153 << 8, "", None, {"fsize": MIB}, "exit code 153 (fileMb is 1)"),
        (signal.SIGSEGV | 0x80, "", None, {"as": MIB}, "killed by SIGSEGV (core dumped) (addressSpaceMb is 1)"),
        (127 << 8, MAPPED, None, {"as": MIB}, f"exit code 127: {MAPPED} (addressSpaceMb is 1)"),
        (1 << 8, "accept: Too many open files\nbye\n", None, {"nofile": 64},
         "exit code 1: accept: Too many open files (openFiles is 64)"),
    ],
)  # fmt: skip
def test_the_limit_that_it_met_is_named(
    server: Service, status: int, words: str, used_ms: int | None, rlimits: dict[str, int], expected: str
) -> None:
    assert text(server, status, words, used_ms, **rlimits) == expected
    assert " is " not in text(server, status, "", used_ms), "and not without it"


def test_what_no_limit_explains_stays_as_it_is(server: Service) -> None:
    assert text(server, 9, used_ms=500, cpu=1) == "killed by SIGKILL (by hand, or out of memory)"
    assert text(server, 9, used_ms=5000, cpu=UNLIMITED) == "killed by SIGKILL (by hand, or out of memory)"
    assert text(server, 0, "MemoryError", **{"as": MIB}) == "exit code 0"
    server.spec.policy.exit_signals = (signal.SIGXCPU,)
    assert text(server, signal.SIGXCPU, cpu=1) == "ended by SIGXCPU, as expected"


def test_the_kind_stays_so_what_follows_is_the_same(server: Service) -> None:
    server.spec.launch.limits = KernelLimits(rlimits={"fsize": (MIB, MIB)})
    assert judge_end(server, 153 << 8, None, None).kind is CauseKind.EXIT_CODE


def test_what_we_have_killed_met_no_limit(server: Service) -> None:
    server.state.kills = 1
    server.spec.launch.log = os.devnull
    server.spec.launch.limits = KernelLimits(rlimits={"cpu": (1, 1)})
    assert "cpuTimeSeconds" not in judge_end(server, 9, None, None, (5000, 0)).text


@pytest.fixture
def listener() -> Iterator[tuple[int, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock.getsockname()[1], sock


def test_a_port_that_is_taken_is_named_with_who_has_it(server: Service, listener: tuple[int, socket.socket]) -> None:
    port, sock = listener
    holder, idle = Service(spec("db"), State()), Service(spec("idle"), State())
    holder.pid = os.getpid()
    idle.pid = 1
    Path(server.spec.launch.log).write_text("OSError: [Errno 98] Address already in use\n")

    def told() -> str:
        return judge_end(server, 1 << 8, None, None, None, [server, idle, holder]).text

    assert told() == "its port is in use"
    server.spec.ready = Check(kind=TCP, shown="", host="127.0.0.1", port=port)
    assert told() == f"port {port} is in use", "by nobody of this home that runs"
    holder.state.has_process, holder.state.phase = True, Phase.RUNNING
    assert told() == f"port {port} is in use by db (pid {os.getpid()})"
    server.spec.alive = Check(kind=TCP, shown="", host="127.0.0.1", port=port + 1)
    assert told() == "its port is in use", "it has two"
    Path(server.spec.launch.log).write_text(f"bind 127.0.0.1:{port}: address already in use\n")
    assert told() == f"port {port} is in use by db (pid {os.getpid()})"
    sock.close()
    assert told() == f"port {port} is in use"


def test_a_port_of_which_only_its_check_knows_is_told_if_somebody_listens_there(
    server: Service, listener: tuple[int, socket.socket]
) -> None:
    """It may have wanted another one: a Unix socket, say."""
    port, sock = listener
    Path(server.spec.launch.log).write_text("cannot listen on /run/x.sock: Address already in use\n")
    server.spec.ready = Check(kind=TCP, shown="", host="127.0.0.1", port=port)

    assert judge_end(server, 1 << 8, None, None).text == f"port {port} is in use"
    sock.close()
    assert judge_end(server, 1 << 8, None, None).text == "its port is in use"


LISTENS = """
import os, socket, sys
sock = socket.create_server(("127.0.0.1", 0))
print(sock.getsockname()[1], flush=True)
sys.stdin.read()
"""


def test_who_listens_behind_a_shell_is_found(server: Service) -> None:
    command = ["/bin/sh", "-c", f"'{sys.executable}' -I -c '{LISTENS}'; exit 0"]
    shell = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert shell.stdin is not None
    assert shell.stdout is not None
    with shell.stdin, shell.stdout:
        port = int(shell.stdout.readline())
        holder = Service(spec("db"), State())
        holder.pid, holder.state.has_process, holder.state.phase = shell.pid, True, Phase.RUNNING
        Path(server.spec.launch.log).write_text(f"bind 127.0.0.1:{port}: address already in use\n")
        told = judge_end(server, 1 << 8, None, None, None, [server, holder]).text
    shell.wait()

    assert told == f"port {port} is in use by db (pid {shell.pid})"


def test_only_so_many_descriptors_are_looked_at(
    server: Service, listener: tuple[int, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, _ = listener
    looked: list[str] = []

    def noted(path: str) -> str:
        looked.append(path)
        return "/dev/null"

    monkeypatch.setattr(os, "readlink", noted)
    others = [Service(spec(f"other{number}"), State()) for number in range(500)]
    for other in others:
        other.pid, other.state.has_process, other.state.phase = os.getpid(), True, Phase.RUNNING
    Path(server.spec.launch.log).write_text(f"bind 127.0.0.1:{port}: address already in use\n")

    assert judge_end(server, 1 << 8, None, None, None, others).text == f"port {port} is in use"
    assert 0 < len(looked) <= port_holder.MOST_FDS
