"""What a person asks of schedules and runs, and what is answered: held, begun, refused, known already."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.desk import AT, HOUR, LOCKED, DeskWorld, commands, cron, desk_world, job

from supervisor.base.clock import iso
from supervisor.base.errors import Problem
from supervisor.daemons.schedule_verbs import ScheduleVerbs

EVERY_MINUTE = cron("* * * * *")


class FakeReply:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.closed: Callable[[], None] | None = None
        self.done = False  # the client has gone

    def fail(self, problem: Problem) -> None:
        self.sent.append({"failed": problem})

    def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    def on_closed(self, call: Callable[[], None]) -> None:
        self.closed = call


@pytest.fixture
def world(tmp_path: Path) -> Iterator[DeskWorld]:
    with desk_world(tmp_path) as world:
        yield world


def ask(world: DeskWorld, verb: str, **args: Any) -> dict[str, Any]:
    reply = start(world, verb, **args)
    (answer,) = reply.sent
    return answer


def start(world: DeskWorld, verb: str, **args: Any) -> FakeReply:
    reply = FakeReply()
    ScheduleVerbs(world.desk).table()[verb](args, reply)  # type: ignore[arg-type]
    world.loop.run_soon()
    return reply


# run


def test_a_run_by_hand_begins_at_once(world: DeskWorld) -> None:
    world.open(job(steps=("get", "push")))
    answer = ask(world, "run", name="job", by="anna", args=["x"], env={"A": "1"})
    run = world.run()

    assert (answer["run"], answer["schedule"], answer["held"]) == (run.id, "job", None)
    launch = world.start.launches[run.key]
    assert (launch.argv, launch.env["A"], launch.env["SB_TRIGGER"]) == (("get", "x"), "1", "manual")
    row = world.rows()[0]
    assert (row["by"], row["nominal"], row["args"]) == ("anna", None, '{"args":["x"],"env":["A"]}')
    assert world.slots() == []


def test_a_run_by_hand_waits_for_no_disk(world: DeskWorld) -> None:
    world.open(job())
    world.writer.is_held = True
    ask(world, "run", name="job")

    assert world.run()


def pause_all(world: DeskWorld) -> None:
    Path(world.home.pause_file).touch()


def pause_it(world: DeskWorld) -> None:
    ask(world, "pause", names=["job"], reason="disk", until=AT + HOUR)


def run_it(world: DeskWorld) -> None:
    ask(world, "run", name="job")


@pytest.mark.parametrize(("said", "asked", "runs"), [("once", None, 1), (None, "once", 1), ("once", "next", 0)])
def test_after_a_pause_of_all_what_was_said_last_runs(
    world: DeskWorld, said: str | None, asked: str | None, runs: int
) -> None:
    world.open(job())
    ask(world, "pause", names=[], by="anna", on_resume=said)
    os.utime(world.home.pause_file, (world.now, world.now))
    world.pass_time(HOUR + 10)
    assert ask(world, "resume", names=[], what=asked)["accepted"] == ["*"]
    world.pass_time(20)

    assert len(world.running()) == runs


def test_what_is_to_run_after_a_pause_of_all_may_be_said_later(world: DeskWorld) -> None:
    world.open(job())
    ask(world, "pause", names=[], by="anna")

    assert ask(world, "pause", names=[], by="anna")["already"] == ["*"]
    assert ask(world, "pause", names=[], by="anna", on_resume="once")["accepted"] == ["*"]
    assert "on-resume: once" in Path(world.home.pause_file).read_text()


@pytest.mark.parametrize("by", ["the settings", "a wish"])
def test_one_that_is_disabled_runs_by_hand_and_only_so(world: DeskWorld, by: str) -> None:
    """That is what every text says of it."""
    world.open(job(enabled=by != "the settings", run_at_start=False))
    if by == "a wish":
        ask(world, "schedule_disable", names=["job"])
    world.pass_time(HOUR)
    assert [slot["reason"] for slot in world.slots()] == ["disabled"]

    answer = ask(world, "run", name="job")
    assert answer["held"] is None
    assert world.run().id == answer["run"]
    assert world.rows()[0]["forced"] is None, "nothing had to be passed"


@pytest.mark.parametrize(
    ("policy", "before", "gate"),
    [
        ({}, pause_all, "paused"),
        ({}, pause_it, "paused"),
        ({}, run_it, "overlap"),
        ({"overlap": "queueOne"}, run_it, "overlap"),
        ({"overlap": "cancelOther"}, run_it, "overlap"),
        ({"active_hours": [[None, 0, HOUR]]}, None, "active hours"),
        ({"check": "none"}, None, "reachability"),
    ],
)
def test_by_hand_it_is_held_by_the_same_gates_unless_it_is_forced(
    world: DeskWorld, policy: dict[str, Any], before: Callable[[DeskWorld], None] | None, gate: str
) -> None:
    world.open(job(**policy))
    if before is not None:
        before(world)
    begun = len(world.running())
    answer = ask(world, "run", name="job")
    assert (answer["run"], answer["held"]["gate"]) == (None, gate)
    assert len(world.running()) == begun
    assert world.start.signals() == []

    forced = ask(world, "run", name="job", force=True)

    assert len(world.running()) == begun + 1
    row = next(row for row in world.rows() if row["id"] == forced["run"])
    assert row["forced"] == gate


def test_a_run_by_hand_counts_for_the_slots_that_come(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE))
    ask(world, "run", name="job")
    world.pass_time(60)

    assert world.reasons() == ["overlap"]


def test_a_run_by_hand_that_is_allowed_in_a_breakers_pause_is_its_probe(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE, safety={"max_failures": 1, "cooldown": 30.0}))
    world.pass_time(60)
    world.end(code=1)
    world.pass_time(30)
    ask(world, "run", name="job")
    assert world.plan().breaker.state == "half_open"
    world.end()

    assert world.plan().breaker.state == "closed"


def test_some_commands_of_a_schedule_or_of_a_plugin_without_one(world: DeskWorld) -> None:
    world.catalogue.commands.update(job=commands("get", "process", "push"), other=commands("get", "tidy"))
    world.open(job(steps=("get", "process", "push")))
    ask(world, "run", name="job", commands=["push"])
    assert world.run().progress.steps == ["push"]
    ask(world, "run", name="other", commands=["tidy"])

    assert [run.progress.steps for run in world.running("")] == [["tidy"]]
    world.end(world.running("")[0])
    ask(world, "run", name="other")
    assert [run.progress.steps for run in world.running("")] == [["get"]]


@pytest.mark.parametrize(
    ("name", "more", "what"),
    [
        ("jbo", [], "no schedule 'jbo'"),
        ("job", ["gte"], "has no command 'gte'"),
        ("two", [], "two has several schedules"),
        ("bare", [], "has none of get, process and push"),
    ],
)
def test_what_can_not_be_run_is_refused_with_a_remedy(world: DeskWorld, name: str, more: list[str], what: str) -> None:
    world.open(job(), job(id="two.a", plugin="two"), job(id="two.b", plugin="two"))
    del world.catalogue.commands["two"]
    world.catalogue.commands["bare"] = commands("tidy")

    with pytest.raises(Problem) as found:
        start(world, "run", name=name, commands=more)

    assert what in found.value.what
    assert found.value.remedy
    assert world.start.spawns() == []


def test_nothing_begins_while_it_stops(world: DeskWorld) -> None:
    world.open(job())
    world.desk.stop_all()

    with pytest.raises(Problem, match="stopping"):
        start(world, "run", name="job")


def test_a_plugin_without_a_schedule_obeys_a_pause_of_all(world: DeskWorld) -> None:
    world.catalogue.commands["tool"] = commands("get")
    world.open(job())
    pause_all(world)
    answer = ask(world, "run", name="tool")
    assert (answer["run"], answer["schedule"], answer["held"]["gate"]) == (None, "tool", "paused")
    assert world.start.spawns() == []

    assert ask(world, "run", name="tool", force=True)["held"] is None
    assert [run.forced for run in world.desk.runner.runs.values()] == [["paused"]]


def test_a_plugin_without_a_schedule_runs_once_at_a_time(world: DeskWorld) -> None:
    world.catalogue.commands.update(tool=commands("get"), other=commands("get"))
    world.open(job())
    first = ask(world, "run", name="tool")["run"]
    assert ask(world, "run", name="tool")["held"]["gate"] == "overlap"
    assert ask(world, "run", name="other")["held"] is None, "that is another plugin"
    assert ask(world, "run", name="tool", force=True)["held"] is None
    world.end(world.desk.runner.runs[first])
    assert ask(world, "run", name="tool")["held"]["gate"] == "overlap", "the one that was forced goes on"
    for run in list(world.desk.runner.runs.values()):
        world.end(run)

    assert ask(world, "run", name="tool")["held"] is None


# cancel, wait


def test_a_rollback_is_not_said_to_be_cancelled(world: DeskWorld) -> None:
    """It goes on, for half a rollback is worse than either; who means it says so."""
    world.catalogue.commands["job"] = commands("process", "rollback")
    world.open(job(steps=("process",)))
    run = ask(world, "run", name="job")["run"]
    world.end(code=1)
    assert world.run().progress.rolling_back
    with pytest.raises(Problem, match="rolling back") as refused:
        start(world, "cancel", run=run)
    assert refused.value.remedy == f"sbctl cancel {run} --now"
    assert world.start.signals() == []

    assert ask(world, "cancel", run=run, now=True) == {"run": run, "state": "running"}
    assert world.start.signals() == [9]
    world.end(signal=9)
    assert world.running() == []


def test_cancelled_and_waited_for(world: DeskWorld) -> None:
    world.open(job())
    run = ask(world, "run", name="job")["run"]
    waits = start(world, "wait_run", run=run)
    assert waits.sent == []
    ask(world, "cancel", run=run, by="anna")
    world.end(signal=15)

    assert [(answer["ended"], answer["run"]["state"]) for answer in waits.sent] == [(True, "cancelled")]
    with pytest.raises(Problem, match="going on"):
        start(world, "cancel", run=run)
    assert ask(world, "wait_run", run=run) == {"run": None, "ended": True}


def test_who_waits_for_so_long_is_answered_then_and_not_again(world: DeskWorld) -> None:
    world.open(job())
    run = ask(world, "run", name="job")["run"]
    waits = start(world, "wait_run", run=run, timeout=5.0)
    gone = start(world, "wait_run", run=run)
    assert gone.closed is not None
    gone.closed()
    world.pass_time(5)
    world.end()

    assert [(answer["ended"], answer["run"]["state"]) for answer in waits.sent] == [(False, "running")]
    assert gone.sent == []


def test_one_that_waits_for_its_turn_can_be_waited_for(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE, overlap="queueOne"))
    world.pass_time(130)
    waits = start(world, "wait_run", run=world.plan().queued[0].id)
    ask(world, "schedule_disable", names=["job"])
    world.end()

    assert [answer["ended"] for answer in waits.sent] == [True]
    assert waits.sent[0]["run"]["cause"] == "it is disabled"


# wishes


def test_paused_and_resumed_once_each(world: DeskWorld) -> None:
    world.open(job(), job(id="b"))

    assert ask(world, "pause", names=["job"], by="anna") == {"accepted": ["job"], "already": []}
    assert ask(world, "pause", names=["job", "b"]) == {"accepted": ["b"], "already": ["job"]}
    assert ask(world, "resume", names=["job"]) == {"accepted": ["job"], "already": []}
    assert ask(world, "resume", names=["job"]) == {"accepted": [], "already": ["job"]}
    assert world.kinds("job") == ["schedule.paused", "schedule.resumed"]
    assert ask(world, "pause", names=[]) == {"accepted": ["*"], "already": []}
    assert ask(world, "pause", names=[]) == {"accepted": [], "already": ["*"]}
    assert ask(world, "resume", names=[]) == {"accepted": ["*"], "already": []}


@pytest.mark.parametrize(("what", "begun"), [(None, 1), ("next", 0), ("once", 1)])
def test_who_resumes_may_say_what_is_made_up_for(world: DeskWorld, what: str | None, begun: int) -> None:
    world.open(job())
    ask(world, "pause", names=["job"], on_resume="once")
    world.pass_time(HOUR)
    ask(world, "resume", names=["job"], what=what)
    world.pass_time(1)

    assert len(world.running()) == begun


def test_disabled_and_enabled_by_a_word_that_is_forgotten_where_the_settings_say_the_same(world: DeskWorld) -> None:
    world.open(job())

    assert ask(world, "schedule_disable", names=["job"])["accepted"] == ["job"]
    assert ask(world, "schedule_disable", names=["job"])["already"] == ["job"]
    assert world.keeps.saved["job"] == {"enabled": False}
    assert ask(world, "schedule_enable", names=["job"])["accepted"] == ["job"]
    assert world.keeps.saved.get("job") is None


def test_all_names_are_known_or_nothing_is_done(world: DeskWorld) -> None:
    world.open(job())

    with pytest.raises(Problem, match="no schedule"):
        start(world, "pause", names=["job", "nobody"])
    assert world.keeps.saved == {}


# looking


def test_what_there_is_and_what_comes(world: DeskWorld) -> None:
    world.open(job(), job(id="b"))

    assert [row["id"] for row in ask(world, "schedules", names=["b"])["schedules"]] == ["b"]
    assert len(ask(world, "schedules")["schedules"]) == 2
    assert [slot["schedule"] for slot in ask(world, "next", count=3)["slots"]] == ["job", "b", "job"]
    assert ask(world, "why_schedule", name="job")["row"]["id"] == "job"


def test_the_counts_are_of_all_also_where_some_are_asked_for(world: DeskWorld) -> None:
    world.open(job(), job(id="b"), job(id="c", enabled=False))

    system = ask(world, "schedules", names=["b"])["system"]
    assert (system["total_schedules"], system["active_schedules"]) == (3, 2)


def test_what_fails_by_hand_cools_nothing_down(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE, safety={"max_failures": 2, "cooldown": 3600.0}))
    for _ in range(3):
        ask(world, "run", name="job", force=True)
        world.end(code=1)
    row = ask(world, "schedules")["schedules"][0]
    assert (row["failed_runs"], row["consecutive_failures"], row["status"]) == (3, 0, "active")
    world.kill().open()
    assert world.plan().breaker.streak == 0


def test_a_success_by_hand_ends_the_streak(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE, safety={"max_failures": 3, "cooldown": 3600.0}))
    for number in range(1, 3):
        world.pass_time(60)
        world.end(code=1)
        assert ask(world, "schedules")["schedules"][0]["consecutive_failures"] == number
    ask(world, "run", name="job")
    world.end()
    assert ask(world, "schedules")["schedules"][0]["consecutive_failures"] == 0
    world.kill().open()
    assert world.plan().breaker.streak == 0


def test_a_resume_ends_a_cool_down(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE, safety={"max_failures": 1, "cooldown": 3600.0}))
    world.pass_time(60)
    world.end(code=1)
    assert ask(world, "schedules")["schedules"][0]["status"] == "cooldown"
    assert ask(world, "resume", names=["job"]) == {"accepted": ["job"], "already": []}
    row = ask(world, "schedules")["schedules"][0]
    assert (row["status"], row["consecutive_failures"]) == ("active", 0)
    world.kill().open()
    assert ask(world, "schedules")["schedules"][0]["status"] == "active"


@pytest.mark.parametrize("later", [False, True])
def test_who_was_told_that_a_cool_down_is_over_relies_on_it(world: DeskWorld, later: bool) -> None:
    world.open(job(EVERY_MINUTE, safety={"max_failures": 1, "cooldown": 3600.0}))
    world.pass_time(60)
    world.end(code=1)
    world.writer.is_held = True
    ask(world, "resume", names=["job"])
    world.kill().open(trouble=LOCKED, later=True) if later else world.kill().open()
    if later:
        world.learn()
    assert ask(world, "schedules")["schedules"][0]["status"] == "active"
    world.pass_time(120)
    world.end(code=1)
    world.kill().open()
    assert ask(world, "schedules")["schedules"][0]["status"] == "cooldown", "that came later"


def test_a_clock_that_was_ahead_forgives_nothing(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE, safety={"max_failures": 1, "cooldown": 3600.0}))
    world.desk.change_wishes(lambda wishes: ["job"] if wishes.forgive("job", world.now + 24 * HOUR) else [])
    world.pass_time(60)
    world.end(code=1)
    world.kill().open()
    assert ask(world, "schedules")["schedules"][0]["status"] == "cooldown"


def test_a_pause_can_be_made_longer(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE))
    ask(world, "pause", names=["job"], until=world.now + 60, by="anna")
    longer = {"names": ["job"], "until": world.now + 7200, "reason": "new disks", "by": "ben"}
    assert ask(world, "pause", **longer) == {"accepted": ["job"], "already": []}
    pause = ask(world, "schedules")["schedules"][0]["paused"]
    assert (pause["by"], pause["reason"]) == ("ben", "new disks")
    assert ask(world, "pause", names=["job"]) == {"accepted": [], "already": ["job"]}


def test_the_pause_of_all_can_be_made_longer(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE))
    Path(world.home.pause_file).touch()
    assert ask(world, "pause", names=[], reason="new disks", by="ben") == {"accepted": ["*"], "already": []}
    assert ask(world, "schedules")["system"]["paused"]["reason"] == "new disks"
    assert ask(world, "pause", names=[]) == {"accepted": [], "already": ["*"]}


@pytest.mark.parametrize("names", [["job"], []])
def test_what_a_pause_has_held_before_it_was_made_longer_is_made_up_for_too(world: DeskWorld, names: list[str]) -> None:
    world.open(job(cron("*/10 * * * *"), overlap="queueAll", overlap_max=9, max_catchup=9, spread=1.0))
    world.pass_time(60)
    ask(world, "pause", names=names, until=world.now + 3600, on_resume="catch_up")
    if not names:
        os.utime(world.home.pause_file, (world.now, world.now))  # its time is that of the file
    world.pass_until(AT + 25 * 60)
    ask(world, "pause", names=names, until=world.now + 7200, on_resume="catch_up")
    since = ask(world, "schedules")["schedules"][0]["paused"]["at"]
    assert since == iso(AT + 60)
    world.pass_until(AT + 45 * 60)
    ask(world, "resume", names=names)
    for _ in range(6):
        for run in world.running():
            world.end(run)
        world.pass_time(2)

    assert [(row["nominal"] - AT) // 60 for row in world.rows() if row["trigger"] == "catch_up"] == [10, 20, 30, 40]


def test_a_pause_that_is_over_is_none_though_nobody_has_noticed_yet(world: DeskWorld) -> None:
    world.open(job(cron("1 * * * *")), job(id="b"))
    ask(world, "pause", names=["job"], until=world.now + 90, on_resume="once")
    world.clocks.jump_wall(120)  # the timer goes by the other clock
    assert ask(world, "pause", names=["job"]) == {"accepted": ["job"], "already": []}
    told = [kind for kind in world.kinds("job") if kind.startswith("schedule.")]
    assert told == ["schedule.paused", "schedule.resumed", "schedule.paused"]
    assert (world.running(), world.states()) == ([], ["cancelled"])  # the second came before it could begin
    assert ask(world, "schedules")["schedules"][0]["paused"]["until"] is None

    ask(world, "pause", names=["b"], until=world.now + 60)
    world.clocks.jump_wall(120)
    assert ask(world, "resume", names=["b"]) == {"accepted": [], "already": ["b"]}
    assert world.kinds("b") == ["schedule.paused", "schedule.resumed"]


# a look at very many


def test_runs_are_not_late_for_somebody_who_looks(world: DeskWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.daemons.in_slices.SLICE_S", -1.0)
    world.open(*(job(id=f"j{number}") for number in range(5)))
    for verb, key in (("schedules", "schedules"), ("next", "slots")):
        reply, turns = FakeReply(), 0
        ScheduleVerbs(world.desk).table()[verb]({"count": 9}, reply)  # type: ignore[arg-type]
        while not reply.sent and turns < 20:
            world.loop.turn(0)
            turns += 1

        assert turns >= 5, "one of them in each turn"
        assert [row.get("id") or row["schedule"] for row in reply.sent[0][key]][:5] == [f"j{n}" for n in range(5)]


def test_however_many_there_are_the_pause_is_looked_for_once_a_slice(
    world: DeskWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.open(*(job(id=f"j{number}") for number in range(30)))
    looks: list[int] = []
    look = world.desk.pauses.look
    monkeypatch.setattr(world.desk.pauses, "look", lambda: [looks.append(1), look()][1])

    assert ask(world, "schedules")["system"]["active_schedules"] == 30
    assert len(looks) == 2, "one for the rows, one for what is counted"


def test_the_whole_is_counted_in_slices_and_with_the_first_part_alone(
    world: DeskWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supervisor.daemons.schedule_verbs.MOST_ROWS", 2)
    monkeypatch.setattr("supervisor.daemons.in_slices.SLICE_S", -1.0)
    world.open(*(job(id=f"j{number}") for number in range(20)))
    reply, turns = FakeReply(), 0
    ScheduleVerbs(world.desk).table()["schedules"]({}, reply)  # type: ignore[arg-type]
    while not reply.sent and turns < 40:
        world.loop.turn(0)
        turns += 1

    assert turns >= 20, "one of them in each turn"
    assert reply.sent[0]["system"]["total_schedules"] == reply.sent[0]["system"]["active_schedules"] == 20
    assert ask(world, "schedules", first=2)["system"] is None


def test_who_has_gone_is_not_looked_for_any_further(world: DeskWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.daemons.in_slices.SLICE_S", -1.0)
    world.open(*(job(id=f"j{number}") for number in range(5)))
    reply = FakeReply()
    ScheduleVerbs(world.desk).table()["schedules"]({}, reply)  # type: ignore[arg-type]
    reply.done = True
    world.loop.run_soon()

    assert reply.sent == []


def test_a_defect_in_the_middle_is_an_answer_too(world: DeskWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world.open(job())
    monkeypatch.setattr("supervisor.daemons.schedule_verbs.view.row", lambda *_: 1 / 0)
    reply = FakeReply()

    with pytest.raises(ZeroDivisionError):
        ScheduleVerbs(world.desk).table()["schedules"]({}, reply)  # type: ignore[arg-type]

    assert "ZeroDivisionError" in str(reply.sent[0]["failed"].why)


def test_rows_come_in_parts_that_fit_an_answer(world: DeskWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.daemons.schedule_verbs.MOST_ROWS", 2)
    world.open(*(job(id=f"j{number}") for number in range(5)))
    found, first = [], 0
    while first is not None:
        part = ask(world, "schedules", first=first)
        found.append([row["id"] for row in part["schedules"]])
        first = part["more"]

    assert found == [["j0", "j1"], ["j2", "j3"], ["j4"]]
    assert ask(world, "schedules", names=["j4", "j1", "j3"])["more"] == 2
