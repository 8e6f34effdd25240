"""The file is locked, full, damaged, gone or somebody else's: sbctl goes on, and says so once."""

from __future__ import annotations

import _sqlite3
import _thread
import os
import tracemalloc
from pathlib import Path

import pytest
from support.fakes import raise_it
from support.history import AT, History, opened, put_runs, query

from supervisor.base.clock import SystemClock
from supervisor.store import condition, database, loads, writer
from supervisor.store.making import Maker
from supervisor.store.queue import Queue
from supervisor.store.rows import Loaded, RunRow, SlotRow


def lock(file: Path) -> _sqlite3.Connection:
    """Another program that writes, and does not come to its end."""
    db = _sqlite3.connect(str(file), isolation_level=None, timeout=0)
    db.execute("BEGIN IMMEDIATE")
    return db


def add_pragma(monkeypatch: pytest.MonkeyPatch, pragma: str) -> None:
    monkeypatch.setattr(database, "WRITER", (*database.WRITER, pragma))


def set_version(file: Path, version: int) -> None:
    db = _sqlite3.connect(str(file), isolation_level=None)
    db.execute(f"PRAGMA user_version = {version}")
    db.close()


def asides(file: Path) -> list[str]:
    """What was kept of damaged files, without what lay beside them."""
    return [each.name for each in file.parent.iterdir() if ".broken-" in each.name and not each.name.endswith("-wal")]


# locked


def test_a_lock_that_passes_is_no_news(history: History) -> None:
    history.load()
    other = lock(history.path)
    answers = history.claim("web")
    history.until(lambda: not history.writer.is_durable)
    assert (answers, history.writer.queued) == ([], 1)

    other.close()
    history.settle()

    assert answers == [True]
    assert history.writer.is_durable
    assert (history.troubles, history.recovered) == ([], [])


def test_a_lock_that_stays_is_told_once_and_so_is_its_end(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(condition, "BUSY_TOLD_S", 0.05)
    monkeypatch.setattr(condition, "MAX_PAUSE_S", 0.04)
    history.load()
    other = lock(history.path)
    answers = [history.claim("web", AT + number)[:] for number in range(20)]
    history.until(lambda: history.troubles)
    history.until(lambda: history.writer.trouble)
    assert history.writer.queued == 20

    other.close()
    history.settle()

    assert answers == [[]] * 20
    assert history.troubles == ["history.db can't be written: another program holds a lock on it"]
    assert history.recovered == [("history.db is written again", 0)]
    assert len(query(history.path, "SELECT * FROM runs")) == 20


def test_the_pause_between_tries_grows_up_to_five_seconds() -> None:
    it = condition.Condition("x", lambda text: None, lambda text, dropped: None)
    it.failed(database.Trouble("busy", ""), 0.0)

    pauses = [it.pause() for _ in range(12)]

    assert pauses[:4] == [0.02, 0.04, 0.08, 0.16]
    assert pauses[-2:] == [5.0, 5.0]


def test_a_starting_scheduler_waits_for_a_lock_but_not_for_ever(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loads, "LOAD_LIMIT_S", 0.1)
    put_runs(history.path, "web", ["running"])
    other = _sqlite3.connect(str(history.path), isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")

    loaded = history.load()

    assert (loaded.runs, loaded.trouble) == ([], "history.db can't be written: another program holds a lock on it")
    assert not loaded.comes_later  # nobody wants to hear of it
    other.close()


def test_a_lock_that_goes_in_time_is_no_trouble_of_what_was_read(history: History) -> None:
    put_runs(history.path, "web", ["running"])
    other = _sqlite3.connect(str(history.path), isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    found: list[Loaded] = []
    history.writer.load(found.append)
    history.until(lambda: history.writer.trouble)

    other.close()
    history.until(lambda: found)

    assert ([row["id"] for row in found[0].runs], found[0].trouble) == (["web-0"], "")


def test_what_could_not_be_read_in_time_is_read_before_anything_is_written(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loads, "LOAD_LIMIT_S", 0.1)
    put_runs(history.path, "web", ["succeeded", "running"])
    other = _sqlite3.connect(str(history.path), isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    found: list[Loaded] = []
    late: list[Loaded] = []
    history.writer.load(found.append, ["web-0"], late.append)
    history.until(lambda: found)
    assert (found[0].comes_later, found[0].cursors, late) == (True, {}, [])

    history.writer.schedule_state("web", cursor=AT + 1000, cycle=1)
    answers = history.claim("web", AT + 1000)
    history.until(lambda: Path(f"{history.path}.waiting").stat().st_size)  # it dies with nobody
    other.close()
    history.until(lambda: answers)

    assert answers == [True]
    assert [(it.comes_later, it.cursors, it.ended) for it in late] == [(False, {"web": AT + 60}, {"web-0"})]
    assert [row["id"] for row in late[0].runs] == ["web-1"]
    history.settle()
    assert not Path(f"{history.path}.waiting").exists()
    assert history.load().cursors == {"web": AT + 1000}
    assert len(late) == 1


def test_what_is_no_lock_is_asked_for_again_too(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    put_runs(history.path, "web", ["running"])
    found: list[Loaded] = []
    late: list[Loaded] = []
    with monkeypatch.context() as closed:
        closed.setattr(database, "open_reader", lambda *_: raise_it(OSError()))
        closed.setattr(database, "open_writer", lambda *_: raise_it(database.Trouble("unwritable", "access is denied")))
        history.writer.load(found.append, [], late.append)
        history.until(lambda: found)
    assert (found[0].comes_later, found[0].runs) == (True, [])
    history.until(lambda: late)

    assert [row["id"] for row in late[0].runs] == ["web-0"]
    history.until(lambda: history.writer.is_durable)


def test_what_will_never_be_read_is_not_waited_for(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    from supervisor.store import worker

    monkeypatch.setattr(loads, "LOAD_LIMIT_S", 0.05)
    hangs = _thread.allocate_lock()
    found: list[Loaded] = []
    late: list[Loaded] = []
    with hangs, monkeypatch.context() as broken:
        broken.setattr(worker, "load", lambda *_: (hangs.acquire(), hangs.release(), raise_it(ValueError("a defect"))))
        history.writer.load(found.append, [], late.append)
        history.until(lambda: found)
        assert found[0].comes_later
        hangs.release()
        history.until(lambda: late)
        hangs.acquire()
    answers = history.claim("web")
    history.until(lambda: answers)

    assert (late[0].runs, late[0].comes_later, answers) == ([], False, [True])
    assert [str(error) for error in history.errors] == ["a defect"]
    history.errors.clear()


def test_the_end_waits_for_a_lock_as_long_as_it_may(history: History) -> None:
    history.load()
    other = lock(history.path)
    answers = history.claim("web")

    assert not history.writer.close(0.1)
    assert answers == []

    other.close()
    history.writer.open()
    history.settle()
    assert answers == [True]


# full


def test_a_full_disk_keeps_the_queue(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(history.path) as db:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
    add_pragma(monkeypatch, f"PRAGMA max_page_count = {pages + 2}")
    history.load()
    row = RunRow("big", "web", words=["x" * 50_000])
    answers: list[bool] = []
    history.writer.claim([SlotRow("web", AT)], row, answers.append)

    history.until(lambda: history.troubles)

    assert history.troubles == ["history.db can't be written: the disk is full"]
    assert (answers, history.writer.queued, history.writer.is_durable) == ([], 1, False)
    assert query(history.path, "SELECT * FROM slots") == []  # nothing is half done


def test_when_there_is_room_again_all_of_it_is_written(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(history.path) as db:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
    with monkeypatch.context() as full:
        add_pragma(full, f"PRAGMA max_page_count = {pages + 2}")
        history.load()
        history.writer.claim([], RunRow("big", "web", words=["x" * 50_000]), lambda _: None)
        history.until(lambda: history.troubles)

    os.unlink(f"{history.path}-shm")  # which makes it open the file anew
    history.settle()

    assert query(history.path, "SELECT id FROM runs") == [("big",)]
    assert history.recovered == [("history.db is written again", 0)]


# what can't be written at all


def test_a_read_only_file_can_be_read_all_the_same(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    put_runs(history.path, "web", ["running"])
    with monkeypatch.context() as read_only:
        add_pragma(read_only, "PRAGMA query_only = ON")
        answers = history.claim("web", AT + 1)
        history.until(lambda: history.troubles)
        loaded = history.load()
        assert [run["id"] for run in loaded.runs] == ["web-0"]
    history.settle()

    assert history.troubles == ["history.db can't be written: it is read-only"]
    assert answers == [True]
    assert len(history.recovered) == 1


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("")
    history = History(tmp_path / "logs" / "history.db")
    history.writer.open()
    answers = history.claim("web")
    history.until(lambda: history.troubles)
    assert history.writer.queued == 1

    (tmp_path / "logs").unlink()
    history.settle()

    assert answers == [True]
    assert len(history.troubles) == len(history.recovered) == 1
    history.end()


def test_something_else_that_has_its_name(history: History) -> None:
    os.makedirs(history.path.parent)
    os.mkfifo(history.path)
    history.claim("web")

    history.until(lambda: history.troubles)

    assert history.troubles == ["history.db can't be written: it is not a file"]


# not ours


def test_a_file_of_a_newer_version_is_not_touched(history: History) -> None:
    put_runs(history.path, "web", ["succeeded"])
    set_version(history.path, 99)
    before = history.path.read_bytes()
    done: list[bool] = []
    history.writer.run_ended("a", {"state": "failed"}, done.append)
    answers = history.claim("web", AT + 60)

    history.until(lambda: history.troubles)
    history.until(lambda: done)

    assert "newer version of sbctl (tables 99" in history.troubles[0]
    assert (history.writer.queued, history.writer.dropped, answers, done) == (0, 2, [], [False])
    assert not history.writer.claim([], RunRow("b", None), answers.append)
    history.writer.run_changed("b", state="running")
    assert (history.writer.refused, history.writer.dropped) == (1, 3)
    assert history.path.read_bytes() == before
    assert history.load().trouble == history.writer.trouble
    assert len(history.troubles) == 1


def test_once_that_file_is_gone_history_is_written_again(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(condition, "ASK_AGAIN_S", 0.01)
    put_runs(history.path, "web", ["succeeded"])
    set_version(history.path, 99)
    history.writer.run_changed("a", state="running")
    history.until(lambda: history.troubles)

    history.path.unlink()
    history.until(lambda: history.recovered)

    assert history.recovered == [("history.db is written again", 1)]
    answers = history.claim("web")
    history.settle()
    assert answers == [True]


def test_the_database_of_another_program_is_not_touched(history: History) -> None:
    os.makedirs(history.path.parent)
    db = _sqlite3.connect(str(history.path), isolation_level=None)
    db.execute("CREATE TABLE theirs (a)")
    db.close()
    before = history.path.read_bytes()
    history.claim("web")

    history.until(lambda: history.troubles)

    assert history.troubles == ["history.db can't be written: it is the database of another program"]
    assert history.path.read_bytes() == before


# too much waits


def test_beyond_the_cap_claims_are_refused_and_the_rest_is_counted(history: History) -> None:
    history.load()
    history.writer._queue = Queue(cap=5)
    other = lock(history.path)
    for number in range(4):
        history.claim("web", AT + number)
    for number in range(3):
        history.writer.run_changed("web", exit_code=number)
    history.claim("web", AT + 9)
    refused = history.writer.claim([SlotRow("web", AT + 10)], None, lambda _: None)

    assert (refused, history.writer.refused, history.writer.dropped, history.writer.queued) == (False, 1, 3, 5)
    other.close()
    history.settle()
    assert len(query(history.path, "SELECT * FROM slots")) == 5


# damaged

PAGE = 4096
DAMAGE = {
    "emptied": lambda data: b"",
    "half a header": lambda data: data[:50],
    "the header alone": lambda data: data[:PAGE],
    "a page and a half": lambda data: data[: PAGE * 3 // 2],
    "half of it": lambda data: data[: len(data) // 2],
    "without its last byte": lambda data: data[:-1],
    "noise": lambda data: bytes((number * 7 + 13) % 251 for number in range(len(data))),
    "a text": lambda data: b"this is no database\n" * 1000,
    **{f"page {number} is noise": lambda data, at=number * PAGE: data[:at] + b"\xa5" * PAGE + data[at + PAGE :]
       for number in range(12)},
    **{f"page {number} is zeros": lambda data, at=number * PAGE: data[:at] + bytes(PAGE) + data[at + PAGE :]
       for number in range(12)},
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_file_never_stops_a_claim(history: History, damage: object) -> None:
    put_runs(history.path, "web", ["succeeded", "failed"] * 100)
    before = history.path.read_bytes()
    assert len(before) >= 12 * PAGE
    history.path.write_bytes(damage(before))  # type: ignore[operator]

    answers = history.claim("web", AT + 100_000)
    history.writer.run_started(f"web-{AT + 100_000}")
    history.writer.run_ended(f"web-{AT + 100_000}", {"state": "succeeded"})
    history.settle()

    assert answers == [True]
    assert history.writer.is_durable
    found = query(history.path, "SELECT state FROM runs WHERE id = ?", f"web-{AT + 100_000}")
    assert found == [("succeeded",)]
    assert len(history.troubles) == len(history.recovered) == len(asides(history.path))
    for name in asides(history.path):
        assert (history.path.parent / name).read_bytes() == damage(before)  # type: ignore[operator]
        assert f"it was set aside as {name}, and a new one begun" in history.troubles[0]


def test_damage_is_seen_by_who_starts(history: History) -> None:
    put_runs(history.path, "web", ["running"] * 200)
    history.path.write_bytes(b"this is no database\n" * 1000)

    loaded = history.load()

    assert loaded.runs == []
    assert "it is not a database: it was set aside" in loaded.trouble
    assert len(history.troubles) == 1


def test_a_file_that_is_damaged_while_it_is_in_use(history: History) -> None:
    put_runs(history.path, "web", ["succeeded"] * 300)
    assert history.load().cursors
    size = os.path.getsize(history.path)
    with open(history.path, "r+b") as file:
        file.seek(PAGE)
        file.write(b"\xa5" * (size - PAGE))

    for number in range(300):  # all over its pages
        history.claim(f"web{number}", AT + 1)
        history.writer.run_ended(f"web-{number}", {"state": "failed"})
    history.settle()

    assert len(asides(history.path)) == 1
    assert len(query(history.path, "SELECT * FROM slots")) == 300
    assert len(history.troubles) == len(history.recovered) == 1


# under our feet


def test_a_file_that_is_removed_while_it_is_in_use(history: History) -> None:
    history.claim("web")
    history.settle()
    for name in list(history.path.parent.iterdir()):
        name.unlink()

    answers = history.claim("web")
    history.settle()

    assert answers == [True]
    assert query(history.path, "SELECT nominal FROM slots") == [(AT,)]
    assert len(history.troubles) == len(history.recovered) == 1
    assert "it was removed while it was in use" in history.troubles[0]


def test_only_the_file_is_removed(history: History) -> None:
    """What lay beside it must not be taken for a part of the new one."""
    history.claim("web")
    history.settle()
    history.path.unlink()

    answers = history.claim("web", AT + 1)
    history.settle()

    assert answers == [True]
    assert query(history.path, "SELECT nominal FROM slots") == [(AT + 1,)]


def test_another_file_takes_its_place(history: History, tmp_path: Path) -> None:
    history.claim("web")
    history.settle()
    put_runs(tmp_path / "other.db", "other", ["succeeded"])
    os.rename(tmp_path / "other.db", history.path)

    answers = history.claim("web", AT + 1)
    history.settle()

    assert answers == [True]
    assert query(history.path, "SELECT id FROM runs ORDER BY id") == [("other-0",), (f"web-{AT + 1}",)]
    assert query(history.path, "PRAGMA integrity_check") == [("ok",)]


@pytest.mark.parametrize("end", ["-wal", "-shm"])
def test_what_lies_beside_it_is_removed(history: History, end: str) -> None:
    """Nothing is lost: what had its name is written to the file when it is closed."""
    history.claim("web")
    history.settle()
    os.unlink(f"{history.path}{end}")

    history.claim("web", AT + 1)
    history.settle()

    assert query(history.path, "SELECT nominal FROM slots") == [(AT,), (AT + 1,)]
    assert query(history.path, "PRAGMA integrity_check") == [("ok",)]
    assert history.troubles == []


def test_no_thread_can_be_started(history: History, monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    other = History(file)

    def fail(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as none_left:
        none_left.setattr(writer, "start_thread", fail)
        other.writer.open()
        answers = other.claim("web")
        other.until(lambda: other.troubles)
    other.settle()

    assert answers == [True]
    assert len(other.troubles) == len(other.recovered) == 1
    other.end()


def test_a_disk_that_does_not_answer(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    from supervisor.store import worker

    history.load()
    hangs = _thread.allocate_lock()
    with hangs, monkeypatch.context() as slow:
        slow.setattr(writer, "SLOW_S", 0.01)
        slow.setattr(loads, "LOAD_LIMIT_S", 0.05)
        real = worker.load
        slow.setattr(worker, "load", lambda *args: (hangs.acquire(), hangs.release(), real(*args))[2])
        loaded = history.load()
        answers = history.claim("web")
        assert not history.writer.close(0.05)  # nor does the end wait for it
    history.writer.open()
    history.settle()

    assert loaded.trouble == "history.db can't be written: its disk does not answer"
    assert history.troubles == [loaded.trouble]
    assert answers == [True]
    assert len(history.recovered) == 1


def test_ten_thousand_waiting_writes_cost_little_memory() -> None:
    waiting = Queue()
    make = Maker(SystemClock(), raise_it)
    tracemalloc.start()
    for number in range(waiting.cap):
        row = RunRow(f"20261121T052001-{number}", f"job{number}", plugin=f"job{number}", steps=["get", "push"])
        waiting.add_claim(make.claim([SlotRow(f"job{number}", AT)], row, lambda _: None))
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()

    assert len(waiting) == 10_000
    assert size < 20 << 20  # 12 MiB, when this was written
