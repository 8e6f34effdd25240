"""Times beside bytes: right where they are known, coarser where not, never wrong by a foreign index."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor.base.time_index import HEADER, RECORD, TimeIndex, first_time, hand_to, read_marks


class File:
    def __init__(self, folder: Path, name: str = "log") -> None:
        self.path = folder / name
        self.fd = os.open(self.path, os.O_RDWR | os.O_CREAT)
        self.index = TimeIndex(f"{self.path}.idx")

    @property
    def inode(self) -> int:
        return os.fstat(self.fd).st_ino

    def marks(self, size: int = 10**6) -> list[tuple[float, int]]:
        return read_marks(self.index.path, self.inode, size)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[File]:
    file = File(tmp_path)
    yield file
    os.close(file.fd)


def test_marks_come_back(file: File) -> None:
    for wall, offset in ((10.5, 0), (11.5, 700), (13.0, 700), (14.0, 900)):
        file.index.mark(file.fd, wall, offset)

    assert file.marks() == [(10.5, 0), (11.5, 700), (13.0, 700), (14.0, 900)]
    assert file.marks(size=800) == [(10.5, 0), (11.5, 700), (13.0, 700)]  # the file was cut since
    assert first_time(file.index.path, file.inode) == 10.5


def test_a_successor_goes_on_and_mends_a_cut_record(file: File) -> None:
    file.index.mark(file.fd, 10.0, 0)
    with open(file.index.path, "ab") as index:
        index.write(b"half a")

    TimeIndex(file.index.path).mark(file.fd, 12.0, 50)

    assert file.marks() == [(10.0, 0), (12.0, 50)]


def test_the_index_of_another_file_is_not_believed(file: File, tmp_path: Path) -> None:
    file.index.mark(file.fd, 10.0, 0)
    file.index.mark(file.fd, 11.0, 5)

    assert read_marks(file.index.path, file.inode + 1, 100) == []
    assert first_time(file.index.path, file.inode + 1) is None
    other = File(tmp_path, "other")
    os.rename(file.index.path, other.index.path)
    other.index.mark(other.fd, 20.0, 0)
    os.close(other.fd)
    assert other.path.exists()
    assert read_marks(other.index.path, os.stat(other.path).st_ino, 100) == [(20.0, 0)]


def test_a_file_that_was_emptied_begins_anew(file: File) -> None:
    file.index.mark(file.fd, 10.0, 0)
    file.index.mark(file.fd, 11.0, 5000)
    file.index.restart()
    file.index.mark(file.fd, 20.0, 0)

    assert file.marks() == [(20.0, 0)]


def test_an_index_that_was_removed_comes_again(file: File) -> None:
    file.index.mark(file.fd, 10.0, 0)
    os.unlink(file.index.path)
    file.index.mark(file.fd, 11.0, 100)
    file.index.mark(file.fd, 12.0, 200)

    assert file.marks() == [(12.0, 200)]
    assert first_time(file.index.path, file.inode) is None  # it does not know the beginning


def test_a_clock_that_was_set_back_does_not_turn_lines_round(file: File) -> None:
    for wall, offset in ((100.0, 0), (40.0, 10), (101.0, 20)):
        file.index.mark(file.fd, wall, offset)

    assert file.marks() == [(100.0, 0), (100.0, 10), (101.0, 20)]


@pytest.mark.parametrize("data", [b"", b"x", b"\xff" * 1000, b"sbidx 1\n", os.urandom(4096), b"\0" * 64])
def test_garbage_is_no_error(file: File, data: bytes) -> None:
    Path(file.index.path).write_bytes(data)

    assert file.marks() == []
    assert first_time(file.index.path, file.inode) is None


def test_numbers_that_are_none_are_left_out(file: File) -> None:
    records = (float("nan"), 0), (float("inf"), 1), (-5.0, 2), (7.0, 3), (8.0, 1 << 63)
    data = HEADER.pack(b"sbidx 1\n", file.inode) + b"".join(RECORD.pack(*record) for record in records)
    Path(file.index.path).write_bytes(data)

    assert file.marks() == [(7.0, 3)]


@pytest.mark.parametrize("what", ["folder", "fifo", "link", "nowhere"])
def test_an_index_that_can_not_be_written_is_done_without(tmp_path: Path, file: File, what: str) -> None:
    path = tmp_path / "at"
    if what == "folder":
        path.mkdir()
    elif what == "fifo":
        os.mkfifo(path)
    elif what == "link":
        path.symlink_to(tmp_path / "elsewhere")
    index = TimeIndex(str(path / "below" if what == "nowhere" else path))

    index.mark(file.fd, 10.0, 0)

    assert read_marks(index.path, file.inode, 100) == []
    assert not (tmp_path / "elsewhere").exists()


def test_a_packed_file_takes_its_index_over(file: File) -> None:
    file.index.mark(file.fd, 10.0, 0)

    hand_to(file.index.path, file.inode + 5, 1)  # not theirs
    assert file.marks() == [(10.0, 0)]
    hand_to(file.index.path, file.inode, 12345)
    assert read_marks(file.index.path, 12345, 100) == [(10.0, 0)]
