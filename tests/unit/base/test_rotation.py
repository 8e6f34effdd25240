"""The row of a log's files: moved on by one, packed or not, each with its own index."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

from supervisor.base import rotation


def make(folder: Path, *names: str) -> str:
    for name in names:
        (folder / name).write_text(name)
    return str(folder / "log")


def content(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_shifting_fills_gaps_and_keeps_what_it_may(tmp_path: Path) -> None:
    path = make(tmp_path, "log", "log.1", "log.3")

    rotation.shift(path, 5)

    assert content(tmp_path) == {"log.1": "log", "log.2": "log.1", "log.3": "log.3"}
    make(tmp_path, "log")
    rotation.shift(path, 1)
    assert content(tmp_path)["log.1"] == "log"


def test_packed_files_and_indexes_move_with_the_row(tmp_path: Path) -> None:
    path = make(tmp_path, "log", "log.idx", "log.1", "log.1.idx", "log.2.gz", "log.2.idx", "log.3.gz", "log.3.idx")

    rotation.shift(path, 3)

    assert content(tmp_path) == {
        "log.1": "log",
        "log.1.idx": "log.idx",
        "log.2": "log.1",
        "log.2.idx": "log.1.idx",
        "log.3.gz": "log.2.gz",
        "log.3.idx": "log.2.idx",
    }


def test_nothing_is_kept_where_nothing_is_wanted(tmp_path: Path) -> None:
    rotation.shift(make(tmp_path, "log", "log.idx"), 0)

    assert content(tmp_path) == {}


class Killed(BaseException):
    pass


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("after", range(9))
def test_a_kill_between_any_two_renames_loses_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int, packed: bool
) -> None:
    second = "log.2.gz" if packed else "log.2"
    path = make(tmp_path, "log", "log.idx", "log.1", "log.1.idx", second, "log.2.idx")
    done = []

    def rename(old: str, new: str) -> None:
        if len(done) == after:
            raise Killed
        done.append(new)
        really(old, new)

    really = os.rename
    with monkeypatch.context() as patch, contextlib.suppress(Killed):
        patch.setattr(os, "rename", rename)
        rotation.shift(path, 5)
    if not os.path.exists(path):
        (tmp_path / "log").write_text("new")
    rotation.shift(path, 5)

    kept = sorted(text for text in content(tmp_path).values() if "idx" not in text and text != "new")
    assert kept == sorted(["log", "log.1", second])
    after_all = content(tmp_path)
    for name, text in after_all.items():
        if text.endswith(".idx"):
            file = after_all.get(name.removesuffix(".idx")) or after_all[name.replace(".idx", ".gz")]
            assert text == file.removesuffix(".gz") + ".idx", "an index beside the wrong file"


def test_the_oldest_go_until_the_budget_holds(tmp_path: Path) -> None:
    out, err = str(tmp_path / "out"), str(tmp_path / "err")
    for age, name in enumerate(("err.1", "out.1", "err.2", "out.2.gz", "out.3.gz")):
        (tmp_path / name).write_bytes(b"x" * 100)
        os.utime(tmp_path / name, (0, 1000 - age))

    gone = rotation.trim((out, err), 350, 100)

    assert [os.path.basename(name) for name in gone] == ["out.3.gz", "out.2.gz", "err.2"]
    assert rotation.trim((out, err), 350, 100) == []


def test_older_files_are_found_over_gaps_and_by_number(tmp_path: Path) -> None:
    path = make(tmp_path, "log", "log.1", "log.2.gz", "log.4", "log.x", "log.1.idx")

    found = rotation.rotated(path)

    assert [(each.number, each.packed) for each in found] == [(1, False), (2, True), (4, False)]


def test_older_files_are_found_however_many_were_removed_by_hand(tmp_path: Path) -> None:
    path = make(tmp_path, "log", "log.1", "log.5.gz", "log.800", "log.20270101", "log.-1", "log.\u00b2", "log.5.idx")

    assert [each.number for each in rotation.rotated(path)] == [1, 5, 800]
    assert [each.number for each in rotation.in_a_row(path)] == [1]
    assert [each.number for each in rotation.in_a_row(path, 4)] == [5]
    assert rotation.last_number(str(tmp_path / "nowhere" / "log")) == 0
