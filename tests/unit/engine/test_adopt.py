"""A killed scheduler's successor: every combination of what the note says and what has become of the process.

The notes are those of a real predecessor, taken at a moment of its life, so they can't drift from the code.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.fakes import FakeWorld, spec

from supervisor.engine.adopt import Adoption, Kept
from supervisor.engine.notify import Heard
from supervisor.engine.probes.prober import Prober
from supervisor.model.cause import Cause, CauseKind
from supervisor.model.check import NOTIFY, Check
from supervisor.model.service import Spec

NAME = "server"
CRASHED = 256  # the wait status of exit code 1
SIGTERM, SIGKILL = 15, 9
Note = dict[str, Any]


def entry(generation: int = 1, *, status: int | None = None, empty: bool = False, name: str = NAME) -> dict[str, Any]:
    """What `start` has kept of a process: alive, or ended with this status."""
    return {
        "key": f"{name}.{generation}",
        "pid": 4000 + generation,
        "started": 1,
        "status": status,
        "empty": empty,
        "oom": False,
        "cause": None,
        "ends": [],
        "notified": None,
        "launch": spec(name).launch.digest(),
        "log": os.devnull,
        "err_log": "",
        "stop": [15, 10.0],
    }


def dead(generation: int = 1, status: int = CRASHED) -> dict[str, Any]:
    return entry(generation, status=status, empty=True)


def failed_to_spawn(generation: int = 1) -> dict[str, Any]:
    cause = Cause(CauseKind.NOT_FOUND, "cannot start: no such program")
    return {**entry(generation, empty=True), "pid": 0, "cause": cause.as_dict()}


@pytest.fixture
def worlds() -> Iterator[Callable[[], FakeWorld]]:
    made: list[FakeWorld] = []

    def make() -> FakeWorld:
        made.append(FakeWorld())
        return made[-1]

    yield make
    for world in made:
        world.loop.close()


class Lives:
    """The predecessor, step by step, and the note it would leave at each."""

    def __init__(self, world: FakeWorld, **policy: Any) -> None:
        self.world = world
        self.spec = spec(NAME, **policy)
        self.generation = 0
        world.engine.load([self.spec])

    def note(self) -> Note:
        self.world.loop.run_soon()
        note = self.world.spawner.notes[NAME]
        assert note is not None
        return copy.deepcopy(note)

    def spawned(self) -> Lives:
        self.generation += 1
        self.world.engine.spawned(f"{NAME}.{self.generation}", 4000 + self.generation, 1)
        return self

    def after(self, seconds: float) -> Lives:
        self.world.loop.pass_time(seconds)
        return self

    def ended(self, status: int = CRASHED, *, empty: bool = True) -> Lives:
        self.world.engine.exited(f"{NAME}.{self.generation}", status, empty)
        return self

    def stop(self) -> Lives:
        self.world.engine.stop(NAME)
        return self


@pytest.fixture
def lives(worlds: Callable[[], FakeWorld]) -> Lives:
    return Lives(worlds())


class Successor:
    """A new scheduler that takes over at the time the old one has left off."""

    def __init__(
        self, world: FakeWorld, notes: dict[str, Note], entries: list[dict[str, Any]], specs: list[Spec], *, told: bool
    ) -> None:
        self.world = world
        kept = Kept()
        kept.notes = notes
        kept.take_entries(copy.deepcopy(entries), [])
        self.adopted = Adoption(world.engine, world.spawner, lambda key, pid: told).run(kept, specs)  # type: ignore[arg-type]
        self.asked = world.spawner.take()

    @property
    def state(self) -> Any:
        return self.world.engine.services[NAME].state

    @property
    def phase(self) -> str:
        return self.world.phase(NAME)


@pytest.fixture
def take_over(worlds: Callable[[], FakeWorld], lives: Lives) -> Callable[..., Successor]:
    def take(note: Note | None, *entries: dict[str, Any], told: bool = False, lost: Note | None = None) -> Successor:
        world = worlds()
        world.loop.fake.time = lives.world.loop.fake.time
        notes = {name: each for name, each in ((NAME, note), ("lost", lost)) if each}
        return Successor(world, notes, list(entries), [lives.spec], told=told)

    return take


TakeOver = Callable[..., Successor]


# -- the process lives


def test_nothing_is_known_so_it_is_started(take_over: TakeOver) -> None:
    new = take_over(None)

    assert new.asked == [("spawn", "server.1", "")]


def test_a_running_server_runs_on_in_silence(lives: Lives, take_over: TakeOver) -> None:
    lives.spawned().after(60)

    new = take_over(lives.note(), entry())

    assert (new.phase, new.adopted, new.asked, new.world.events) == ("running", 1, [], [])
    assert new.world.spawner.adopted == ["server.1"]
    assert new.state.started == lives.world.engine.services[NAME].state.started


def test_the_answer_to_a_spawn_is_caught_up_with(lives: Lives, take_over: TakeOver) -> None:
    new = take_over(lives.note(), entry())

    assert (new.phase, new.asked, new.world.kinds()) == ("running", [], ["service.started"])


def test_a_first_spawn_of_which_no_note_arrived_is_taken_on(take_over: TakeOver) -> None:
    new = take_over(None, entry())

    assert (new.phase, new.asked, new.world.kinds()) == ("running", [], ["service.started"])


def test_a_note_older_than_the_process_keeps_the_budget(lives: Lives, take_over: TakeOver) -> None:
    lives.spawned().ended()
    note = lives.note()
    assert note["state"]["phase"] == "backoff"

    new = take_over(note, entry(2))

    assert (new.phase, new.asked) == ("running", [])
    assert (new.state.streak, new.world.engine.services[NAME].key) == (1, "server.2")


def test_a_crash_before_the_successor_came_still_counts_to_the_same_streak(lives: Lives, take_over: TakeOver) -> None:
    lives.spawned().ended()

    new = take_over(lives.note(), dead(2))

    assert (new.phase, new.state.streak) == ("backoff", 2)
    assert new.world.kinds() == ["service.started", "service.exited", "service.backing_off"]


def test_the_streak_is_forgiven_at_its_time(lives: Lives, take_over: TakeOver) -> None:
    lives.spawned().ended().after(5).spawned().after(4)
    new = take_over(lives.note(), entry(2))
    assert new.state.streak == 1

    new.world.loop.pass_time(6.1)

    assert new.state.streak == 0


def test_what_it_said_of_itself_meanwhile_counts(worlds: Callable[[], FakeWorld], take_over: TakeOver) -> None:
    lives = Lives(worlds(), wait_ready=True)
    lives.spec.ready = Check(kind=NOTIFY, shown="notify")
    lives.spawned().after(1)
    heard = Heard()
    heard.add("READY=1\nSTATUS=serving", 0.0)
    note = lives.note()
    assert note["state"]["phase"] == "starting"

    new = Successor(worlds(), {NAME: note}, [{**entry(), "notified": heard.as_dict(0.0)}], [lives.spec], told=False)

    assert (new.phase, new.world.engine.services[NAME].detail) == ("running", "serving")


def test_one_whose_check_has_gone_meanwhile_is_degraded_no_more(lives: Lives, worlds: Callable[[], FakeWorld]) -> None:
    lives.spawned().world.engine.degrade(NAME, "answered 500")
    world = worlds()
    Prober(world.engine)

    new = Successor(world, {NAME: lives.note()}, [entry()], [lives.spec], told=False)

    assert (new.phase, world.engine.services[NAME].degraded) == ("running", False)
    assert world.kinds() == ["service.recovered"]


# -- it was asked for and never arrived


def test_a_spawn_that_never_arrived_is_asked_again_under_its_key(lives: Lives, take_over: TakeOver) -> None:
    new = take_over(lives.note())

    assert (new.phase, new.asked) == ("starting", [("spawn", "server.1", "")])


def test_a_process_that_nobody_kept_is_started_anew(lives: Lives, take_over: TakeOver) -> None:
    lives.spawned()

    new = take_over(lives.note())

    assert (new.phase, new.asked) == ("starting", [("spawn", "server.2", "server.1")])


# -- it has ended meanwhile


def test_an_end_that_nobody_judged_is_judged(lives: Lives, take_over: TakeOver) -> None:
    lives.spawned()

    new = take_over(lives.note(), dead())

    assert (new.phase, new.state.streak, new.adopted) == ("backoff", 1, 0)
    assert new.world.kinds() == ["service.exited", "service.backing_off"]


def test_a_server_that_had_lived_is_started_at_once(lives: Lives, take_over: TakeOver) -> None:
    lives.spawned().after(60)

    new = take_over(lives.note(), dead())

    assert (new.phase, new.asked) == ("starting", [("spawn", "server.2", "server.1")])


def ended_at(lives: Lives, status: int = CRASHED) -> dict[str, Any]:
    """It ends now, and `start` notes it."""
    clock = lives.world.loop.fake
    return {**dead(status=status), "ended": [clock.wall(), clock.now()]}


def test_an_end_that_nobody_saw_counts_from_when_it_came(lives: Lives, take_over: TakeOver) -> None:
    lives.spawned().after(2)
    note, gone, at = lives.note(), ended_at(lives), lives.world.loop.fake
    wall, now = at.wall(), at.now()
    lives.after(30)

    new = take_over(note, gone)

    (told,) = [event for event in new.world.events if event.kind == "service.exited"]
    assert (new.state.streak, new.state.deaths, told.data["uptime"]) == (1, (now,), 2), "a fast crash"
    assert new.world.engine.services[NAME].exit["at"] == wall
    new.world.loop.pass_time(0)
    assert new.world.spawner.take() == [("spawn", "server.2", "server.1")], "its delay was over long ago"


def test_the_delay_after_an_end_that_nobody_saw_goes_on(lives: Lives, take_over: TakeOver) -> None:
    lives.spawned().after(2)
    note, gone = lives.note(), ended_at(lives)
    lives.after(3)

    new = take_over(note, gone)

    assert new.asked == []
    new.world.loop.pass_time(1.9)
    assert new.world.spawner.take() == []
    new.world.loop.pass_time(0.2)
    assert new.world.spawner.take() == [("spawn", "server.2", "server.1")]


def test_a_stop_that_ended_unseen_has_its_own_time_too(lives: Lives, take_over: TakeOver) -> None:
    lives.spawned().after(60).stop()
    note, gone, wall = lives.note(), ended_at(lives, SIGTERM), lives.world.loop.fake.wall()
    lives.after(7)

    new = take_over(note, gone)

    assert new.world.engine.services[NAME].exit["at"] == wall
    assert [event.data["uptime"] for event in new.world.events if event.kind == "service.exited"] == [60]


def test_one_that_ended_before_the_answer_to_its_spawn_was_heard_lived_for_no_time(
    lives: Lives, take_over: TakeOver
) -> None:
    gone = ended_at(lives)
    note = lives.note()
    lives.after(30)

    new = take_over(note, gone)

    assert [event.data["uptime"] for event in new.world.events if event.kind == "service.exited"] == [0]


def test_an_end_that_is_in_the_journal_is_decided_but_not_told_again(lives: Lives, take_over: TakeOver) -> None:
    lives.spawned()

    new = take_over(lives.note(), dead(), told=True)

    assert (new.phase, new.state.streak) == ("backoff", 1)
    assert new.world.kinds() == ["service.backing_off"]


def test_an_end_that_was_judged_is_not_judged_again(lives: Lives, take_over: TakeOver) -> None:
    lives.spawned().ended().after(1)

    new = take_over(lives.note(), dead())

    assert (new.phase, new.state.streak, new.asked, new.world.events) == ("backoff", 1, [], [])
    new.world.loop.pass_time(3.9)
    assert new.world.spawner.take() == []
    new.world.loop.pass_time(0.2)
    assert new.world.spawner.take() == [("spawn", "server.2", "server.1")]


def test_a_retry_that_is_overdue_comes_at_once(lives: Lives, take_over: TakeOver) -> None:
    lives.spawned().ended()
    note = lives.note()
    lives.world.loop.fake.time += 100

    new = take_over(note, dead())
    new.world.loop.pass_time(0)

    assert new.world.spawner.take() == [("spawn", "server.2", "server.1")]


def test_a_server_that_gave_up_stays_failed(worlds: Callable[[], FakeWorld], take_over: TakeOver) -> None:
    lives = Lives(worlds(), give_up=1)
    lives.spawned().ended()

    new = take_over(lives.note(), dead())
    new.world.loop.pass_time(1000)

    assert (new.phase, new.asked, new.world.events) == ("failed", [], [])


def test_what_could_not_be_spawned_is_judged_once(lives: Lives, take_over: TakeOver) -> None:
    new = take_over(lives.note(), failed_to_spawn())
    assert (new.phase, new.state.streak) == ("backoff", 1)
    assert new.world.kinds() == ["service.spawn_failed", "service.backing_off"]

    lives.world.engine.spawn_failed("server.1", Cause.from_dict(failed_to_spawn()["cause"]))
    again = take_over(lives.note(), failed_to_spawn())

    assert (again.phase, again.state.streak, again.world.events) == ("backoff", 1, [])


# -- it was being stopped


def test_a_stopped_server_stays_stopped(lives: Lives, take_over: TakeOver) -> None:
    lives.spawned().stop().ended(SIGTERM)

    for entries in ([dead(status=SIGTERM)], []):
        new = take_over(lives.note(), *entries)
        assert (new.phase, new.asked, new.world.events) == ("stopped", [], [])


def test_a_stop_goes_on_to_its_kill(lives: Lives, take_over: TakeOver) -> None:
    lives.spawned().after(60).stop().after(4)
    new = take_over(lives.note(), entry())
    assert (new.phase, new.asked) == ("stopping", [])

    new.world.loop.pass_time(5.9)
    assert new.world.spawner.take() == []
    new.world.loop.pass_time(0.2)

    assert new.world.spawner.take() == [("signal", "server.1", SIGKILL)]


def test_a_stop_that_ended_meanwhile_is_a_stop(lives: Lives, take_over: TakeOver) -> None:
    lives.spawned().after(60).stop()

    new = take_over(lives.note(), dead(status=SIGTERM))

    assert (new.phase, new.asked) == ("stopped", [])
    assert new.world.kinds() == ["service.exited", "service.stopped"]


def test_a_spawn_that_was_unwanted_when_it_came_is_ended(lives: Lives, take_over: TakeOver) -> None:
    lives.stop()

    new = take_over(lives.note(), entry())

    assert (new.phase, new.asked) == ("stopping", [("signal", "server.1", SIGTERM)])


# -- its group outlives it


def test_the_rest_of_a_group_is_waited_for(lives: Lives, take_over: TakeOver) -> None:
    lives.spawned().after(60).ended(empty=False)
    note = lives.note()

    new = take_over(note, entry(status=CRASHED, empty=False))
    assert (new.phase, new.asked) == ("stopping", [])
    new.world.engine.emptied("server.1")
    assert new.world.spawner.take() == [("spawn", "server.2", "server.1")]

    new = take_over(note, dead())
    assert new.asked == [("spawn", "server.2", "server.1")]


def test_the_rest_of_a_group_whose_main_process_ended_unjudged_is_signalled(lives: Lives, take_over: TakeOver) -> None:
    lives.spawned().after(60)

    new = take_over(lives.note(), entry(status=CRASHED, empty=False))

    assert (new.phase, new.asked) == ("stopping", [("signal", "server.1", SIGTERM)])


# -- strangers


def test_of_two_entries_the_newer_counts_and_the_older_is_dropped(lives: Lives, take_over: TakeOver) -> None:
    lives.spawned().after(60)
    for entries in ([entry(1), entry(2)], [entry(2), entry(1)]):
        new = take_over(lives.note(), *entries)

        assert new.asked == [("drop", "server.1")]
        assert new.world.engine.services[NAME].key == "server.2"


def test_a_living_server_that_the_settings_lost_is_stopped_and_forgotten(take_over: TakeOver) -> None:
    new = take_over(None, entry(1), entry(3, name="lost"))
    assert ("signal", "lost.3", SIGTERM) in new.asked

    new.world.engine.exited("lost.3", SIGTERM, True)
    new.world.loop.pass_time(100)

    assert "lost" not in new.world.engine.services
    assert ("drop", "lost.3") in new.world.spawner.asked
    assert new.world.spawner.notes["lost"] is None


def test_a_server_that_the_settings_lost_has_lived_since_its_start(lives: Lives, take_over: TakeOver) -> None:
    note = {**lives.spawned().note(), "key": "lost.3"}
    lives.after(60)

    new = take_over(None, entry(1), entry(3, name="lost"), lost=note)
    new.world.loop.pass_time(5)
    new.world.engine.exited("lost.3", SIGTERM, True)

    (told,) = [event for event in new.world.events if event.kind == "service.exited" and event.service == "lost"]
    assert told.data["uptime"] == pytest.approx(65, abs=1)
    started = [event for event in new.world.events if event.kind == "service.started"]
    assert "lost" not in [event.service for event in started], "nothing was started"


def test_a_dead_server_that_the_settings_lost_is_dropped(take_over: TakeOver) -> None:
    new = take_over(None, entry(1), {**dead(3), "key": "lost.3"})

    assert ("drop", "lost.3") in new.asked
    assert "lost" not in new.world.engine.services


def test_a_command_beside_a_server_is_ended_with_the_scheduler_that_asked_for_it(take_over: TakeOver) -> None:
    new = take_over(None, entry(1), entry(3, name="server/before"), {**dead(4), "key": "server/stop.4"})

    assert new.asked == [("drop", "server/before.3"), ("drop", "server/stop.4")]
    assert list(new.world.engine.services) == ["server"]


def test_a_note_that_the_settings_lost_is_taken_back(worlds: Callable[[], FakeWorld], lives: Lives) -> None:
    new = Successor(worlds(), {"lost": lives.note()}, [], [], told=False)

    assert new.world.spawner.notes == {"lost": None}


def test_a_server_whose_settings_changed_meanwhile_is_restarted(lives: Lives, take_over: TakeOver) -> None:
    lives.spawned().after(60)

    new = take_over(lives.note(), {**entry(), "launch": 12345})

    assert new.phase == "stopping"
    assert new.state.want == "up"


@pytest.mark.parametrize(("oom", "kind"), [(True, "out-of-memory"), (False, "signal")])
def test_what_it_was_killed_for_while_nobody_saw_it_is_told_by_start(
    lives: Lives, take_over: TakeOver, oom: bool, kind: str
) -> None:
    lives.spawned().after(60)

    new = take_over(lives.note(), {**dead(status=9), "oom": oom})

    (told,) = [event for event in new.world.events if event.kind == "service.exited"]
    assert told.data["cause"]["kind"] == kind
