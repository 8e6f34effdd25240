"""What `start --foreground` prints, whatever stdout is and however its reader does."""

from __future__ import annotations

import json
import os
import resource
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor.base.clock import SystemClock
from supervisor.base.loop import Loop
from supervisor.daemons import screen as module
from supervisor.daemons.screen import JSON, TEXT, Screen
from supervisor.model.event import ERROR, Event


class Rig:
    """A pipe, or a socket (as journald has it), whose reader does what the test wants."""

    def __init__(self, *, is_socket: bool = False) -> None:
        def report(error: BaseException) -> None:
            raise error

        self.loop = Loop(SystemClock(), report)
        if is_socket:
            self.read_end, self.write_end = (end.detach() for end in socket.socketpair())
        else:
            self.read_end, self.write_end = os.pipe()
        os.set_blocking(self.read_end, False)
        self.got = b""

    def screen(self, form: str = TEXT) -> Screen:
        return Screen(self.loop, self.write_end, form)

    def read(self) -> bytes:
        """All there is and, turn by turn, what was waiting for room."""
        for _ in range(1000):
            try:
                data = os.read(self.read_end, 1 << 16)
            except BlockingIOError:
                break
            self.got += data
            self.loop.turn(0)
        return self.got

    def close(self) -> None:
        for fd in (self.read_end, self.write_end):
            try:
                os.close(fd)
            except OSError:
                continue  # a test has closed it
        self.loop.close()


@pytest.fixture
def rig() -> Iterator[Rig]:
    made = Rig()
    yield made
    made.close()


@pytest.fixture(params=["pipe", "socket"])
def any_rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    made = Rig(is_socket=request.param == "socket")
    yield made
    made.close()


def event(text: str, level: str = "info") -> Event:
    return Event("service.started", text, at=1_700_000_000.5, service="web", level=level, data={"pid": 12})


def test_events_and_output_as_text(rig: Rig) -> None:
    screen = rig.screen()
    screen.event(event("web: started\nand more \x1b[2J"))
    screen.output(0.0, "web", "out", ["one", "two"])

    assert rig.read() == b"web: started\nand more \\x1b[2J\nweb | one\nweb | two\n"


def test_events_and_output_as_json(rig: Rig) -> None:
    screen = rig.screen(JSON)
    screen.event(event('web: "übel" \udcff\n\x1b', ERROR))
    screen.output(1_700_000_000.5, "web", "err", ["one"])
    first, second = [json.loads(line) for line in rig.read().splitlines()]

    assert list(first) == ["time", "level", "kind", "service", "text", "data"]
    assert first["time"] == "2023-11-14T22:13:20.500Z"
    assert (first["level"], first["kind"], first["service"], first["data"]) == (
        "error",
        "service.started",
        "web",
        {"pid": 12},
    )
    assert first["text"].startswith('web: "übel" ')
    assert second == {
        "time": "2023-11-14T22:13:20.500Z",
        "level": "info",
        "kind": "output",
        "service": "web",
        "text": "one",
        "stream": "err",
    }


@pytest.mark.parametrize("form", [TEXT, JSON])
def test_a_burst_is_kept_for_a_reader_that_is_slow(any_rig: Rig, form: str) -> None:
    """A pipe holds 64 KiB, which is nothing: what does not fit waits, and comes whole and in order."""
    screen = any_rig.screen(form)
    for number in range(3000):
        screen.output(0.0, "web", "out", [f"{number} {'x' * 100}"])
    lines = any_rig.read().splitlines()

    assert screen.dropped == 0
    texts = [json.loads(line)["text"] if form == JSON else line.decode().partition(" | ")[2] for line in lines]
    assert [int(text.split()[0]) for text in texts] == list(range(3000))


@pytest.mark.parametrize("form", [TEXT, JSON])
def test_what_nobody_takes_is_dropped_counted_and_owned_up_to(rig: Rig, form: str) -> None:
    screen = rig.screen(form)
    for number in range(30_000):
        screen.output(0.0, "web", "out", [f"{number} {'x' * 100}"])
    lost = screen.dropped
    rig.read()
    screen.event(event("again"))
    lines = [line.decode() for line in rig.read().splitlines()]

    assert lost > 10_000
    told = f"sbctl: {lost:,} lines dropped: nobody took them".replace(",", "")
    assert len(lines) == 30_000 - lost + 2
    if form == JSON:
        assert json.loads(lines[-2])["text"].replace(",", "") == told
        assert json.loads(lines[-2])["kind"] == "output.dropped"
        assert json.loads(lines[-1])["text"] == "again"
    else:
        assert lines[-2].replace(",", "") == told
        assert lines[-1] == "again"


def test_while_nobody_reads_nothing_is_done(rig: Rig) -> None:
    """No timer, no turn of the loop: a reader that is stuck for hours costs nothing."""
    screen = rig.screen()
    for _ in range(30_000):
        screen.output(0.0, "web", "out", ["x" * 100])
    turns = 0
    screen._ready = lambda: pytest.fail("there is no room")  # type: ignore[method-assign]
    while turns < 20:
        rig.loop.turn(0)
        turns += 1


def test_a_reader_that_leaves_costs_the_lines_and_nothing_else(any_rig: Rig) -> None:
    rig = any_rig
    screen = rig.screen()
    for _ in range(2000):
        screen.output(0.0, "web", "out", ["x" * 100])
    os.close(rig.read_end)
    rig.loop.turn(0)
    assert screen.dropped > 0
    before = screen.dropped
    for _ in range(100):
        screen.event(event("to nobody"))
    rig.loop.turn(0)

    assert screen.dropped == before + 100
    assert screen._waiting < 200
    screen.close()


def test_the_end_waits_a_moment_for_a_slow_reader_and_no_longer(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LAST_WAIT_S", 0.05)
    screen = rig.screen()
    for _ in range(2000):
        screen.output(0.0, "web", "out", ["x" * 100])
    began = rig.loop.clock.now()
    screen.close()

    assert rig.loop.clock.now() - began < 1


def test_a_file_that_takes_no_more(tmp_path: Path, rig: Rig) -> None:
    """RLIMIT_FSIZE in the place of a full disk: a short write first, then an error."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with open(tmp_path / "out", "wb", buffering=0) as file:
        screen = Screen(rig.loop, file.fileno())
        resource.setrlimit(resource.RLIMIT_FSIZE, (105, hard))
        try:
            for number in range(20):
                screen.event(event(f"line {number:03}"))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        screen.event(event("again"))
        screen.close()
    lines = (tmp_path / "out").read_text().splitlines()

    whole = [f"line {number:03}" for number in range(12)]
    assert lines == [*whole, "sbctl: 8 lines dropped: nobody took them", "again"]
