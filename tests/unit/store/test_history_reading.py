"""What the command line and the config server see."""

from __future__ import annotations

import _sqlite3
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support.history import AT, History, opened, put, put_runs, query

from supervisor.base.errors import Problem
from supervisor.store import asking, reading
from supervisor.store.database import create, open_reader, open_writer
from supervisor.store.making import Maker
from supervisor.store.rows import RunRow, SlotRow, StepRow
from supervisor.store.schema import VERSION
from supervisor.store.writes import Write

STATES = ["succeeded", "failed", "succeeded", "lost", "timed_out", "running"]

QUESTIONS: dict[str, tuple[Callable[[str], Any], object]] = {
    "runs": (lambda path: reading.runs(path), []),
    "slots": (lambda path: reading.slots(path, "web"), []),
    "slot_at": (lambda path: reading.slot_at(path, "web", AT), None),
    "statistics": (lambda path: reading.statistics(path), {}),
    "open_runs": (lambda path: reading.open_runs(path), []),
}


@pytest.fixture
def path(file: Path) -> str:
    put_runs(file, "web", STATES)
    put_runs(file, "job", ["failed", "succeeded"], start=AT + 30)
    return str(file)


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return [row["id"] for row in rows]


def test_runs_are_the_newest_first(path: str) -> None:
    assert ids(reading.runs(path)) == ["web-5", "web-4", "web-3", "web-2", "job-1", "web-1", "job-0", "web-0"]
    assert ids(reading.runs(path, limit=2)) == ["web-5", "web-4"]


def test_runs_of_a_schedule_of_a_state_or_since(path: str) -> None:
    assert ids(reading.runs(path, "job")) == ["job-1", "job-0"]
    assert ids(reading.runs(path, plugin="job")) == ["job-1", "job-0"]
    assert ids(reading.runs(path, state="succeeded")) == ["web-2", "job-1", "web-0"]
    assert ids(reading.runs(path, failed=True)) == ["web-4", "web-1", "job-0"]
    assert ids(reading.runs(path, failed=True, limit=2)) == ["web-4", "web-1"]
    assert ids(reading.runs(path, since=(AT + 240) * 1000)) == ["web-5", "web-4"]
    assert ids(reading.runs(path, tenant="nobody")) == []


def test_runs_page_by_page(path: str) -> None:
    seen = ids(reading.runs(path, limit=3))
    while page := ids(reading.runs(path, limit=3, before=seen[-1])):
        seen += page

    assert seen == ids(reading.runs(path))
    assert ids(reading.runs(path, before=(AT + 30) * 1000)) == ["web-0"]
    assert reading.runs(path, before="gone") == []


def test_runs_of_one_millisecond_page_too(file: Path) -> None:
    put_runs(file, "web", ["succeeded"] * 5, every=0)
    query(file, "UPDATE runs SET claimed = 1")

    pages = [ids(reading.runs(str(file), before=before, limit=2)) for before in (None, "web-3", "web-1")]

    assert pages == [["web-4", "web-3"], ["web-2", "web-1"], ["web-0"]]


def test_steps_stand_in_the_order_in_which_they_began(file: Path) -> None:
    done = [("get", 1), ("process", 1), ("process", 2), ("rollback", 1)]
    numbers = {"get": 0, "process": 1, "rollback": 2}

    def make(maker: Maker) -> Iterator[Write]:
        yield maker.claim([SlotRow("web", AT)], RunRow("r-abc", "web", claimed=AT * 1000), lambda _: None)
        for place, (name, attempt) in enumerate(done):
            yield maker.step(StepRow("r-abc", numbers[name], attempt, name=name, started=AT * 1000 + place))

    put(file, make)

    assert [(step["name"], step["attempt"]) for step in reading.run(str(file), "r-abc")["steps"]] == done


def test_a_run_with_its_steps_in_words_of_people(file: Path) -> None:
    def make(maker: Maker) -> Iterator[Write]:
        row = RunRow("r-abc", "web", claimed=AT * 1000 + 7, nominal=AT, steps=["get", "push"], args={"args": ["x"]})
        yield maker.claim([SlotRow("web", AT)], row, lambda _: None)
        yield maker.step(StepRow("r-abc", 1, name="push"))
        yield maker.step(StepRow("r-abc", 0, name="get", words=["one", "two"]))

    put(file, make)

    run = reading.run(str(file), "abc")

    assert (run["id"], run["claimed"], run["nominal"]) == (
        "r-abc",
        "2023-11-14T22:13:20.007Z",
        "2023-11-14T22:13:20.000Z",
    )
    assert [(step["name"], step["words"]) for step in run["steps"]] == [("get", ["one", "two"]), ("push", None)]
    assert (run["planned_steps"], run["args"]) == (["get", "push"], {"args": ["x"]})
    assert [slot["outcome"] for slot in run["slots"]] == ["claimed"]


def test_a_run_by_a_part_of_its_id(path: str) -> None:
    assert reading.run(path, "web-3")["state"] == "lost"
    assert reading.run(path, "b-3")["state"] == "lost"
    with pytest.raises(Problem, match="several runs are like web") as several:
        reading.run(path, "web")
    assert "web-0, web-1" in several.value.why
    with pytest.raises(Problem, match="there is no run nope"):
        reading.run(path, "nope")
    with pytest.raises(Problem, match="there is no run x"):
        reading.run(path + ".missing", "x")


def test_an_exact_id_beats_the_beginning_of_another(file: Path) -> None:
    put_runs(file, "web", ["succeeded"] * 11)

    assert reading.run(str(file), "web-1")["id"] == "web-1"


def test_slots_around_a_time(path: str) -> None:
    def nominals(**how: Any) -> list[int]:
        wanted = {reading_iso(AT + each * 60): each for each in range(6)}
        return [wanted[row["nominal"]] for row in reading.slots(path, "web", **how)]

    assert nominals() == [5, 4, 3, 2, 1, 0]
    assert nominals(limit=2) == [5, 4]
    assert nominals(around=AT + 130, limit=4) == [4, 3, 2, 1]
    assert nominals(around=AT + 10_000, limit=2) == [5, 4]


def reading_iso(seconds: int) -> str:
    from supervisor.store.asking import iso_ms

    return iso_ms(seconds * 1000)


def test_the_slot_at_a_time(file: Path) -> None:
    def make(maker: Maker) -> Iterator[Write]:
        yield maker.skip([SlotRow("web", AT, nominal_to=AT + 600, outcome="skipped", reason="paused", count=11)])
        yield maker.skip([SlotRow("web", AT + 1000, outcome="skipped", reason="overlap")])

    put(file, make)

    def at(epoch: int) -> tuple[str, bool]:
        row = reading.slot_at(str(file), "web", epoch)
        assert row is not None
        return row["reason"], row["holds"]

    assert at(AT) == at(AT + 333) == at(AT + 600) == ("paused", True)
    assert at(AT + 700) == at(AT - 5) == ("paused", False)
    assert at(AT + 900) == at(AT + 5000) == ("overlap", False)
    assert at(AT + 1000) == ("overlap", True)
    assert reading.slot_at(str(file), "other", AT) is None


def test_statistics_are_of_the_last_hundred_good_runs(file: Path) -> None:
    put_runs(file, "web", ["succeeded"] * 100, took=9_000)
    put_runs(file, "web2", ["failed"] * 3)
    put_runs(file, "web", ["succeeded"] * 5, took=9_000, start=AT + 100_000)  # the same ids: nothing new
    found = reading.statistics(str(file))

    assert found["web"]["total"] == 100
    assert (found["web"]["count"], found["web"]["avg_ms"], found["web"]["p95_ms"]) == (100, 9_000, 9_000)
    assert (found["web2"]["failed"], found["web2"]["streak"], found["web2"]["avg_ms"]) == (3, 3, None)
    assert list(reading.statistics(str(file), "web2")) == ["web2"]


def test_open_runs(path: str) -> None:
    assert ids(reading.open_runs(path)) == ["web-5"]


# while it is written, and while it is not there


def test_reading_goes_on_while_somebody_writes(path: str) -> None:
    with opened(Path(path)) as db:
        db.execute("BEGIN IMMEDIATE")
        db.execute("DELETE FROM runs")

        assert len(reading.runs(path)) == 8
        db.execute("ROLLBACK")


def test_what_a_killed_writer_left_is_read(path: str, tmp_path: Path) -> None:
    """Its newest rows are in the -wal alone."""
    with opened(Path(path)) as db:
        db.execute("UPDATE runs SET cause = 'late'")
        for end in ("", "-wal"):
            (tmp_path / f"copy.db{end}").write_bytes(Path(path + end).read_bytes())

    assert {row["cause"] for row in reading.runs(str(tmp_path / "copy.db"))} == {"late"}


@pytest.mark.parametrize(("question", "nothing"), QUESTIONS.values(), ids=QUESTIONS.keys())
def test_without_a_file_there_is_no_history(question: Callable[[str], Any], nothing: object, file: Path) -> None:
    assert question(str(file)) == nothing
    assert not file.exists()

    file.parent.mkdir()
    file.touch()  # the writer is about to make its tables
    assert question(str(file)) == nothing


@pytest.mark.parametrize("question", [each[0] for each in QUESTIONS.values()], ids=QUESTIONS.keys())
def test_a_damaged_file_is_a_problem_in_words(question: Callable[[str], Any], path: str) -> None:
    Path(path).write_bytes(b"this is no database\n" * 1000)

    with pytest.raises(Problem, match="the history can't be read") as it:
        question(path)
    assert it.value.why == f"{path}: it is not a database"
    assert "restore" in it.value.remedy


def test_a_file_of_a_newer_version_is_a_problem_in_words(path: str) -> None:
    query(Path(path), f"PRAGMA user_version = {VERSION + 1}")

    with pytest.raises(Problem) as it:
        reading.runs(path)
    assert "newer version of sbctl" in it.value.why


def test_the_database_of_another_program_is_a_problem_in_words(path: str) -> None:
    query(Path(path), "PRAGMA application_id = 7")

    with pytest.raises(Problem) as it:
        reading.runs(path)
    assert "another program" in it.value.why


def test_a_locked_file_is_a_problem_in_words(path: str) -> None:
    other = _sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")

    with pytest.raises(Problem) as it:
        reading.runs(path)
    assert "another program holds a lock on it" in it.value.why
    assert path in it.value.remedy
    other.close()


def test_a_folder_in_its_place_is_a_problem_in_words(file: Path) -> None:
    file.mkdir(parents=True)

    with pytest.raises(Problem) as it:
        reading.runs(str(file))
    assert "it is not a file" in it.value.why


def test_a_reader_can_not_write(path: str) -> None:
    from supervisor.store.database import open_reader

    db = open_reader(path)
    with pytest.raises(_sqlite3.OperationalError):
        db.execute("DELETE FROM runs")
    db.close()


def test_a_reader_leaves_a_running_writer_alone(history: History) -> None:
    history.claim("web")
    history.settle()

    for _ in range(20):
        assert len(reading.runs(str(history.path))) == 1
    answers = history.claim("web", AT + 1)
    history.settle()

    assert answers == [True]
    assert history.troubles == []
    assert os.path.exists(f"{history.path}-wal")


# with a million runs


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        ("SELECT rowid AS place, * FROM runs ORDER BY claimed DESC, rowid DESC LIMIT 50", "runs_by_time"),
        ("SELECT * FROM runs WHERE schedule = 'a' ORDER BY claimed DESC, rowid DESC LIMIT 50", "runs_of_schedule"),
        ("SELECT * FROM runs WHERE state = 'failed' ORDER BY claimed DESC, rowid DESC LIMIT 50", "runs_in_state"),
        ("SELECT * FROM runs WHERE tenant = 'a' ORDER BY claimed DESC, rowid DESC LIMIT 50", "runs_of_tenant"),
        (
            "SELECT id FROM runs WHERE (claimed, rowid) < (5, 5) ORDER BY claimed DESC, rowid DESC LIMIT 9",
            "runs_by_time",
        ),
        ("SELECT id FROM runs WHERE id >= 'a' AND id < 'b' LIMIT 11", "sqlite_autoindex_runs_1"),
        ("SELECT * FROM slots WHERE schedule = 'a' AND nominal <= 5 ORDER BY nominal DESC LIMIT 1", "PRIMARY KEY"),
        ("SELECT * FROM slots WHERE run = 'a' ORDER BY nominal", "slots_of_run"),
        ("SELECT id FROM runs WHERE state = 'failed' AND claimed < 5 LIMIT 100", "runs_in_state"),
        ("SELECT * FROM steps WHERE run = 'a' ORDER BY started, number, attempt", "PRIMARY KEY"),
    ],
)
def test_questions_go_by_an_index(file: Path, statement: str, index: str) -> None:
    with opened(file) as db:
        plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {statement}")]

    assert index in plan[0]
    assert not any("TEMP B-TREE FOR ORDER BY" in line for line in plan if "LIMIT" in statement)


class Torn:
    """A connection between two of whose questions somebody else makes the tables."""

    def __init__(self, db: Any, path: str) -> None:
        self._db = db
        self._path = path

    def execute(self, statement: str, *values: Any) -> Any:
        found = self._db.execute(statement, *values)
        if statement == "PRAGMA user_version":
            open_writer(self._path, 0.0).close()
        return found

    def close(self) -> None:
        self._db.close()


def test_whoever_asks_while_the_tables_are_made_is_not_told_of_a_foreign_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "history.db")
    create(path, 0.0)
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
    monkeypatch.setattr(asking, "open_reader", lambda its: Torn(open_reader(its), its))

    assert asking.ask(path, lambda _db: "rows", "nothing yet") == "nothing yet"
    assert asking.ask(path, lambda _db: "rows", "nothing yet") == "rows"
