"""`status --watch`: on a terminal, as lines of JSON, and how it ends."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from support.fake_daemon import FakeDaemon, row

from supervisor.base.where import ROOT
from supervisor.cli.commands.status import CLEAR, EVERY_S
from supervisor.cli.commands.status import command as status
from supervisor.model.home import Home

HOT = [sys.executable, "-I", "-S", os.path.join(ROOT, "supervisor", "cli", "hot.py")]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    (tmp_path / "etc").mkdir()
    home = Home(str(tmp_path))
    detail = "a detail that is longer than a narrow terminal has room for, by far and without any doubt whatsoever"
    with FakeDaemon(home, "start", [row("scheduler")]), FakeDaemon(home, "scheduler", [row("web", detail=detail)]):
        yield home


@pytest.mark.parametrize(
    ("args", "every", "names"),
    [
        (["--watch"], EVERY_S, []),
        (["--watch", "web"], EVERY_S, ["web"]),
        (["web", "--watch"], EVERY_S, ["web"]),
        (["--watch", "5"], 5.0, []),
        (["--watch", "500ms", "web"], 0.5, ["web"]),
        (["--watch=1m", "web"], 60.0, ["web"]),
        (["--watch", "--json"], EVERY_S, []),
        (["web"], None, ["web"]),
    ],
)
def test_the_time_may_be_left_out(args: list[str], every: float | None, names: list[str]) -> None:
    context = status.make_context("status", list(args))
    assert (context.params["every"], list(context.params["names"])) == (every, names)


def test_a_time_that_is_none() -> None:
    with pytest.raises(click.UsageError, match="no duration"):
        status.make_context("status", ["--watch=soon"])


def test_too_often_is_refused(home: Home) -> None:
    words = [*HOT, "--home", home.path, "status", "--watch", "0"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=20)
    assert (done.returncode, done.stdout) == (2, "")
    assert "at least 0.2" in done.stderr


def test_one_object_a_line_until_ctrl_c(home: Home) -> None:
    words = [*HOT, "--home", home.path, "status", "--watch", "200ms", "--json", "web"]
    going = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert going.stdout is not None
    seen = [json.loads(going.stdout.readline()) for _ in range(3)]
    going.send_signal(signal.SIGINT)
    _, err = going.communicate(timeout=10)
    assert [[service["name"] for service in one["services"]] for one in seen] == [["web"]] * 3
    assert (going.returncode, err.strip()) == (130, b"")


def test_a_terminal_that_gets_another_size_is_drawn_anew(home: Home) -> None:
    """At once, though the next look would come in a minute only."""
    ours, theirs = pty.openpty()
    resize(theirs, 200)
    words = [*HOT, "--home", home.path, "status", "--watch", "1m"]
    env = {**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8"}
    # In a session of its own with that terminal, so that the kernel tells it of the new size.
    code = "import fcntl, os, sys, termios; os.setsid(); fcntl.ioctl(1, termios.TIOCSCTTY, 0)\n"
    code += "os.execv(sys.argv[1], sys.argv[1:])"
    going = subprocess.Popen([sys.executable, "-c", code, *words], stdin=theirs, stdout=theirs, stderr=theirs, env=env)
    os.close(theirs)
    try:
        wide = read_until(ours, b"whatsoever")
        assert wide.count(CLEAR.encode()) == 1
        resize(ours, 80)
        narrow = read_until(ours, "…".encode())
        assert CLEAR.encode() in narrow
        assert interrupted(ours, going) == 130
    finally:
        going.kill()
        going.wait()
        os.close(ours)


def test_the_head_stays_on_a_low_terminal(home: Home) -> None:
    """A redraw that is longer than the screen would scroll it away."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 4, 60, 0, 0))
    words = [*HOT, "--home", home.path, "status", "--watch", "200ms"]
    env = {**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8"}
    going = subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs, env=env)
    os.close(theirs)
    try:
        shown = b""
        while shown.count(CLEAR.encode()) < 2:  # one look at the terminal may bring a part of a screen, or two
            shown += read_until(ours, CLEAR.encode())
        lines = shown.split(CLEAR.encode())[1].decode().strip().splitlines()
        assert lines[0].startswith("sbctl ")
        assert lines[-1] == "… and 2 more"
        assert len(lines) == 3
        assert max(map(len, lines)) <= 60
    finally:
        going.kill()
        going.wait()
        os.close(ours)


def test_an_exit_code_of_what_never_ends_is_refused(home: Home) -> None:
    words = [*HOT, "--home", home.path, "status", "--watch", "--check"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=20)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--watch or --check, not both" in done.stderr


def interrupted(terminal: int, going: subprocess.Popen[bytes]) -> int | None:
    """Ctrl-C, and again as a person would: Python loses one that comes in the middle of an import."""
    for _ in range(3):
        os.write(terminal, b"\x03")
        try:
            return going.wait(timeout=4)
        except subprocess.TimeoutExpired:
            continue
    return None


def resize(terminal: int, columns: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))


def read_until(fd: int, end: bytes) -> bytes:
    found = b""
    until = time.monotonic() + 20
    while end not in found:
        assert time.monotonic() < until, found
        found += os.read(fd, 65536)
    return found
