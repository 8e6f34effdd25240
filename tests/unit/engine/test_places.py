"""Wide pipes: how many there are at a time, who gives his back when, and that no byte is lost by it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.fakes import FakeLoop
from support.processes import open_files

from supervisor.engine import source as sources
from supervisor.engine.places import MOST, PLACES, QUIET_S
from supervisor.engine.pump import Pump
from supervisor.engine.raw_file import PIPE_SIZE, WIDE, holds
from supervisor.engine.source import FULL, Source

SECOND = "out_second"


class Start:
    """Has copies of first and second pipes, as `start` has; it answers when the test wants it to."""

    def __init__(self) -> None:
        self.firsts: list[int] = []
        self.kept: dict[tuple[str, str], int] = {}
        self.answers = True
        self.owed: list[Callable[[bool], None]] = []
        self.let_go_of: list[str] = []

    def keep(self, key: str, name: str, fd: int, then: Callable[[bool], None]) -> None:
        if (key, name) in self.kept:
            os.close(self.kept[key, name])
        self.kept[key, name] = os.dup(fd)
        if self.answers:
            then(True)
        else:
            self.owed.append(then)

    def let_go(self, key: str, name: str) -> None:
        self.let_go_of.append(key)
        if (key, name) in self.kept:
            os.close(self.kept.pop((key, name)))


class Service:
    """It writes; a pump reads."""

    def __init__(self, loop: FakeLoop, folder: Path, start: Start, name: str) -> None:
        self.loop, self.start, self.key = loop, start, f"{name}.1"
        self.path = folder / f"{name}.log"
        self.read_fd, self.write_fd = os.pipe()
        os.set_blocking(self.write_fd, False)
        self.said = b""
        self.pump = self._pump(-1)

    def _pump(self, second: int) -> Pump:
        return Pump(
            self.loop,
            os.dup(self.read_fd),
            str(self.path),
            limit=1 << 30,
            keep=1,
            on_loud=lambda source: source.settle(self.start, self.key, SECOND),
            second=second,
        )

    def write(self, data: bytes) -> None:
        assert os.write(self.write_fd, data) == len(data)
        self.said += data

    def say(self, count: int) -> None:
        self.write(os.urandom(count))
        self.loop.turn(0)

    def successor(self) -> None:
        """The pump before was killed: it has closed nothing in order, and told nobody."""
        source = self.pump._source
        self.loop.unwatch(source.fd)
        for fd in (source.fd, source._read, source._write, self.pump._file):
            if fd >= 0:
                os.close(fd)
        PLACES.leave(source)
        second = self.start.kept.get((self.key, SECOND), -1)
        self.pump = self._pump(os.dup(second) if second >= 0 else -1)

    @property
    def source(self) -> Source:
        return self.pump._source

    @property
    def has_second(self) -> bool:
        return self.source._write >= 0

    def check(self) -> None:
        for _ in range(3):  # one turn for each pipe, and one more
            self.loop.turn(0)
        assert self.path.read_bytes() == self.said

    def end(self) -> None:
        self.pump.close()
        os.close(self.read_fd)
        os.close(self.write_fd)


@pytest.fixture
def start() -> Iterator[Start]:
    start = Start()
    yield start
    for fd in start.kept.values():
        os.close(fd)


Make = Callable[[str], Service]


@pytest.fixture
def make(tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    monkeypatch.setattr(sources, "LOUD_BYTES", 1000)
    loop = FakeLoop()
    made: list[Service] = []

    def make(name: str) -> Service:
        made.append(Service(loop, tmp_path, start, name))
        return made[-1]

    yield make
    for service in made:
        service.end()
    loop.close()


def all_places(make: Make) -> list[Service]:
    services = [make(f"loud{number}") for number in range(MOST)]
    for service in services:
        service.say(2000)
    return services


def wide(services: list[Service]) -> int:
    """Bytes that their pipes are counted with, beyond what each pipe has."""
    firsts = sum(holds(service.write_fd) - PIPE_SIZE for service in services)
    return firsts + sum(holds(fd) for fd in services[0].start.kept.values())


def test_so_many_are_wide_and_the_next_one_goes_on_with_what_it_has(make: Make, start: Start) -> None:
    services = all_places(make)
    services += [make(f"more{number}") for number in range(4)]
    for _ in range(3):
        for service in services:
            service.say(50_000)

    assert [service.has_second for service in services] == [True] * MOST + [False] * 4
    assert wide(services) == MOST * (2 * WIDE - PIPE_SIZE)
    assert {holds(service.write_fd) for service in services[MOST:]} == {PIPE_SIZE}
    assert len(start.kept) == MOST
    for service in services:
        service.check()


def test_one_found_full_again_and_again_is_not_widened_either(make: Make) -> None:
    all_places(make)
    source = make("full").source
    for _ in range(4 * FULL):
        source.was_full(PIPE_SIZE, 1000.0)
    assert (source.width, holds(source.fd), len(PLACES)) == (PIPE_SIZE, PIPE_SIZE, MOST)


def test_it_gets_the_place_of_one_that_has_become_quiet(make: Make, start: Start) -> None:
    services = all_places(make)
    late = make("late")
    late.say(2000)
    late.loop.pass_time(QUIET_S - 1)
    for service in services[1:]:
        service.say(2000)
    late.say(2000)
    assert not late.has_second, "nobody has been quiet for long enough"

    late.loop.pass_time(2)
    late.say(2000)

    assert late.has_second
    quiet = services[0]
    assert (quiet.has_second, holds(quiet.write_fd), quiet.source.width) == (False, PIPE_SIZE, PIPE_SIZE)
    assert start.let_go_of == [quiet.key], "a pipe is counted until the last copy is closed"
    assert (quiet.key, SECOND) not in start.kept
    quiet.say(900)
    for service in (*services, late):
        service.check()


def test_the_one_that_gave_it_back_may_be_loud_again(make: Make) -> None:
    service = make("web")
    service.say(2000)
    service.loop.pass_time(QUIET_S)
    service.say(10)
    assert (service.has_second, holds(service.write_fd), len(PLACES)) == (False, PIPE_SIZE, 0)

    service.say(2000)
    assert (service.has_second, holds(service.write_fd), len(PLACES)) == (True, WIDE, 1)
    service.check()


def test_who_is_loud_each_minute_keeps_it(make: Make, start: Start) -> None:
    service = make("web")
    for _ in range(5):
        service.say(2000)
        service.loop.pass_time(QUIET_S - 1)
        service.say(10)
    assert service.has_second
    assert not start.let_go_of


def test_nothing_wakes_up_for_that(make: Make) -> None:
    services = all_places(make)
    assert services[0].loop.next_due() is None


def test_too_much_in_the_first_pipe_keeps_it_wide_until_later(make: Make, start: Start) -> None:
    services = all_places(make)
    late, full = make("late"), services[0]
    full.loop.pass_time(QUIET_S - 5)
    for service in services[1:]:
        service.say(2000)
    full.loop.pass_time(6)
    full.write(os.urandom(WIDE // 2))  # and nobody has come to read it
    PLACES.take(late.source, full.loop.clock.now())
    assert (full.has_second, holds(full.write_fd), len(PLACES)) == (True, WIDE, MOST)
    assert late.source not in PLACES
    full.check()

    full.loop.pass_time(QUIET_S)
    full.say(10)
    assert (full.has_second, holds(full.write_fd), len(PLACES)) == (False, PIPE_SIZE, MOST - 1)
    full.check()


def test_what_is_in_the_second_pipe_stays_before_what_is_in_the_first(make: Make, start: Start) -> None:
    service = make("web")
    service.say(2000)
    service.write(b"first" * 100)
    assert service.source.fill() == 500
    service.write(b"then" * 100)

    assert not service.source.give_back()
    service.successor()
    assert not service.source.give_back()
    service.check()
    assert service.source.give_back()
    service.write(b"and on" * 100)
    service.check()


def test_one_that_is_being_kept_just_now_is_not_taken_from(make: Make, start: Start) -> None:
    start.answers = False
    service = make("web")
    service.say(2000)
    service.loop.pass_time(2 * QUIET_S)
    service.say(10)
    assert service.source in PLACES
    start.owed[0](True)
    assert service.has_second


def test_who_ends_gives_it_back_at_once(make: Make, start: Start) -> None:
    """`start` may keep the pipes of one that was stopped for as long as it runs."""
    service = make("web")
    service.say(2000)
    service.pump.close()
    assert (holds(service.write_fd), len(PLACES)) == (PIPE_SIZE, 0)
    assert not start.kept


def test_one_that_ends_before_it_was_answered_leaves_no_copy(make: Make, start: Start) -> None:
    start.answers = False
    service = make("web")
    before = open_files(os.getpid())
    service.say(2000)
    service.pump.close()
    assert len(PLACES) == 0

    start.owed[0](True)

    assert not start.kept
    assert open_files(os.getpid()) == before - 1  # the pump's copy of the first pipe


def test_a_place_is_not_held_for_what_the_kernel_has_not_granted(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "widened", lambda _fd: 0)
    service = make("web")
    service.say(2000)
    for _ in range(2 * FULL):
        service.source.was_full(PIPE_SIZE, 1000.0)
    assert len(PLACES) == 0


# who takes over


def test_a_successor_counts_what_it_finds(make: Make) -> None:
    services = all_places(make)
    for service in services:
        service.successor()
    assert len(PLACES) == MOST
    assert {service.source.width for service in services} == {WIDE}

    late = make("late")
    late.say(2000)
    assert not late.has_second


def test_a_successor_lets_go_of_what_its_predecessor_had(make: Make, start: Start) -> None:
    service = make("web")
    service.say(2000)
    service.successor()
    service.say(10)
    assert holds(service.write_fd) == WIDE, "it may have been loud a moment ago"

    service.loop.pass_time(QUIET_S)
    service.say(10)
    assert (holds(service.write_fd), len(PLACES), start.kept) == (PIPE_SIZE, 0, {})
    service.check()


@pytest.mark.parametrize("told", [False, True])
def test_a_predecessor_that_was_killed_while_it_gave_it_back(make: Make, start: Start, told: bool) -> None:
    service = make("web")
    service.say(2000)
    if not told:
        start.let_go = lambda key, name: None  # type: ignore[method-assign]
    assert service.source.give_back()
    vars(start).pop("let_go", None)
    service.write(b"x" * 900)

    service.successor()
    service.check()
    service.loop.pass_time(QUIET_S)
    service.say(10)
    service.loop.pass_time(QUIET_S)
    service.say(10)
    assert (len(PLACES), start.kept) == (0, {})
    service.check()


def test_more_than_there_may_be_of_an_older_version_get_fewer(make: Make, start: Start) -> None:
    services = [make(f"loud{number}") for number in range(MOST + 4)]
    for service in services:
        PLACES.clear()
        service.say(2000)
    assert len(start.kept) == MOST + 4
    PLACES.clear()
    for service in services:
        service.successor()

    for _ in range(3):
        for service in services:
            service.say(2000)

    assert len(PLACES) == len(start.kept) == MOST
    assert wide(services) <= MOST * (2 * WIDE - PIPE_SIZE)
    for service in services:
        service.check()
