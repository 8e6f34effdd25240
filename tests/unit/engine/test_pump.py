"""The pump: every byte of a pipe once in its files, cut only where lines end."""

from __future__ import annotations

import array
import fcntl
import os
import random
import socket
import termios
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.fakes import FakeLoop
from support.processes import open_files

from supervisor.base.time_index import read_marks
from supervisor.engine import pump as pumps
from supervisor.engine.pump import Pump


class Keeper:
    """Whoever keeps descriptors for a successor has them at once."""

    def keep(self, _key: str, _name: str, _fd: int, then: Callable[[bool], None]) -> None:
        then(True)

    def let_go(self, _key: str, _name: str) -> None:
        """There is no copy."""


@pytest.fixture(params=["one pipe", "two pipes"], autouse=True)
def pipes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it holds for the loud as well."""
    monkeypatch.setattr(Stream, "is_loud", request.param == "two pipes")


class Stream:
    """One pipe with a pump at its end, on a clock that stands still."""

    is_loud = False

    def __init__(self, path: Path, *, limit: int = 1 << 20, keep: int = 3, age: float = 0.0, budget: int = 0) -> None:
        self.path = path
        self.loop = FakeLoop()
        self.added: list[tuple[int, int]] = []
        self.trouble: list[tuple[str, int]] = []
        self.rotated: list[str] = []
        read_fd, self.write_fd = os.pipe()
        self.pump = Pump(
            self.loop,
            read_fd,
            str(path),
            limit=limit,
            keep=keep,
            age=age,
            budget=budget,
            on_rotated=self.rotated.append,
            on_bytes=lambda _fd, start, end: self.added.append((start, end)),
            on_trouble=lambda text, lost: self.trouble.append((text, lost)),
        )
        if self.is_loud:
            self.pump._source.get_second(Keeper(), "web.1", "out_second")

    def say(self, data: bytes) -> None:
        """At most what a pipe holds. A turn may end at a rotation, so there may be several."""
        os.write(self.write_fd, data)
        while self.waiting():
            self.loop.turn(0)

    def waiting(self) -> int:
        count = array.array("i", [0])
        fcntl.ioctl(self.write_fd, termios.FIONREAD, count)
        return count[0]

    def files(self) -> list[bytes]:
        """Oldest first."""
        numbers = sorted((int(p.suffix[1:]) for p in self.path.parent.glob(f"{self.path.name}.*[0-9]")), reverse=True)
        paths = [Path(f"{self.path}.{number}") for number in numbers] + [self.path]
        return [path.read_bytes() for path in paths if path.exists()]

    def hang_up(self) -> None:
        if self.write_fd >= 0:
            os.close(self.write_fd)
            self.write_fd = -1

    def end(self) -> None:
        self.hang_up()
        self.pump.close()
        self.loop.close()


@pytest.fixture
def stream(tmp_path: Path) -> Iterator[Stream]:
    stream = Stream(tmp_path / "server.log")
    yield stream
    stream.end()


def test_bytes_go_to_the_end_of_the_file_and_are_told(stream: Stream) -> None:
    stream.path.write_bytes(b"before\n")
    stream.say(b"one\n")
    stream.say(b"t\0wo")

    assert stream.path.read_bytes() == b"before\none\nt\0wo"
    assert stream.added == [(7, 11), (11, 15)]


def test_the_end_of_the_stream_closes_it(stream: Stream) -> None:
    stream.say(b"last words")
    stream.hang_up()
    stream.loop.turn(0)

    assert not stream.pump.open
    assert stream.path.read_bytes() == b"last words"


def test_for_an_end_without_a_word_no_file_is_opened(stream: Stream) -> None:
    stream.hang_up()
    stream.loop.turn(0)

    assert not stream.pump.open
    assert not stream.path.exists()


def test_draining_takes_all_and_waits_for_nothing(stream: Stream) -> None:
    os.set_blocking(stream.write_fd, False)
    size = os.write(stream.write_fd, b"x" * (1 << 20))

    stream.pump.drain()

    assert stream.path.stat().st_size == size
    assert stream.waiting() == 0


@pytest.mark.parametrize("has_ended", [True, False])
def test_draining_what_is_empty_makes_no_file(stream: Stream, has_ended: bool) -> None:
    """Of a thousand servers that are killed and have said nothing that takes longer than all else."""
    if has_ended:
        stream.hang_up()

    stream.pump.drain()

    assert not stream.path.exists()


@pytest.mark.parametrize("seed", range(8))
def test_lines_of_any_length_are_whole_in_some_file(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    stream = Stream(tmp_path / "server.log", limit=chance.choice([1, 100, 5000, 70_000]), keep=10_000)
    lines = [b"%06d" % number + b"." * chance.choice([0, 5, 200, 9000]) + b"\n" for number in range(300)]
    data = b"".join(lines)
    while data:
        cut = chance.randint(1, 20_000)
        stream.say(data[:cut])
        data = data[cut:]
    stream.end()

    files = stream.files()
    assert b"".join(files) == b"".join(lines)
    assert len(files) > 1
    assert all(file.endswith(b"\n") for file in files)


def test_no_more_files_than_asked_and_the_oldest_goes(tmp_path: Path) -> None:
    stream = Stream(tmp_path / "server.log", limit=10, keep=2)
    for number in range(6):
        stream.say(b"line %d...\n" % number)
    stream.end()

    assert len(stream.files()) <= 3
    assert b"".join(stream.files()).endswith(b"line 4...\nline 5...\n")
    assert b"line 0" not in b"".join(stream.files())


def test_a_line_without_an_end_is_cut_in_the_end(tmp_path: Path) -> None:
    """Or one server could fill the disk with a single file."""
    stream = Stream(tmp_path / "server.log", limit=1000, keep=100)
    for _ in range(80):
        stream.say(b"x" * 60_000)
    stream.end()

    sizes = [len(file) for file in stream.files()]
    assert sum(sizes) == 80 * 60_000
    assert max(sizes) <= 1000 + pumps.LONGEST_LINE + 2 * pumps.PIPE_SIZE


def test_what_the_disk_refuses_is_dropped_counted_and_told_once(stream: Stream) -> None:
    stream.path.mkdir()
    for _ in range(3):
        stream.say(b"12345")
        stream.loop.pass_time(2)
    assert stream.trouble == [(f"{stream.path.name} is a folder and no file", 0)]

    stream.path.rmdir()
    stream.loop.pass_time(2)
    stream.say(b"back\n")

    assert stream.trouble[1:] == [("", 15)]
    assert stream.path.read_bytes() == b"back\n"

    stream.path.unlink()
    stream.path.mkdir()
    stream.say(b"1234567")
    stream.loop.pass_time(2)
    stream.path.rmdir()
    stream.loop.pass_time(2)
    stream.say(b"again\n")
    assert stream.trouble[-1] == ("", 7)


@pytest.mark.parametrize("what", ["folder", "pipe", "link", "device"])
def test_a_path_that_can_not_be_written_costs_no_descriptor(stream: Stream, what: str, tmp_path: Path) -> None:
    if what == "folder":
        stream.path.mkdir()
    elif what == "pipe":
        os.mkfifo(stream.path)
    elif what == "device":
        with socket.socket(socket.AF_UNIX) as unix:
            unix.bind(str(stream.path))
    else:
        stream.path.symlink_to(tmp_path / "elsewhere")
    stream.say(b"x")
    before = open_files(os.getpid())
    for _ in range(5):
        stream.loop.pass_time(2)
        stream.say(b"x")

    assert open_files(os.getpid()) == before
    assert not (tmp_path / "elsewhere").exists()
    assert stream.trouble == [(f"{stream.path.name} is a {what} and no file", 0)]


def test_a_folder_that_is_not_there_is_made(tmp_path: Path) -> None:
    stream = Stream(tmp_path / "a" / "b" / "server.log")
    stream.say(b"x")
    stream.end()

    assert (tmp_path / "a" / "b" / "server.log").read_bytes() == b"x"


# rotation by age and within a budget


def test_a_file_whose_first_byte_is_old_is_rotated_at_the_next_output(tmp_path: Path) -> None:
    stream = Stream(tmp_path / "server.log", age=60.0)
    stream.say(b"one\n")
    stream.loop.fake.time += 59
    stream.say(b"two\n")
    stream.loop.fake.time += 2
    stream.say(b"three\nfour\n")
    assert stream.files() == [b"one\ntwo\n", b"three\nfour\n"]
    stream.loop.fake.time += 59
    stream.say(b"five\n")
    stream.end()

    assert stream.files() == [b"one\ntwo\n", b"three\nfour\nfive\n"]
    assert stream.rotated == [""]


def test_a_line_that_is_not_done_is_not_cut_by_age(tmp_path: Path) -> None:
    stream = Stream(tmp_path / "server.log", age=60.0)
    stream.say(b"one\nha")
    stream.loop.fake.time += 61
    stream.say(b"l")
    stream.say(b"f\ntwo\n")
    stream.end()

    assert stream.files() == [b"one\nhalf\n", b"two\n"]


def test_a_quiet_file_is_rotated_when_somebody_looks(tmp_path: Path) -> None:
    """Also one of an earlier life, whose age the index knows."""
    path = tmp_path / "server.log"
    stream = Stream(path, age=60.0)
    stream.say(b"one\n")
    stream.pump.rotate_if_old()
    assert stream.files() == [b"one\n"]
    stream.end()

    again = Stream(path, age=60.0)
    again.loop.fake.time = stream.loop.fake.time + 30
    again.pump.rotate_if_old()
    assert again.files() == [b"one\n"]
    again.loop.fake.time += 31
    again.pump.rotate_if_old()
    assert again.files() == [b"one\n"]
    assert not path.exists()
    again.pump.rotate_if_old()
    again.say(b"two\n")
    again.end()
    assert again.files() == [b"one\n", b"two\n"]


def test_the_budget_is_kept_at_once(tmp_path: Path) -> None:
    stream = Stream(tmp_path / "server.log", limit=1000, keep=50, budget=5000)
    for number in range(100):
        stream.say(b"%04d" % number + b"." * 395 + b"\n")
        assert sum(len(file) for file in stream.files()) <= 5000 + 400
    stream.end()

    assert stream.files()[-1].startswith(b"0099") or stream.files()[-2].startswith(b"0098")
    assert len(stream.files()) > 3


def test_what_can_not_be_rotated_grows_loses_nothing_and_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = Stream(tmp_path / "server.log", limit=10)

    def refuse(_path: str, _keep: int) -> None:
        raise OSError(28, "No space left on device")

    lines = [b"line %d...\n" % number for number in range(8)]
    with monkeypatch.context() as patch:
        patch.setattr(pumps, "shift", refuse)
        for line in lines[:6]:
            stream.say(line)
            stream.loop.fake.time += 5
    assert stream.rotated == ["No space left on device"]
    assert stream.files() == [b"".join(lines[:6])]

    stream.loop.fake.time += pumps.ROTATE_AFTER_S
    for line in lines[6:]:
        stream.say(line)
    stream.end()

    assert b"".join(stream.files()) == b"".join(lines)
    assert stream.rotated[1] == ""
    assert stream.trouble == []


# the index


def marks(path: Path) -> list[tuple[float, int]]:
    found = path.stat()
    return read_marks(f"{path}.idx", found.st_ino, found.st_size)


def test_times_are_noted_once_a_second_and_go_with_their_file(tmp_path: Path) -> None:
    stream = Stream(tmp_path / "server.log", limit=30)
    wall = stream.loop.fake.wall()
    for pause in (0.0, 0.5, 0.6, 10.0):
        stream.loop.fake.time += pause
        stream.say(b"12345678\n")
    stream.end()

    times = [(round(at - wall, 3), offset) for at, offset in marks(tmp_path / "server.log.1")]
    assert times == [(0.0, 0), (1.1, 18), (11.1, 27)]
    assert not (tmp_path / "server.log").exists()


@pytest.mark.parametrize("how", ["emptied", "removed", "moved"])
def test_a_file_that_a_person_changed_gets_an_index_of_its_own(stream: Stream, how: str) -> None:
    stream.say(b"before\n")
    if how == "emptied":
        os.truncate(stream.path, 0)
    elif how == "removed":
        stream.path.unlink()
    else:
        stream.path.rename(stream.path.with_name("elsewhere"))
    stream.loop.fake.time += 5
    stream.say(b"after\n")

    assert stream.path.read_bytes() == b"after\n"
    assert marks(stream.path) == [(stream.loop.fake.wall(), 0)]


def test_what_is_no_file_has_no_index() -> None:
    stream = Stream(Path(os.devnull))
    stream.say(b"gone\n")
    stream.end()

    assert not os.path.exists(f"{os.devnull}.idx")
