"""Files that are appended to: rotated between two records, and never in the way of their writer."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from supervisor.events import append
from supervisor.events.append import AppendFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log"


def test_it_is_rotated_between_two_records(path: Path, clock: Any) -> None:
    file = AppendFile(str(path), clock, max_bytes=10, keep=2)

    for record in (b"first\n", b"two\n", b"third\n", b"longer than all that\n", b"last\n"):
        assert file.append(record)

    assert path.read_bytes() == b"last\n"
    assert path.with_name("log.1").read_bytes() == b"longer than all that\n"
    assert path.with_name("log.2").read_bytes() == b"third\n"
    assert sorted(os.listdir(path.parent)) == ["log", "log.1", "log.2"]


def test_what_an_earlier_writer_left_counts(path: Path, clock: Any) -> None:
    path.write_bytes(b"nine byte\n")

    AppendFile(str(path), clock, max_bytes=10).append(b"new\n")

    assert (path.read_bytes(), path.with_name("log.1").read_bytes()) == (b"new\n", b"nine byte\n")


def test_without_a_limit_it_grows(path: Path, clock: Any) -> None:
    file = AppendFile(str(path), clock)
    for _ in range(100):
        file.append(b"line\n")

    assert os.listdir(path.parent) == ["log"]


def test_when_it_can_not_be_rotated_it_grows(path: Path, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    file = AppendFile(str(path), clock, max_bytes=10)
    tries = []

    def refuse(*args: object) -> None:
        tries.append(args)
        raise PermissionError

    with monkeypatch.context() as patch:
        patch.setattr(append, "shift", refuse)
        assert all(file.append(b"a line\n") for _ in range(5))
    assert path.read_bytes() == b"a line\n" * 5
    assert len(tries) == 1

    clock.pass_by(1.1)
    file.append(b"new\n")

    assert path.read_bytes() == b"new\n"
