"""What goes first when too much waits for the disk."""

from __future__ import annotations

from supervisor.store.queue import Queue
from supervisor.store.writes import CHANGE, CLAIM, END, SKIP, STATE, STEP, Write


def write(kind: str, key: str = "x") -> Write:
    return Write(kind, key, {"id": key})


def filled(*kinds: str) -> Queue:
    queue = Queue(cap=len(kinds))
    for number, kind in enumerate(kinds):
        queue.add(write(kind, str(number)))
    return queue


def keys(queue: Queue) -> list[str]:
    return [each.key for each in queue.take()]


def test_the_oldest_of_what_runs_did_goes_first() -> None:
    queue = filled(SKIP, STATE, CHANGE, STEP, END)

    for number in range(3):
        queue.add(write(CHANGE, f"new {number}"))

    assert keys(queue) == ["0", "1", "new 0", "new 1", "new 2"]
    assert queue.dropped == 3


def test_skips_go_when_there_is_nothing_less() -> None:
    queue = filled(SKIP, STATE)

    queue.add(write(END, "new"))

    assert keys(queue) == ["1", "new"]


def test_what_comes_last_goes_when_nothing_else_may() -> None:
    queue = Queue(cap=2)
    assert queue.add_claim(write(CLAIM, "a"))
    assert queue.add_claim(write(CLAIM, "b"))

    queue.add(write(END, "c"))

    assert keys(queue) == ["a", "b"]
    assert queue.dropped == 1


def test_a_claim_makes_ends_go_but_is_refused_before_a_skip_is_lost() -> None:
    queue = filled(SKIP, END)

    assert queue.add_claim(write(CLAIM, "a"))
    assert not queue.add_claim(write(CLAIM, "b"))

    assert keys(queue) == ["0", "a"]


def test_what_the_thread_has_counts_and_comes_back_first() -> None:
    queue = filled(CLAIM, STATE)
    queue.take()
    queue.cap = 3
    queue.add(write(STATE, "1"))
    queue.add(write(END, "lost"))

    assert (len(queue), queue.dropped) == (3, 1)
    queue.put_back()
    queue.add(write(STATE, "1"))
    assert keys(queue) == ["0", "1", "1"]
    queue.written()
    assert len(queue) == 0


def test_whose_end_was_dropped_is_told() -> None:
    queue = Queue(cap=1)
    end = Write(END, "a", {}, done=lambda _: None)
    queue.add(end)

    queue.add(write(END, "b"))

    assert queue.ends_dropped == [end.done]


def test_all_of_it_can_be_dropped() -> None:
    queue = filled(CLAIM, STATE, END)

    queue.drop_all()

    assert (len(queue), queue.dropped, queue.has_waiting) == (0, 3, False)
