"""A copy of the history, and the way back."""

from __future__ import annotations

import _sqlite3
import stat
from pathlib import Path

import pytest
from support.history import AT, History, opened, put_runs, query

from supervisor.base.errors import Problem
from supervisor.store import backup, reading
from supervisor.store.schema import VERSION


def ids(path: Path) -> list[str]:
    return [row["id"] for row in reading.runs(str(path))]


def test_a_copy_is_whole_while_somebody_writes(file: Path, tmp_path: Path) -> None:
    put_runs(file, "web", ["succeeded"] * 50)
    copy = tmp_path / "copy.db"
    with opened(file) as db:
        db.execute("BEGIN IMMEDIATE")
        db.execute("DELETE FROM runs")

        assert backup.copy(str(file), str(copy))
        db.execute("COMMIT")

    assert len(ids(copy)) == 50
    assert backup.check(str(copy)) == []
    assert stat.S_IMODE(copy.stat().st_mode) == 0o640
    assert [each.name for each in tmp_path.iterdir() if each.is_file()] == ["copy.db"]
    assert query(copy, "PRAGMA user_version") == [(VERSION,)]
    assert query(copy, "PRAGMA auto_vacuum") == [(2,)]


def test_a_copy_of_what_the_scheduler_has_just_written(history: History, tmp_path: Path) -> None:
    history.claim("web", run="a")
    history.settle()

    backup.copy(str(history.path), str(tmp_path / "copy.db"))

    assert ids(tmp_path / "copy.db") == ["a"]


def test_an_older_copy_is_replaced_as_a_whole(file: Path, tmp_path: Path) -> None:
    put_runs(file, "web", ["succeeded"])
    (tmp_path / "copy.db").write_text("an older one")

    backup.copy(str(file), str(tmp_path / "copy.db"))

    assert ids(tmp_path / "copy.db") == ["web-0"]


def test_without_a_history_there_is_no_copy(file: Path, tmp_path: Path) -> None:
    assert not backup.copy(str(file), str(tmp_path / "copy.db"))
    assert not (tmp_path / "copy.db").exists()


def test_a_folder_that_is_not_there(file: Path, tmp_path: Path) -> None:
    put_runs(file, "web", ["succeeded"])

    with pytest.raises(Problem):
        backup.copy(str(file), str(tmp_path / "missing" / "copy.db"))


def test_a_damaged_copy_is_found_out(file: Path, tmp_path: Path) -> None:
    put_runs(file, "web", ["succeeded"] * 300)
    data = file.read_bytes()
    for name, bad in {
        "text": b"no database\n" * 1000,
        "cut": data[: len(data) // 2],
        "page": data[: 4096 * 9] + b"\xa5" * 4096 + data[4096 * 10 :],
        "empty": b"",
    }.items():
        (tmp_path / name).write_bytes(bad)
        assert backup.check(str(tmp_path / name)) != [], name
    assert backup.check(str(tmp_path / "none")) == ["No such file or directory"]


def test_the_way_back(file: Path, tmp_path: Path) -> None:
    put_runs(file, "web", ["succeeded"] * 3)
    backup.copy(str(file), str(tmp_path / "copy.db"))
    put_runs(file, "job", ["succeeded"] * 300)

    aside = backup.restore(str(tmp_path / "copy.db"), str(file))

    assert ids(file) == ["web-2", "web-1", "web-0"]
    assert backup.check(str(file)) == []
    assert len(reading.runs(aside, limit=1000)) == 303
    assert aside.startswith(f"{file}.before-")


def test_the_way_back_while_the_scheduler_runs(history: History, tmp_path: Path) -> None:
    put_runs(tmp_path / "copy.db", "old", ["succeeded"] * 100)
    history.claim("web", run="a")
    history.settle()

    backup.restore(str(tmp_path / "copy.db"), str(history.path))
    answers = history.claim("web", AT + 60, run="b")
    history.settle()

    assert answers == [True]
    assert history.troubles == []
    assert query(history.path, "SELECT count(*), max(id = 'a'), max(id = 'b') FROM runs") == [(101, 0, 1)]
    assert backup.check(str(history.path)) == []


@pytest.mark.parametrize("there", [None, b"", b"no database\n" * 1000])
def test_the_way_back_where_there_is_no_history_or_a_damaged_one(
    file: Path, tmp_path: Path, there: bytes | None
) -> None:
    put_runs(tmp_path / "copy.db", "old", ["succeeded"])
    if there is not None:
        file.parent.mkdir()
        file.write_bytes(there)

    aside = backup.restore(str(tmp_path / "copy.db"), str(file))

    assert ids(file) == ["old-0"]
    assert (Path(aside).read_bytes() if aside else None) == there


def test_there_is_no_way_back_to_a_damaged_copy(file: Path, tmp_path: Path) -> None:
    put_runs(file, "web", ["succeeded"])
    (tmp_path / "bad.db").write_bytes(b"no database\n" * 1000)

    with pytest.raises(Problem, match="no history to go back to"):
        backup.restore(str(tmp_path / "bad.db"), str(file))

    assert ids(file) == ["web-0"]


def test_a_lock_that_stays_keeps_the_present_history(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "LOCK_TRIES", 3)
    monkeypatch.setattr(backup, "LOCK_WAIT_S", 0.05)
    put_runs(file, "web", ["succeeded"])
    put_runs(tmp_path / "copy.db", "old", ["succeeded"])
    other = _sqlite3.connect(str(file), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(Problem, match="the history can't be written"):
        backup.restore(str(tmp_path / "copy.db"), str(file))

    other.close()
    assert ids(file) == ["web-0"]
