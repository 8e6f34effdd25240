"""What waits for a history that can't be written is not lost with whoever has it in mind."""

from __future__ import annotations

import errno
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from support.fakes import FakeLoop
from support.history import AT, History, query
from support.soak.locks import Lock

from supervisor.store import loads, spool, spooling
from supervisor.store.queue import Queue
from supervisor.store.rows import Loaded, SlotRow
from supervisor.store.writes import CLAIM, END, STATE, STEP, Write


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "history.db")


def waiting(path: str) -> Path:
    return Path(path + spool.SUFFIX)


def write(kind: str, key: str, **values: Any) -> Write:
    return Write(kind, key, {"id": key, **values}, ({"schedule": "x", "nominal": 7},) if kind == CLAIM else ())


def troubled(path: str) -> Queue:
    """One write has failed."""
    queue = Queue(path=path)
    queue.add_claim(write(CLAIM, "first"))
    queue.take()
    queue.put_back()
    return queue


def left(path: str) -> list[tuple[str, str, Any]]:
    """What a successor finds."""
    queue = Queue(path=path)
    queue.inherit()
    return [(each.kind, each.key, each.values) for each in queue.take()]


def test_nothing_is_kept_while_all_is_well(path: str) -> None:
    queue = Queue(path=path)
    queue.add(write(END, "a"))
    queue.keep()
    queue.take()
    queue.written()

    assert not waiting(path).exists()
    assert left(path) == []


def test_what_failed_and_what_came_since_is_found_in_its_order(path: str) -> None:
    queue = troubled(path)
    queue.add(write(STEP, "second"))
    queue.add(write(END, "third"))
    assert [key for _, key, _ in left(path)] == ["first"]  # the turn is not over

    queue.keep()

    assert [key for _, key, _ in left(path)] == ["first", "second", "third"]
    assert Queue(path=path).inherit() is None
    assert waiting(path).stat().st_mode & 0o777 == 0o600


def test_slots_of_a_claim_come_back_whole(path: str) -> None:
    troubled(path)
    queue = Queue(path=path)
    queue.inherit()

    [claim] = queue.take()
    assert claim.slots == ({"schedule": "x", "nominal": 7},)
    assert [each.key for each in queue.inherited()] == ["first"]  # though it is out


def test_a_claim_that_was_taken_back_is_not_there(path: str) -> None:
    queue = troubled(path)
    queue.add_claim(write(CLAIM, "second"))
    queue.withdraw("first")
    queue.keep()

    assert [key for _, key, _ in left(path)] == ["second"]


def test_of_a_schedule_the_newest_values_count(path: str) -> None:
    queue = troubled(path)
    queue.add(write(STATE, "web", cursor=1))
    queue.add(write(STATE, "web", cursor=2))
    queue.keep()

    assert left(path)[-1] == (STATE, "web", {"id": "web", "cursor": 2})


def test_once_it_is_written_the_file_goes(path: str) -> None:
    queue = troubled(path)
    queue.take()
    queue.written()

    assert not waiting(path).exists()
    queue.add(write(END, "a"))
    queue.keep()
    assert not waiting(path).exists()


def test_a_successor_keeps_it_until_it_is_written(path: str) -> None:
    troubled(path)
    queue = Queue(path=path)
    queue.inherit()
    queue.take()
    assert waiting(path).exists()
    queue.put_back()
    queue.add(write(END, "second"))
    queue.keep()
    assert [key for _, key, _ in left(path)] == ["first", "second"]

    queue.take()
    queue.written()
    assert not waiting(path).exists()
    assert queue.inherited() == []


@pytest.mark.parametrize(
    "rubbish",
    [
        b"",
        b"{",
        b"null\n",
        b"[1,2,3,4]\n",
        b'["end","x",7,[]]\n',
        b'["who","x",{},[]]\n',
        b'["end","x",0,[]]\n',
        b"[" * 300_000,
    ],
)
def test_what_is_no_write_is_left_out(path: str, rubbish: bytes) -> None:
    troubled(path)
    with waiting(path).open("ab") as file:
        file.write(rubbish)

    assert [key for _, key, _ in left(path)] == ["first"]


def test_a_file_that_grows_too_long_is_written_anew(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "LIMIT", 1000)
    queue = troubled(path)
    for number in range(100):
        queue.add(write(STATE, "web", cursor=number))
        queue.keep()

    assert waiting(path).stat().st_size < 1200
    assert left(path)[-1] == (STATE, "web", {"id": "web", "cursor": 99})


def test_a_disk_that_refuses_that_file_too_costs_nothing_else(path: str) -> None:
    os.mkdir(waiting(path))
    queue = troubled(path)
    queue.add(write(END, "a"))
    queue.keep()

    assert len(queue.take()) == 2


# with the real file and thread


def test_a_successor_sees_it_before_it_decides_anything(tmp_path: Path) -> None:
    first = History(tmp_path / "history.db")
    first.writer.open()
    first.load()
    lock = Lock(str(first.path))
    lock.take()
    first.claim("web", AT, "run-1")
    first.writer.skip([SlotRow("mail", AT, outcome="skipped", reason="overlap")])
    first.until(lambda: not first.writer.is_durable)
    first.writer.run_ended("run-1", {"state": "succeeded"})
    first.turn()  # and then it is killed

    lock.give_back()
    second = History(tmp_path / "history.db")
    second.writer.open()
    loaded = second.load()

    assert loaded.runs == []
    assert loaded.cursors == {"web": AT, "mail": AT}
    assert query(second.path, "SELECT id, state FROM runs") == [("run-1", "succeeded")]
    second.settle()
    assert not waiting(str(second.path)).exists()
    second.end()
    first.end()


def test_a_successor_sees_it_while_it_still_can_not_be_written(tmp_path: Path) -> None:
    first = History(tmp_path / "history.db")
    first.writer.open()
    first.load()
    for number, name in enumerate(("web", "mail", "old", "over")):
        first.claim(name, AT - 10, f"run-{number}")
    first.writer.run_ended("run-3", {"state": "succeeded"})
    first.settle()
    lock = Lock(str(first.path))
    lock.take()
    first.writer.run_ended("run-0", {"state": "succeeded"})
    first.claim("web", AT, "run-4")
    first.writer.skip([SlotRow("mail", AT, outcome="skipped", reason="overlap")])
    first.writer.schedule_state("old", cursor=AT + 5)
    first.until(lambda: not first.writer.is_durable)

    second = History(tmp_path / "history.db")
    second.writer.open()
    loaded = second.load("run-0", "run-1", "run-3", "never")

    assert loaded.ended == {"run-0", "run-3"}
    assert loaded.cursors == {"web": AT, "mail": AT, "old": AT + 5, "over": AT - 10}
    assert [(run["id"], [slot["nominal"] for slot in run["slots"]]) for run in loaded.runs] == [
        ("run-1", [AT - 10]), ("run-2", [AT - 10]), ("run-4", [AT]),
    ]  # fmt: skip
    assert query(second.path, "SELECT max(nominal) FROM slots") == [(AT - 10,)]
    lock.give_back()
    second.settle()
    assert query(second.path, "SELECT max(nominal) FROM slots") == [(AT,)]
    assert second.load("run-0", "run-1", "run-3", "never").ended == {"run-0", "run-3"}
    second.end()
    first.end()


def test_a_successor_that_can_not_even_read_sees_it_later_and_nothing_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loads, "LOAD_LIMIT_S", 0.1)
    first = History(tmp_path / "history.db")
    first.writer.open()
    first.load()
    lock = Lock(str(first.path))
    lock.take()
    first.claim("web", AT, "run-1")
    first.claim("mail", AT, "run-2")
    first.writer.run_ended("run-2", {"state": "succeeded"})
    first.until(lambda: not first.writer.is_durable)
    first.end()
    lock.give_back()

    lock.take(alone=True)
    second = History(tmp_path / "history.db")
    second.writer.open()
    found: list[Loaded] = []
    late: list[Loaded] = []
    second.writer.load(found.append, ["run-1", "run-2"], late.append)
    second.until(lambda: found)
    assert (found[0].comes_later, found[0].ended) == (True, {"run-2"})
    second.writer.blind(AT + 55)
    second.writer.schedule_state("web", cursor=AT + 50)
    second.claim("web", AT + 60, "run-3")
    second.turn()
    lock.give_back()
    second.until(lambda: late)

    assert [run["id"] for run in late[0].runs] == ["run-1"]
    assert late[0].cursors == {"web": AT, "mail": AT}
    assert late[0].ended == {"run-2"}
    second.settle()
    assert [row[0] for row in query(second.path, "SELECT id FROM runs ORDER BY id")] == ["run-1", "run-2", "run-3"]
    second.end()


def test_who_ends_before_it_could_read_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though the lock goes just then: its successor is to see what was before, and that somebody was blind."""
    monkeypatch.setattr(loads, "LOAD_LIMIT_S", 0.1)
    first = History(tmp_path / "history.db")
    first.writer.open()
    first.load()
    first.claim("web", AT, "run-1")
    first.end()
    lock = Lock(str(first.path))
    lock.take(alone=True)
    second = History(tmp_path / "history.db")
    second.writer.open()
    found: list[Loaded] = []
    second.writer.load(found.append, [], found.append)
    second.until(lambda: found)
    second.writer.blind(AT + 55)
    second.claim("web", AT + 60, "run-2")
    second.turn()
    lock.give_back()
    second.end()

    has_read = len(found) > 1  # that was on its way just then: what came since may follow it
    ids = [row[0] for row in query(second.path, "SELECT id FROM runs ORDER BY id")]
    assert ids == (["run-1", "run-2"] if has_read else ["run-1"])
    third = History(tmp_path / "history.db")
    third.writer.open()
    assert bool(third.load().gaps) is not has_read
    third.settle()
    assert [row[0] for row in query(third.path, "SELECT id FROM runs ORDER BY id")] == ["run-1", "run-2"]
    third.end()


@pytest.mark.parametrize("is_locked", [True, False])
def test_where_a_blind_one_began_is_known_to_its_successor(tmp_path: Path, is_locked: bool) -> None:
    first = History(tmp_path / "history.db")
    first.writer.open()
    first.claim("web", AT, "run-1")
    first.settle()
    lock = Lock(str(first.path))
    lock.take()
    first.writer.blind(AT + 55)
    first.claim("web", AT + 60, "run-2")
    first.until(lambda: not first.writer.is_durable)
    first.end()
    if not is_locked:
        lock.give_back()

    second = History(tmp_path / "history.db")
    second.writer.open()
    loaded = second.load()
    lock.give_back()

    assert [(before.cursors, since) for before, since in loaded.gaps] == [({"web": AT}, AT + 55)]
    assert loaded.cursors == {"web": AT + 60}
    second.settle()
    assert second.load().gaps == []
    second.end()


def test_what_is_left_at_the_end_is_kept(tmp_path: Path) -> None:
    first = History(tmp_path / "history.db")
    first.writer.open()
    first.load()
    lock = Lock(str(first.path))
    lock.take()
    first.claim("web", AT, "run-1")
    first.turn()
    assert not first.writer.close(0.1)
    lock.give_back()

    assert [key for _, key, _ in left(str(first.path))] == ["run-1"]
    first.loop.close()


# what is spoilt in it

SPOILT = [
    ["claim", "rx", {"id": "rx"}, [{}]],
    ["claim", "rx", {"id": "rx"}, [{"schedule": [], "nominal": 1, "nominal_to": 1, "outcome": "claimed"}]],
    ["claim", "rx", {"id": 1 << 80}, [{"schedule": "x", "nominal": 1 << 80, "nominal_to": 1, "outcome": "claimed"}]],
    ["end", "\ud800", {"id": "\ud800", "state": "succeeded", "ended": 1}, []],
    ["state", "web", {"id": "web", "cursor": {}}, []],
    ["skip", "", {}, [{}]],
    ["cut", "", None, []],
]


def spoil(path: Path) -> None:
    """Three good ones, too: before, between and behind."""
    good = [["state", name, {"id": name, "cursor": AT}, []] for name in ("a", "b", "c")]
    lines = [good[0], *SPOILT[:3], good[1], *SPOILT[3:], good[2]]
    waiting(str(path)).write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_a_line_that_can_not_be_written_costs_the_others_nothing(tmp_path: Path) -> None:
    history = History(tmp_path / "history.db")
    spoil(history.path)
    history.writer.open()
    history.claim("web", AT, "run-1")
    loaded = history.load()
    history.settle()

    assert loaded.cursors == {"a": AT, "b": AT, "c": AT, "web": AT}
    assert query(history.path, "SELECT id FROM schedules ORDER BY id") == [("a",), ("b",), ("c",)]
    assert query(history.path, "SELECT id FROM runs") == [("run-1",)]
    assert (history.writer.dropped, history.writer.is_durable) == (len(SPOILT), True)
    assert len(history.errors) == 1  # said once
    assert not waiting(str(history.path)).exists()
    history.end()


def test_nor_where_the_history_can_only_be_read(tmp_path: Path) -> None:
    first = History(tmp_path / "history.db")
    first.writer.open()
    first.claim("web", AT, "run-1")
    first.settle()
    first.end()
    spoil(first.path)
    lock = Lock(str(first.path))
    lock.take()
    history = History(first.path)
    history.writer.open()
    history.until(lambda: not history.writer.is_durable)
    loaded = history.load()
    lock.give_back()

    assert loaded.cursors == {"a": AT, "b": AT, "c": AT, "web": AT}
    history.settle()
    assert history.writer.dropped == len(SPOILT)
    history.end()


def test_one_of_our_own_that_can_not_be_written_blocks_nothing(tmp_path: Path) -> None:
    history = History(tmp_path / "history.db")
    history.writer.open()
    history.load()
    lock = Lock(str(history.path))
    lock.take()
    answers: list[bool] = []
    history.claim("mail", AT, "run-1")
    history.until(lambda: not history.writer.is_durable)
    bad: Any = {"id": "bad", "words": {1, 2}}  # no JSON either
    assert history.writer.put_claim(Write(CLAIM, "bad", bad, ({},), answers.append))
    history.turn()
    lock.give_back()
    history.settle()

    assert answers == [False]
    assert query(history.path, "SELECT id FROM runs") == [("run-1",)]
    assert (history.writer.dropped, len(history.errors)) == (1, 1)
    history.end()


def test_what_is_no_file_holds_nobody_up(path: str) -> None:
    os.mkfifo(waiting(path))
    assert left(path) == []

    assert len(troubled(path)) == 1
    assert [key for _, key, _ in left(path)] == ["first"]


# a disk that refuses it for a while


def test_behind_a_torn_line_nothing_is_lost(path: str) -> None:
    troubled(path)
    with waiting(path).open("ab") as file:
        file.write(b'["end","torn",{"id":')
    queue = Queue(path=path)
    queue.inherit()
    queue.add(write(END, "second"))
    queue.keep()
    queue.add(write(END, "third"))
    queue.keep()

    assert [key for _, key, _ in left(path)] == ["first", "second", "third"]


class Refusal:
    """A write to a full disk."""

    def __init__(self) -> None:
        self.tries = 0

    def __call__(self, path: str, data: bytes) -> None:
        self.tries += 1
        raise OSError(errno.ENOSPC, "No space left on device")


def cut_short(fd: int, data: bytes) -> None:
    """There is room for half of it."""
    os.write(fd, data[: len(data) // 2])
    raise OSError(errno.ENOSPC, "No space left on device")


def test_what_went_in_by_half_is_written_anew(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = troubled(path)
    with monkeypatch.context() as full:
        full.setattr(spool, "write_all", cut_short)
        full.setattr(spool, "write_atomic", Refusal())
        queue.add(write(END, "second"))
        assert not queue.keep()
        queue.add(write(END, "third"))
        assert not queue.keep()
    assert [key for _, key, _ in left(path)] == ["first"]

    assert queue.keep()
    assert [key for _, key, _ in left(path)] == ["first", "second", "third"]


def test_a_beginning_that_was_refused_is_made_up_for_without_another_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spooling, "AGAIN_S", 0.05)
    refusal = Refusal()
    history = History(tmp_path / "history.db")
    history.writer.open()
    history.load()
    lock = Lock(str(history.path))
    lock.take()
    with monkeypatch.context() as full:
        full.setattr(spool, "write_atomic", refusal)
        history.claim("web", AT, "run-1")
        history.until(lambda: refusal.tries > 2)
    file = waiting(str(history.path))
    assert not file.exists()

    history.until(file.exists)
    assert [key for _, key, _ in left(str(history.path))] == ["run-1"]
    lock.give_back()
    history.settle()
    assert not file.exists()
    history.end()


def test_a_disk_that_refuses_it_is_not_asked_with_each_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loop = FakeLoop()
    refusal = Refusal()
    monkeypatch.setattr(spool, "write_atomic", refusal)
    keeper = spooling.Spooling(loop, troubled(str(tmp_path / "history.db")))
    for _ in range(100):
        keeper.turn()
    assert refusal.tries == 2  # when it failed, and with the turn
    loop.pass_time(3 * spooling.AGAIN_S)
    assert refusal.tries == 5
    keeper.stop()
    loop.close()


def test_many_that_were_taken_back_are_read_in_no_time(path: str) -> None:
    lines = [json.dumps(["claim", f"r{number}", {"id": "x"}, []]) for number in range(9_000)]
    lines += [json.dumps(["withdrawn", f"r{number % 30}", None, []]) for number in range(30_000)]
    waiting(path).write_text("\n".join(lines) + "\n")
    start = time.process_time()

    assert len(left(path)) == 8_970
    assert time.process_time() - start < 5


def test_what_each_of_several_successors_tells_again_counts_once(path: str) -> None:
    """For as long as the history is locked: else it would be more with each death, until real rows had to go."""
    troubled(path).keep()
    for _ in range(3):
        queue = Queue(path=path)
        queue.inherit()
        queue.add(write(STEP, "a", n=1))
        queue.add(write(STEP, "a", n=2))
        queue.add(write(END, "a", state="failed"))
        queue.keep()

    assert [(kind, key) for kind, key, _ in left(path)] == [(CLAIM, "first"), (STEP, "a"), (STEP, "a"), (END, "a")]
