"""The disk of the history is full, or read-only, for a while."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.history import AT, History, query

from supervisor.store import condition, reading
from supervisor.store.rows import RunRow, SlotRow


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """512 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k,mode=755", "tmpfs", folder], check=False)
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.fixture
def history(disk: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[History]:
    monkeypatch.setattr(condition, "MAX_PAUSE_S", 0.1)
    history = History(disk / "history.db")
    history.writer.open()
    yield history
    history.end()
    assert history.errors == []


def fill(disk: Path) -> Path:
    filler = disk / "filler"
    with open(filler, "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            return filler


def remount(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", disk], check=True)


def claim_many(history: History, count: int) -> list[bool]:
    answers: list[bool] = []
    for number in range(count):
        row = RunRow(f"r{number}", "web", words=["x" * 500])
        assert history.writer.claim([SlotRow("web", AT + number)], row, answers.append)
    return answers


@pytest.mark.root
def test_a_disk_that_is_full_for_a_while(history: History, disk: Path) -> None:
    history.claim("before")
    history.settle()
    filler = fill(disk)

    answers = claim_many(history, 100)
    history.until(lambda: history.troubles)
    assert history.troubles == ["history.db can't be written: the disk is full"]
    assert (answers, history.writer.queued) == ([], 100)
    assert len(reading.runs(str(history.path))) == 1

    filler.unlink()
    history.settle()

    assert answers == [True] * 100
    assert history.recovered == [("history.db is written again", 0)]
    assert query(history.path, "PRAGMA integrity_check") == [("ok",)]
    assert query(history.path, "SELECT count(*) FROM runs") == [(101,)]


@pytest.mark.root
def test_a_disk_that_is_full_from_the_beginning(history: History, disk: Path) -> None:
    filler = fill(disk)
    loaded = history.load()
    assert loaded.trouble == "history.db can't be written: the disk is full"
    answers = history.claim("web")

    filler.unlink()
    history.settle()

    assert answers == [True]
    assert len(history.troubles) == len(history.recovered) == 1


@pytest.mark.root
def test_a_history_that_fills_its_disk_itself(history: History, disk: Path) -> None:
    history.load()
    for number in range(40):
        history.writer.claim([], RunRow(f"r{number}", "web", words=["x" * 20_000]), lambda _: None)

    history.until(lambda: history.troubles)
    assert history.troubles == ["history.db can't be written: the disk is full"]

    remount(disk, "size=8m")
    history.settle()
    assert query(history.path, "SELECT count(*) FROM runs") == [(40,)]


@pytest.mark.root
def test_a_disk_that_is_read_only_for_a_while(history: History, disk: Path) -> None:
    history.claim("web")
    history.settle()
    history.writer.close(5.0)
    remount(disk, "ro")
    history.writer.open()

    loaded = history.load()
    assert [run["id"] for run in loaded.runs] == [f"web-{AT}"]
    assert loaded.trouble != ""
    answers = history.claim("web", AT + 1)
    history.turn()
    assert (answers, history.writer.queued) == ([], 1)
    assert len(reading.runs(str(history.path))) == 1

    remount(disk, "rw")
    history.settle()

    assert answers == [True]
    assert len(history.recovered) == 1
