"""Last lines, whole lines and patterns."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from supervisor.base.errors import USAGE, Problem
from supervisor.cli import lines


@pytest.mark.parametrize("ending", [b"\n", b""])
@pytest.mark.parametrize("count", [0, 1, 2, 5, 6, 100])
def test_the_last_lines(tmp_path: Path, count: int, ending: bytes) -> None:
    whole = [b"a" * 70000, b"", b"two", b"three", b"four"]
    path = tmp_path / "log"
    path.write_bytes(b"\n".join(whole) + ending)
    fd = os.open(path, os.O_RDONLY)
    begin, found = lines.start_of_last(fd, path.stat().st_size, count)
    os.close(fd)
    expected = whole[-count:] if count else []
    assert path.read_bytes()[begin:] == (b"\n".join(expected) + ending if expected else b"")
    assert found == len(expected)


def test_an_empty_file_has_no_lines(tmp_path: Path) -> None:
    (tmp_path / "log").touch()
    fd = os.open(tmp_path / "log", os.O_RDONLY)
    assert lines.start_of_last(fd, 0, 5) == (0, 0)
    os.close(fd)


def test_lines_come_whole() -> None:
    splitter = lines.Splitter()
    assert splitter.feed(b"one\ntw") == [b"one"]
    assert splitter.feed(b"o\n\nth") == [b"two", b""]
    assert splitter.finish() == [b"th"]
    assert splitter.finish() == []


def test_a_line_without_end_is_shown_in_pieces() -> None:
    splitter = lines.Splitter()
    shown = [line for _ in range(40) for line in splitter.feed(b"x" * 65536)]
    assert len(shown) == 2
    assert sum(map(len, [*shown, *splitter.finish()])) == 40 * 65536


@pytest.mark.parametrize("text", ["(", "[z-a]", "*", "x" * 2000, "(?P<n", "a{99999999999}"])
def test_bad_patterns_are_usage_errors(text: str) -> None:
    with pytest.raises(Problem) as caught:
        lines.pattern(text)
    assert caught.value.code == USAGE


def test_patterns_take_any_bytes() -> None:
    passes = lines.pattern("caf.$")
    assert passes(b"caf\xe9")
    assert passes("café".encode())
    assert not passes(b"tea")


def test_patterns_see_no_colours_and_may_see_no_capitals() -> None:
    assert lines.pattern("^red alert")(b"\x1b[31mred\x1b[0m alert")
    assert lines.pattern("ALERT", ignore_case=True)(b"red alert")
    assert not lines.pattern("ALERT")(b"red alert")
