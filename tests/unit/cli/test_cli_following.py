"""Following a file: each byte once, whatever is done to the file."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from supervisor.cli.following import DayFollower, Follower


class Log:
    """A log as the pump writes it: rotated by renames, numbered lines."""

    def __init__(self, path: Path, keep: int = 3) -> None:
        self.path = path
        self.keep = keep
        self.number = 0
        self.written = b""

    def write(self, count: int = 1) -> None:
        for _ in range(count):
            self.number += 1
            line = b"line %d\n" % self.number
            self.written += line
            with open(self.path, "ab") as file:
                file.write(line)

    def rotate(self) -> None:
        for number in range(self.keep, 0, -1):
            older = f"{self.path}.{number - 1}" if number > 1 else str(self.path)
            if os.path.exists(older):
                os.rename(older, f"{self.path}.{number}")


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "server.log")


def read(follower: Follower | DayFollower) -> bytes:
    return b"".join(follower.read())


def test_only_what_is_new(log: Log) -> None:
    log.write(3)
    follower = Follower(str(log.path))
    follower.begin_at_end()
    assert read(follower) == b""
    log.write()
    assert read(follower) == b"line 4\n"
    follower.close()


def test_a_file_that_comes_later(log: Log) -> None:
    follower = Follower(str(log.path))
    assert read(follower) == b""
    log.write(2)
    assert read(follower) == log.written
    follower.close()


def test_one_rotation(log: Log) -> None:
    follower = Follower(str(log.path))
    log.write(2)
    assert read(follower) == log.written
    log.write()  # not seen before the rotation
    log.rotate()
    log.write()
    assert read(follower) == b"line 3\nline 4\n"
    follower.close()


def test_between_the_renames_nothing_is_missed(log: Log) -> None:
    follower = Follower(str(log.path))
    log.write()
    read(follower)
    log.rotate()  # the new file is not there yet
    assert read(follower) == b""
    log.write()
    assert read(follower) == b"line 2\n"
    follower.close()


def test_several_rotations_between_two_looks(log: Log) -> None:
    follower = Follower(str(log.path))
    log.write()
    seen = read(follower)
    for _ in range(3):
        log.write(2)
        log.rotate()
    log.write()
    assert seen + read(follower) == log.written
    assert not follower.lost
    follower.close()


def test_more_rotations_than_are_kept_are_confessed(log: Log) -> None:
    follower = Follower(str(log.path))
    log.write()
    read(follower)
    for _ in range(6):
        log.rotate()
        log.write()
    assert read(follower) == b"".join(b"line %d\n" % n for n in (4, 5, 6, 7))
    assert follower.lost
    follower.close()


def test_truncation_begins_again(log: Log) -> None:
    follower = Follower(str(log.path))
    log.write(5)
    read(follower)
    os.truncate(log.path, 0)
    log.write()
    assert read(follower) == b"line 6\n"
    follower.close()


def test_a_removed_file_does_not_bring_old_ones_back(log: Log) -> None:
    follower = Follower(str(log.path))
    log.write(2)
    log.rotate()
    os.utime(f"{log.path}.1", (1, 1))
    log.write()
    assert read(follower) == b"line 3\n"
    os.unlink(log.path)
    log.write()
    assert read(follower) == b"line 4\n"
    follower.close()


@pytest.mark.parametrize("seed", range(50))
def test_any_history(log: Log, seed: int) -> None:
    rng = random.Random(seed)
    follower = Follower(str(log.path))
    log.write()
    seen = read(follower)
    rotations = 0
    for _ in range(60):
        what = rng.random()
        if what < 0.5:
            log.write(rng.randrange(4))
        elif what < 0.7 and rotations < log.keep and os.path.exists(log.path):
            log.rotate()
            rotations += 1
        else:
            seen += read(follower)
            rotations = 0
    seen += read(follower)
    assert seen == log.written
    follower.close()


def test_midnight(tmp_path: Path) -> None:
    follower = DayFollower(str(tmp_path))
    (tmp_path / "2026-11-20.log").write_text("before\n")
    follower.begin_at_end()
    with open(tmp_path / "2026-11-20.log", "a") as file:
        file.write("late\n")
    (tmp_path / "2026-11-21.log").write_text("early\n")
    (tmp_path / "2026-11-23.log").write_text("a day was slept through\n")
    (tmp_path / "notes.log").write_text("no day\n")
    assert read(follower) == b"late\nearly\na day was slept through\n"
    assert read(follower) == b""
    follower.close()


def test_the_first_day_comes_later(tmp_path: Path) -> None:
    follower = DayFollower(str(tmp_path / "scheduler"))
    follower.begin_at_end()
    assert read(follower) == b""
    (tmp_path / "scheduler").mkdir()
    (tmp_path / "scheduler" / "2026-11-21.log").write_text("first\n")
    assert read(follower) == b"first\n"
    follower.close()


def test_a_folder_of_its_name_is_passed_over(log: Log) -> None:
    follower = Follower(str(log.path))
    log.write()
    read(follower)
    os.unlink(log.path)
    log.path.mkdir()
    assert read(follower) == b""
    log.path.rmdir()
    log.write()
    assert read(follower) == b"line 2\n"
    follower.close()


def test_a_pipe_of_its_name_is_not_read(log: Log) -> None:
    os.mkfifo(log.path)
    follower = Follower(str(log.path))
    assert read(follower) == b""
    follower.close()
