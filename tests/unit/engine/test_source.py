"""The second pipe of a loud service: when it is got, and that no byte is lost in it, whoever ends when."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.fakes import FakeLoop
from support.processes import open_files

from supervisor.engine import source as sources
from supervisor.engine.pump import Pump
from supervisor.engine.raw_file import WIDE, holds
from supervisor.engine.source import Source


class Keeper:
    """Has a copy of what it is to keep, and says so when the test does."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], int] = {}
        self.then: list[Callable[[bool], None]] = []

    def keep(self, key: str, name: str, fd: int, then: Callable[[bool], None]) -> None:
        self.kept[key, name] = os.dup(fd)
        self.then.append(then)

    def let_go(self, key: str, name: str) -> None:
        os.close(self.kept.pop((key, name)))

    def second(self) -> int:
        return self.kept["web.1", "out_second"]


@pytest.fixture
def loop() -> Iterator[FakeLoop]:
    loop = FakeLoop()
    yield loop
    loop.close()


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    keeper = Keeper()
    yield keeper
    for fd in keeper.kept.values():
        os.close(fd)


class Loud:
    """A pipe whose other end we write to."""

    def __init__(self, loop: FakeLoop, path: Path, keeper: Keeper) -> None:
        self.read_fd, self.write_fd = os.pipe()
        os.set_blocking(self.write_fd, False)
        self.path = path
        self.loop = loop
        self.keeper = keeper
        self.pump = self.pump_of(os.dup(self.read_fd))

    def pump_of(self, fd: int, second: int = -1) -> Pump:
        return Pump(
            self.loop,
            fd,
            str(self.path),
            limit=1 << 30,
            keep=1,
            on_loud=lambda source: source.settle(self.keeper, "web.1", "out_second"),
            second=second,
        )

    def say(self, data: bytes) -> None:
        assert os.write(self.write_fd, data) == len(data)
        self.loop.turn(0)

    def successor(self) -> None:
        """With what was kept."""
        self.pump = self.pump_of(os.dup(self.read_fd), os.dup(self.keeper.second()))

    def end(self) -> None:
        self.pump.close()
        os.close(self.read_fd)
        os.close(self.write_fd)


@pytest.fixture
def loud(loop: FakeLoop, tmp_path: Path, keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loud]:
    monkeypatch.setattr(sources, "LOUD_BYTES", 1000)
    loud = Loud(loop, tmp_path / "server.log", keeper)
    yield loud
    loud.end()


def test_only_who_says_much_within_a_second_gets_one(loud: Loud) -> None:
    for _ in range(5):
        loud.say(b"x" * 900)
        loud.loop.pass_time(1.1)
    assert not loud.keeper.kept

    loud.say(b"x" * 900)
    loud.say(b"x" * 900)
    loud.say(b"x" * 900)

    assert list(loud.keeper.kept) == [("web.1", "out_second")]
    assert len(loud.keeper.then) == 1


def test_nothing_is_in_it_before_it_is_kept(loud: Loud, monkeypatch: pytest.MonkeyPatch) -> None:
    loud.say(b"a" * 2000)
    moved: list[int] = []
    splice = os.splice

    def noted(source: int, target: int, count: int, **more: int) -> int:
        moved.append(target)
        return splice(source, target, count, **more)

    monkeypatch.setattr(os, "splice", noted)
    loud.say(b"b" * 2000)
    assert moved == [loud.pump._file] * len(moved)

    loud.keeper.then[0](True)
    loud.say(b"c" * 2000)

    assert set(moved) == {loud.pump._file, loud.pump._source._write}
    assert loud.path.read_bytes() == b"a" * 2000 + b"b" * 2000 + b"c" * 2000
    assert holds(loud.write_fd) == holds(loud.keeper.second()) == WIDE


def test_a_successor_goes_on_with_what_is_in_it(loud: Loud) -> None:
    """Whether the service says any more, and whether it still lives, or not."""
    loud.say(b"a" * 2000)
    loud.keeper.then[0](True)
    os.write(loud.write_fd, b"b" * 500)
    assert loud.pump._source.fill() == 500  # and killed before it came into the file
    loud.pump.close()

    loud.successor()
    loud.loop.turn(0)
    assert loud.path.read_bytes() == b"a" * 2000 + b"b" * 500

    loud.say(b"c" * 2000)
    assert loud.path.read_bytes() == b"a" * 2000 + b"b" * 500 + b"c" * 2000
    assert len(loud.keeper.then) == 2, "which gets a new one when it is loud again"


@pytest.mark.parametrize("how", ["drained", "heard of the end"])
def test_what_is_in_both_comes_in_order(loud: Loud, how: str) -> None:
    loud.say(b"a" * 2000)
    loud.keeper.then[0](True)
    os.write(loud.write_fd, b"b" * 500)
    loud.pump._source.fill()
    loud.pump.close()
    os.write(loud.write_fd, b"c" * 500)

    loud.successor()
    if how == "drained":
        loud.pump.drain()
    else:
        loud.pump._on_ready(16)  # EPOLLHUP
        loud.loop.turn(0)

    assert loud.path.read_bytes() == b"a" * 2000 + b"b" * 500 + b"c" * 500


def test_one_that_is_told_too_late_leaves_nothing_open(loud: Loud) -> None:
    before = open_files(os.getpid())
    loud.say(b"a" * 2000)
    loud.pump.close()

    loud.keeper.then[0](True)

    assert open_files(os.getpid()) <= before  # the keeper has one more, the pump one less
    loud.keeper.kept, kept = {}, loud.keeper.kept
    for fd in kept.values():
        os.close(fd)
    assert open_files(os.getpid()) == before - 1


def test_where_no_pipe_is_to_be_had_it_goes_on_as_before(loud: Loud, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> tuple[int, int]:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(os, "pipe", refuse)
    loud.say(b"a" * 2000)
    loud.say(b"b" * 2000)

    assert not loud.keeper.kept
    assert loud.path.read_bytes() == b"a" * 2000 + b"b" * 2000

    monkeypatch.undo()
    monkeypatch.setattr(sources, "LOUD_BYTES", 1000)
    loud.say(b"c" * 2000)
    assert list(loud.keeper.kept) == [("web.1", "out_second")], "once there is room again"


def test_one_that_could_not_be_kept_is_offered_again(loud: Loud) -> None:
    loud.say(b"a" * 2000)
    loud.keeper.then[0](False)
    os.close(loud.keeper.kept.pop(("web.1", "out_second")))
    loud.say(b"b" * 900)
    assert len(loud.keeper.then) == 1

    loud.say(b"c" * 900)
    assert len(loud.keeper.then) == 2
    loud.keeper.then[1](True)
    loud.say(b"d" * 900)
    assert loud.path.read_bytes() == b"a" * 2000 + b"b" * 900 + b"c" * 900 + b"d" * 900


def test_a_pipe_that_can_not_be_made_wide_is_not_used(loud: Loud, monkeypatch: pytest.MonkeyPatch) -> None:
    before = open_files(os.getpid())
    monkeypatch.setattr(sources, "widened", lambda _fd: 0)
    loud.say(b"a" * 2000)

    assert not loud.keeper.kept
    assert open_files(os.getpid()) == before + 1  # the file of the log


def test_a_source_of_its_own_needs_none() -> None:
    read_fd, write_fd = os.pipe()
    source = Source(read_fd)
    os.write(write_fd, b"abc")
    assert (source.fill(), source.taken_from, source.in_both()) == (1, read_fd, holds(read_fd))
    source.close()
    os.close(write_fd)
    assert source.in_both() == 0


@pytest.mark.parametrize("width", [1 << 16, WIDE])
def test_who_ends_in_the_turn_in_which_he_gets_loud_gets_none(loud: Loud, width: int) -> None:
    loud.pump._source.width = width
    sources.widened(loud.read_fd)
    read_fd, write_fd = os.pipe()
    os.set_blocking(write_fd, False)
    pump = loud.pump_of(read_fd)
    pump._source.width = width
    sources.widened(read_fd)
    os.write(write_fd, b"x" * width)
    os.close(write_fd)
    loud.loop.turn(0)
    loud.loop.turn(0)

    assert not pump.open
    assert loud.path.stat().st_size == width
    for then in loud.keeper.then:
        then(True)
    pump.close()


def test_what_can_not_be_kept_is_not_used(loud: Loud) -> None:
    before = open_files(os.getpid())
    loud.say(b"a" * 2000)
    assert open_files(os.getpid()) == before + 4  # the file, the second pipe, and the copy of it
    loud.keeper.then[0](False)
    assert open_files(os.getpid()) == before + 2
    loud.say(b"b" * 2000)
    assert loud.path.read_bytes() == b"a" * 2000 + b"b" * 2000


def test_a_disk_without_splice_that_fails_once_costs_no_more_than_that(
    loud: Loud, monkeypatch: pytest.MonkeyPatch
) -> None:
    loud.say(b"a" * 2000)
    loud.keeper.then[0](True)
    loud.pump._copies = True
    with monkeypatch.context() as patch:
        write = os.write

        def refuse(fd: int, data: bytes) -> int:
            if fd == loud.pump._file:
                raise OSError(28, "No space left on device")
            return write(fd, data)

        patch.setattr(os, "write", refuse)
        loud.say(b"b" * 2000)
    loud.loop.pass_time(5)
    loud.say(b"c" * 2000)

    assert loud.path.read_bytes() == b"a" * 2000 + b"c" * 2000
    assert loud.pump._source.left == 0
    assert loud.pump.dropped == 2000
