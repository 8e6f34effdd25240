"""Which process is the same program, started by somebody else; and that its end is noticed."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.children import child
from support.fakes import FakeLoop, spec
from support.waiting import eventually

from supervisor.base import proc
from supervisor.engine import outside
from supervisor.engine.outside import Outside
from supervisor.model.launch import User
from supervisor.model.service import Spec

READY = tuple(child("ready"))
Start = Callable[..., int]


@pytest.fixture
def loop() -> Iterator[FakeLoop]:
    loop = FakeLoop()
    yield loop
    loop.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a program by hand, in the test's folder; says its pid once it is ready."""
    started: list[subprocess.Popen[bytes]] = []

    def run(*argv: str, cwd: Path = tmp_path, env: dict[str, str] | None = None, ready: bool = True) -> int:
        process = subprocess.Popen(
            argv or READY,
            cwd=cwd,
            env={"PATH": os.environ["PATH"], **(env or {})},
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        started.append(process)
        assert process.stdout
        if ready:
            assert process.stdout.readline() == b"ready\n"
        return process.pid

    yield run
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # what a shell has started, too
        process.wait()
        assert process.stdout
        process.stdout.close()


def service(folder: Path, *argv: str, name: str = "web") -> Spec:
    made = spec(name)
    made.launch.argv = argv or READY
    made.launch.cwd = str(folder)
    return made


def looked_at(loop: FakeLoop, *specs: Spec) -> dict[str, int]:
    return {name: pid for name, (pid, _) in Outside(loop).look(specs).items()}


def test_same_command_and_folder_is_the_same_program(loop: FakeLoop, start: Start, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    pid = start()
    (tmp_path / "link").symlink_to(tmp_path)

    assert Outside(loop).look([service(tmp_path)]) == {"web": (pid, proc.start_time(pid))}
    assert looked_at(loop, service(tmp_path / "link")) == {"web": pid}
    assert looked_at(loop, service(tmp_path / "other")) == {}
    assert looked_at(loop, service(tmp_path, *READY, "more")) == {}
    assert looked_at(loop, service(tmp_path, *READY[:-1])) == {}


@pytest.mark.parametrize("mark", ["SB_KEY", "SB_HOME_ID"])
def test_what_an_sbctl_has_started_is_not_outside(loop: FakeLoop, start: Start, tmp_path: Path, mark: str) -> None:
    start(env={mark: "web.1"})

    assert looked_at(loop, service(tmp_path)) == {}


def test_nor_is_what_lives_below_such_a_process(loop: FakeLoop, start: Start, tmp_path: Path) -> None:
    """Even with an environment of its own."""
    command = f"env -i {shlex.join(READY)}; true"
    start("/bin/sh", "-c", command, env={"SB_KEY": "shell.1"})

    assert looked_at(loop, service(tmp_path)) == {}


def test_another_user_s_program_is_another(loop: FakeLoop, start: Start, tmp_path: Path) -> None:
    start()
    theirs = service(tmp_path)
    theirs.launch.user = User(name="else", uid=os.geteuid() + 1, gid=0, groups=(), home="/")

    assert looked_at(loop, theirs) == {}


def test_the_interpreter_may_be_spelt_differently(loop: FakeLoop, start: Start, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "snake").symlink_to(os.path.realpath(sys.executable))
    pid = start()
    by_path = service(tmp_path, "snake", *READY[1:])
    by_path.launch.path_first = str(tmp_path / "bin")

    assert looked_at(loop, by_path) == {"web": pid}
    assert looked_at(loop, service(tmp_path, os.path.basename(READY[0]), *READY[1:])) == {"web": pid}
    assert looked_at(loop, service(tmp_path, "bin/snake", *READY[1:])) == {"web": pid}
    assert looked_at(loop, service(tmp_path, "cat", *READY[1:])) == {}


def test_a_script_is_found_behind_its_interpreter(loop: FakeLoop, start: Start, tmp_path: Path) -> None:
    script = tmp_path / "server"
    script.write_text("#!/bin/sh\necho ready\nread line\n")
    script.chmod(0o755)
    read_end, write_end = os.pipe()
    try:
        process = subprocess.Popen(
            ["./server", "-p", "80"], cwd=tmp_path, stdin=read_end, stdout=subprocess.PIPE, env={}
        )
        with process:
            assert process.stdout
            process.stdout.readline()
            assert looked_at(loop, service(tmp_path, "./server", "-p", "80")) == {"web": process.pid}
            assert looked_at(loop, service(tmp_path, "./server", "-p", "81")) == {}
            process.kill()
    finally:
        os.close(read_end)
        os.close(write_end)


def test_who_reads_a_script_does_not_run_it(loop: FakeLoop, start: Start, tmp_path: Path) -> None:
    script = tmp_path / "server"
    script.write_text("#!/bin/sh\nexit\n")
    pid = start("tail", "-f", "./server", ready=False)
    eventually(lambda: proc.words_of(pid)[:1] == [b"tail"])

    assert looked_at(loop, service(tmp_path, "./server")) == {}


def test_a_command_of_the_shell_is_compared_as_such(loop: FakeLoop, start: Start, tmp_path: Path) -> None:
    command = "echo ready; read line < /dev/zero; true"
    pid = start("sh", "-c", command)

    assert looked_at(loop, service(tmp_path, "/bin/sh", "-c", command)) == {"web": pid}
    assert looked_at(loop, service(tmp_path, "/bin/sh", "-c", command + " ")) == {}


def test_one_process_stands_in_for_one_service(loop: FakeLoop, start: Start, tmp_path: Path) -> None:
    pid = start()
    first, second = service(tmp_path, name="web:1"), service(tmp_path, name="web:2")
    outside = Outside(loop)
    assert list(outside.look([first, second])) == ["web:1"]

    watch = outside.watch("web:1", pid, proc.start_time(pid) or 0, lambda: None)

    assert outside.look([second]) == {}
    assert list(outside.look([second, first])) == ["web:1"]
    watch.cancel()
    assert list(outside.look([second])) == ["web:2"]


def test_the_oldest_of_several_is_the_one(loop: FakeLoop, start: Start, tmp_path: Path) -> None:
    pids = [start(), start()]
    at = {pid: (proc.start_time(pid), pid) for pid in pids}

    assert looked_at(loop, service(tmp_path)) == {"web": min(pids, key=lambda pid: at[pid])}


def test_what_is_known_to_be_ours_is_not_even_read(
    loop: FakeLoop, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, other = start(), start()
    read: list[int] = []
    words_of = proc.words_of
    monkeypatch.setattr(proc, "words_of", lambda pid: read.append(pid) or words_of(pid))

    found = Outside(loop).look([service(tmp_path)], {ours})

    assert found == {"web": (other, proc.start_time(other))}
    assert other in read
    assert ours not in read


def test_a_process_is_compared_only_with_what_it_might_be(
    loop: FakeLoop, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that have no arguments have the same words behind their program: none."""
    compared = [0]
    same_command = outside._same_command

    def count(*args: object) -> bool:
        compared[0] += 1
        return same_command(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(outside, "_same_command", count)
    many = [service(tmp_path, f"/nowhere/of-that-name-{number}", name=f"s{number:03}") for number in range(300)]
    pid = start("tail", "-f", "/dev/null", ready=False)
    eventually(lambda: proc.words_of(pid) == [b"tail", b"-f", b"/dev/null"])

    assert looked_at(loop, *many) == {}
    assert compared[0] == 0
    assert looked_at(loop, *many, service(tmp_path, "/bin/tail", "-f", "/dev/null")) == {"web": pid}


def test_its_end_is_told_once(loop: FakeLoop, start: Start) -> None:
    pid, told = start(), [0]
    outside = Outside(loop)
    outside.watch("web", pid, proc.start_time(pid) or 0, lambda: told.__setitem__(0, told[0] + 1))
    loop.run_soon()
    assert told == [0]

    os.kill(pid, signal.SIGKILL)

    eventually(lambda: (loop.run_soon(), told == [1])[1])
    loop.pass_time(60)
    assert told == [1]


def test_one_that_is_gone_already_is_told_in_a_later_turn(loop: FakeLoop) -> None:
    told = [0]
    Outside(loop).watch("web", os.getpid(), 1, lambda: told.__setitem__(0, told[0] + 1))
    assert told == [0]

    loop.run_soon()

    assert told == [1]


def test_a_cancelled_watch_says_nothing(loop: FakeLoop, start: Start) -> None:
    pid, told = start(), [0]
    watch = Outside(loop).watch("web", pid, proc.start_time(pid) or 0, lambda: told.__setitem__(0, 1))

    watch.cancel()
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not proc.is_alive(pid))
    loop.pass_time(60)

    assert told == [0]


def test_a_stranger_is_asked_once_however_many_services_it_might_be(
    loop: FakeLoop, tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand of one program, beside the thousand of another home, took a minute."""
    server = tmp_path / "server"
    server.write_text("#!/bin/sh\necho ready\nwhile :; do sleep 1; done\n")
    server.chmod(0o700)
    stranger = start("./server", env={"SB_KEY": "web.1"})  # of another home
    asked: list[int] = []
    environment_of = proc.environment_of
    monkeypatch.setattr(proc, "environment_of", lambda pid: asked.append(pid) or environment_of(pid))

    assert looked_at(loop, *(service(tmp_path, "./server", name=f"s{number}") for number in range(50))) == {}
    assert asked.count(stranger) == 1
