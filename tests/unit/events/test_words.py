"""The last words of a server."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from supervisor.events.words import last_words


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "server.log"


def test_the_last_lines_oldest_first_without_blank_ones(path: Path) -> None:
    path.write_bytes(b"".join(b"%d\n\n" % n for n in range(100)) + b"no line end")

    assert last_words(str(path), 3) == ["98", "99", "no line end"]
    assert len(last_words(str(path))) == 30


def test_no_file_no_words(path: Path) -> None:
    assert last_words(str(path)) == []
    path.mkdir()
    assert last_words(str(path)) == []


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"1%\r50%\r100%", "100%"),
        (b"windows\r\n", "windows"),
        (b"\xff\x1b[0m", "\\xff\\x1b[0m"),
        (b"a\tb", "a   b"),
        (b"x" * 5000 + b"end", "x" * 997 + "end"),
    ],
)
def test_they_are_printable(path: Path, raw: bytes, shown: str) -> None:
    path.write_bytes(raw)

    assert last_words(str(path)) == [shown]


def test_reading_is_bounded_and_begins_with_a_whole_line(path: Path) -> None:
    path.write_bytes(b"0123456789\n" * 100_000)

    assert last_words(str(path), 1000, 100) == ["0123456789"] * 9


def test_a_line_of_ten_megabytes_shows_its_end(path: Path) -> None:
    path.write_bytes(b"x" * (10 << 20) + b" the end\n")

    words = last_words(str(path))
    assert len(words) == 1
    assert words[0].endswith("x the end")


def test_words_of_an_earlier_life_are_not_taken(path: Path) -> None:
    path.write_bytes(b"before\n")
    start = path.stat().st_size
    assert last_words(str(path), since_offset=start) == []

    with path.open("ab") as file:
        file.write(b"after\n")
    assert last_words(str(path), since_offset=start) == ["after"]
    assert last_words(str(path), since_offset=start, since_inode=path.stat().st_ino) == ["after"]


def test_they_reach_over_a_rotation(path: Path) -> None:
    path.write_bytes(b"before\nbegun\nmid")
    inode = path.stat().st_ino
    os.rename(path, f"{path}.1")
    path.write_bytes(b"dle\nend\n")

    assert last_words(str(path), since_offset=7, since_inode=inode) == ["begun", "middle", "end"]
    assert last_words(str(path)) == ["before", "begun", "middle", "end"]


def test_an_offset_beyond_the_file_is_one_of_the_rotated_file(path: Path) -> None:
    path.write_bytes(b"before " * 10 + b"\nmine\n")
    os.rename(path, f"{path}.1")
    path.write_bytes(b"end\n")

    assert last_words(str(path), since_offset=71) == ["mine", "end"]


def test_a_file_that_was_rotated_twice_is_all_mine(path: Path) -> None:
    Path(f"{path}.1").write_bytes(b"one\n")
    path.write_bytes(b"two\n")

    assert last_words(str(path), since_offset=3, since_inode=1) == ["one", "two"]
