"""Who waits for a time: once that has come, the runs before it are asked about as if its slot came then."""

from __future__ import annotations

from collections import Counter

import pytest
from support.desk import AT, HOUR, DeskWorld, after, cron, job

EVERY_MINUTE = cron("* * * * *")


def end_ten(world: DeskWorld, overlap: str, delay: float, **policy: int) -> None:
    """`a` ends at each of ten minutes; who follows it runs on and on."""
    world.open(job(EVERY_MINUTE, id="a"), job(after("a", delay=delay), id="f", overlap=overlap, **policy))
    for minute in range(1, 11):
        world.pass_until(AT + 60 * minute)
        world.end("a")
    world.pass_time(30)


@pytest.mark.parametrize("delay", [0.0, 5.0])
def test_a_queue_of_one_holds_one(world: DeskWorld, delay: float) -> None:
    end_ten(world, "queueOne", delay)

    assert (len(world.running("f")), len(world.plan("f").queued)) == (1, 1)
    assert Counter(world.fates("f")) == {"claimed": 2, "overlap": 8}


@pytest.mark.parametrize("delay", [0.0, 5.0])
def test_a_queue_holds_no_more_than_it_may(world: DeskWorld, delay: float) -> None:
    end_ten(world, "queueAll", delay, overlap_max=3)

    assert len(world.plan("f").queued) == 3
    assert Counter(world.fates("f")) == {"claimed": 4, "overlap": 6}


@pytest.mark.parametrize("delay", [0.0, 5.0])
@pytest.mark.parametrize(("overlap", "signal"), [("cancelOther", 15), ("killOther", 9)])
def test_it_takes_the_place_of_the_one_before(world: DeskWorld, overlap: str, signal: int, delay: float) -> None:
    end_ten(world, overlap, delay, stop_grace=5000)

    assert (set(world.start.signals()), len(world.plan("f").queued)) == ({signal}, 1)
    assert Counter(world.fates("f")) == {"claimed": 2, "overlap": 8}
    world.end("f", signal=signal)
    assert world.run("f").nominal == AT + 600 + int(delay)
    assert world.rows("f")[0]["cause"] == "the next slot takes its place"


def test_it_comes_at_its_time_and_not_with_the_next_look(world: DeskWorld) -> None:
    """Also behind one that waits for its turn already."""
    world.open(job(EVERY_MINUTE, id="a"), job(cron("2 * * * *"), id="b"),
               job(cron("0 * * * *"), after("a", delay=7.0), after("b"), id="f", overlap="queueOne"))  # fmt: skip
    world.pass_until(AT + 60)
    world.end("a")
    world.pass_until(AT + 67.5)
    world.pass_until(AT + 120)
    world.end("b")
    assert [run.due for run in world.plan("f").queued] == [AT + 120]
    world.end("a")
    world.pass_until(AT + 126.9)
    assert len(world.plan("f").queued) == 2
    world.pass_until(AT + 127.3)

    assert [run.due for run in world.plan("f").queued] == [AT + 120]
    assert world.outcomes("f")[-1] == (AT + 127, "overlap")


@pytest.mark.parametrize(("overlap", "began", "skipped"), [("queueOne", 2, 4), ("queueAll", 6, 0), ("skip", 1, 5)])
def test_those_that_are_made_up_for_one_after_the_other_too(
    world: DeskWorld, overlap: str, began: int, skipped: int
) -> None:
    """As they are where all come at once."""
    world.open(job(cron("0 * * * *"), overlap=overlap, overlap_max=9, missed="all", max_catchup=6, spread=10.0))
    world.kill()
    world.clocks.time += 6 * HOUR + 1200
    world.open()
    world.pass_time(61)
    for _ in range(10):
        if world.running():
            world.end()
            world.pass_time(1)

    assert Counter(world.fates()) == Counter({"run": began, "overlap": skipped})


def test_of_those_that_are_made_up_for_each_takes_the_place_of_the_one_before(world: DeskWorld) -> None:
    world.open(job(cron("0 * * * *"), overlap="killOther", missed="all", max_catchup=3, spread=10.0))
    world.kill()
    world.clocks.time += 3 * HOUR + 1200
    world.open()
    for _ in range(2):
        world.pass_time(10.5)
        world.end(signal=9)
    world.pass_time(1)
    world.end()

    assert world.states() == ["cancelled", "cancelled", "succeeded"]


@pytest.mark.parametrize("overlap", ["queueOne", "cancelOther"])
def test_so_are_those_that_waited_for_something_else(world: DeskWorld, overlap: str) -> None:
    """A shortage comes before the overlap: that is asked about once it is over."""
    world.open(job(EVERY_MINUTE, overlap=overlap, grace=HOUR, safety={"max_memory_mb": 100}))
    world.pass_until(AT + 61)
    world.load.memory = 200.0
    world.pass_until(AT + 241)
    assert len(world.plan().queued) == 3
    world.load.memory = 50.0
    world.pass_time(11)

    assert len(world.plan().queued) == 1
    assert Counter(world.fates()) == {"claimed": 2, "overlap": 2}
    assert world.start.signals() == ([15] if overlap == "cancelOther" else [])


def test_a_successor_asks_those_that_wait_anew(world: DeskWorld) -> None:
    """Killed before it had ended the one before."""
    world.open(job(EVERY_MINUTE, id="a"), job(after("a", delay=5.0), id="f", overlap="cancelOther"))
    world.pass_until(AT + 60)
    world.end("a")
    world.pass_until(AT + 120)
    world.end("a")
    assert len(world.running("f")) == 1
    world.kill()
    world.clocks.time += 20
    world.open()

    assert world.start.signals() == [15]


@pytest.mark.parametrize("overlap", ["skip", "queueOne", "cancelOther"])
def test_one_that_is_done_again_waits_for_the_run_that_has_gone_first(world: DeskWorld, overlap: str) -> None:
    world.open(job(EVERY_MINUTE, overlap="allow"))
    world.pass_until(AT + 120)
    first, second = world.running()
    world.kill()
    world.start.entries.pop(first.key)  # nobody knows what became of it
    world.start.notes.pop(f"run/{first.id}")
    world.set(job(EVERY_MINUTE, overlap=overlap, interrupted="rerun"))
    world.open()
    world.pass_time(30)
    assert ([run.id for run in world.running()], world.start.signals()) == ([second.id], [])
    world.end()

    assert world.run().trigger == "rerun"
