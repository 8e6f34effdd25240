"""A desk with nothing real around it: time, processes, the disk and `start` do what a test says.

What is written goes through the store's own statements into a database in memory, so a slot is as unique here as on a
disk. `kill` throws the desk away as a SIGKILL would; `open` makes the next one from what is left.
"""

from __future__ import annotations

import _sqlite3
import heapq
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from supervisor.base import zones
from supervisor.base.errors import Problem
from supervisor.base.wire import check_size, encode
from supervisor.engine.entries import Ends
from supervisor.engine.outlet import Pumps
from supervisor.events.bus import Bus
from supervisor.model.cause import Cause, CauseKind
from supervisor.model.event import Event
from supervisor.model.home import Home
from supervisor.model.launch import Launch
from supervisor.model.schedule import Catalogue, Policy, Schedule
from supervisor.model.wishes import Wishes
from supervisor.runs.desk import Desk
from supervisor.runs.plan import Plan
from supervisor.runs.run import Run, mark_of
from supervisor.runs.takeover import Left
from supervisor.store.bulk import apply_all
from supervisor.store.loading import load, load_with
from supervisor.store.making import Maker
from supervisor.store.rows import Loaded, RunRow, SlotRow, StepRow
from supervisor.store.schema import migrate
from supervisor.store.statements import rows_as_dicts
from supervisor.store.writes import CLAIM, Write
from support.fakes import FakeClock, FakeLoop, raise_it

LOCKED = "history.db can't be written: another program holds a lock on it"
AT = 1_760_000_400  # a Thursday in October 2025, 09:00:00 UTC
HOUR, DAY = 3600, 86_400
ENDS = frozenset(
    f"run.{state}" for state in ("succeeded", "failed", "rejected", "timed_out", "cancelled", "interrupted", "lost")
)


class Clocks(FakeClock):
    """All three, each movable by hand."""

    def __init__(self, wall: float = AT) -> None:
        super().__init__()
        self.offset = wall - self.time
        self.slept = 0.0

    def wall(self) -> float:
        return self.time + self.offset

    def boot(self) -> float:
        return self.time + self.slept

    def jump_wall(self, seconds: float) -> None:
        """Somebody sets the clock."""
        self.offset += seconds

    def sleep(self, seconds: float) -> None:
        """The machine is suspended: the monotonic clock stands still."""
        self.offset += seconds
        self.slept += seconds


class DeskLoop(FakeLoop):
    """On clocks that outlive it."""

    def __init__(self, clocks: Clocks) -> None:
        super().__init__()
        self.clocks = self.fake = clocks
        self.clock = clocks

    def next_due(self) -> float | None:
        timers = self._timers
        while timers and timers[0][2].call is None:
            heapq.heappop(timers)
        return timers[0][0] if timers else None


class FakeStart:
    """What `start` keeps, which no kill of the scheduler takes away: processes and notes."""

    def __init__(self) -> None:
        self.entries: dict[str, dict[str, Any]] = {}
        self.notes: dict[str, str] = {}
        self.launches: dict[str, Launch] = {}
        self.unanswered: list[str] = []
        self.asked: list[tuple[Any, ...]] = []
        self.on_spawn: Callable[[str], None] | None = None
        self.is_deaf = False  # what is asked from now on does not arrive: the scheduler died before it
        self._with_next: list[tuple[str, dict[str, Any] | None]] = []
        self.soon: Callable[[Callable[[], None]], None]  # of the scheduler's loop

    def spawn(self, key: str, launch: Launch, *, replaces: str, ends: Ends, stop: Any) -> None:
        ends.close_given()
        self._arrive()
        if self.is_deaf:
            return
        self.asked.append(("spawn", key))
        self.unanswered.append(key)
        self.launches[key] = launch
        self.entries[key] = {
            "key": key, "pid": 4000 + len(self.launches), "started": 1, "status": None, "empty": False, "cause": None,
            "out_read": -1, "err_read": -1, "notify": -1, "out_second": -1, "err_second": -1,
            "used": None, "ended": None,
        }  # fmt: skip
        if self.on_spawn is not None:
            self.on_spawn(key)

    def signal(self, key: str, number: int, *, main: bool = False) -> None:
        self.asked.append(("signal", key, number))

    def drop(self, key: str) -> None:
        self._arrive()
        if not self.is_deaf:
            self.asked.append(("drop", key))
            self.entries.pop(key, None)

    def note(self, name: str, blob: dict[str, Any] | None) -> None:
        _fits(name, blob)
        self._arrive()
        if self.is_deaf:
            return
        if blob is None:
            self.notes.pop(name, None)
        else:
            self.notes[name] = json.dumps(blob)

    def note_with_next(self, name: str, blob: dict[str, Any] | None) -> None:
        """It arrives with what is asked next, or at the end of the turn."""
        _fits(name, blob)
        self._with_next.append((name, blob))
        self.soon(self._arrive)

    def forget_held(self) -> None:
        """Its scheduler died with it."""
        self._with_next = []

    def _arrive(self) -> None:
        held, self._with_next = self._with_next, []
        for name, blob in held:
            self.note(name, blob)

    def spawns(self) -> list[str]:
        return [words[1] for words in self.asked if words[0] == "spawn"]

    def signals(self) -> list[int]:
        return [words[2] for words in self.asked if words[0] == "signal"]


def _fits(name: str, blob: dict[str, Any] | None) -> None:
    """As a channel: what is too long for one packet is not sent."""
    check_size(encode({"verb": "note", "name": name, "blob": blob}))


class NoOutput:
    """Steps without output."""

    def open(self, name: str, launch: Launch) -> tuple[Ends, Pumps]:
        return Ends(), Pumps()

    def resume(self, name: str, launch: Launch, out_fd: int, err_fd: int = -1) -> Pumps:
        return Pumps()


class FakeWriter:
    """The writer's interface over a database in memory."""

    def __init__(self, loop: DeskLoop, db: _sqlite3.Connection, kept: list[Write]) -> None:
        self.db = db
        self.kept = kept  # beside the file, for a successor
        self.is_held = False  # nothing gets to the disk until `write`
        self.refuses = False  # claims are not even taken
        self.hangs = False  # what was taken can't be taken back
        self.dropped = 0
        self.trouble = ""
        self._loop = loop
        self._make = Maker(loop.clock, raise_it)
        self._waiting = list(kept)
        if kept:
            loop.soon(self._hand_over)

    @property
    def queued(self) -> int:
        return len(self._waiting)

    def _add(self, write: Write) -> None:
        if not self._waiting:
            self._loop.soon(self._hand_over)
        self._waiting.append(write)

    def _hand_over(self) -> None:
        if not self.is_held:
            self.write()

    def write(self) -> None:
        """All of it, in order."""
        waiting, self._waiting, self.kept = self._waiting, [], []
        for each, ok in zip(waiting, apply_all(self.db, waiting), strict=True):
            if each.done is not None:
                self._loop.guard(each.done, bool(ok))

    def keep(self) -> None:
        """All of it beside a file that takes nothing now: a successor knows of it, and nobody is answered."""
        waiting, self._waiting = self._waiting, []
        self.kept = [Write(each.kind, each.key, each.values, each.slots) for each in waiting]

    def claim(self, slots: list[SlotRow], run: RunRow | None, done: Callable[[bool], None]) -> bool:
        return self.put_claim(self.made_claim(slots, run, done))

    def made_claim(self, slots: list[SlotRow], run: RunRow | None, done: Callable[[bool], None]) -> Write:
        return self._make.claim(slots, run, done)

    def put_claim(self, write: Write) -> bool:
        if not self.refuses:
            self._add(write)
        return not self.refuses

    def withdraw(self, run_id: str) -> bool:
        found = [each for each in self._waiting if each.kind == CLAIM and each.key == run_id]
        if self.hangs or not found:
            return False
        self._waiting.remove(found[0])
        return True

    def ask_before(self, before: Callable[[str, Any, int], int | None]) -> None:
        self._make.before = before

    def skip(self, slots: list[SlotRow], *, own: bool = False) -> None:
        self._add(self._make.skip(slots, own=own))

    def release(
        self, run_id: str, reason: str, *, until: int | None = None, note: str | None = None, of: Any = None
    ) -> None:
        self._add(self._make.release(run_id, {"reason": reason, "until": until, "note": note}, of))

    def cut(self, until: int) -> None:
        self._add(self._make.cut(until))

    def blind(self, since: int) -> None:
        self._add(self._make.blind(since))

    def run_started(self, run_id: str, **fields: Any) -> None:
        self.run_changed(run_id, **{"state": "running", **fields})

    def run_changed(self, run_id: str, **fields: Any) -> None:
        self._add(self._make.change(run_id, fields))

    def run_ended(self, run_id: str, fields: dict[str, Any], done: Callable[[bool], None] | None = None) -> None:
        self._add(self._make.end(run_id, fields, done))

    def step_started(self, row: StepRow) -> None:
        self._add(self._make.step(row))

    step_ended = step_started

    def rest(self, rests: bool) -> None:
        """It has nothing better to do."""

    def expect(self, schedules: int) -> None:
        """It has room for all."""

    def schedule_state(self, id: str, **fields: Any) -> None:
        self._add(self._make.state(id, fields))

    def prune(self, policy: dict[str, Any]) -> None:
        return


class Keeps:
    """Wishes, as a file would have them."""

    def __init__(self) -> None:
        self.saved: dict[str, Any] = {}
        self.fails = False

    def save_wishes(self, wishes: Wishes) -> None:
        if self.fails:
            raise Problem("can't write state.json", why="No space left on device")
        self.saved = json.loads(json.dumps(wishes.as_dict()))


class FakeLoad:
    """How busy this machine is."""

    def __init__(self) -> None:
        self.memory = self.cpu = 0.0

    def look(self) -> tuple[float, float]:
        return self.memory, self.cpu

    def cpu_percent(self) -> float:
        return self.cpu


class DeskWorld:
    """One home through the lives of its schedulers."""

    def __init__(self, path: Path, *, wall: float = AT) -> None:
        self.home = Home(str(path))
        self.clocks = Clocks(wall)
        self.start = FakeStart()
        self.keeps = Keeps()
        self.load = FakeLoad()
        self.events: list[Event] = []
        self.catalogue = Catalogue(None)
        self.catalogue.zone = "UTC"
        self.db = _sqlite3.connect(":memory:", isolation_level=None)
        migrate(self.db)
        self.lives = 0  # of schedulers, so far
        self._is_up = False
        self._make()

    def _make(self) -> None:
        self.lives += 1
        self.loop = DeskLoop(self.clocks)
        self.writer = FakeWriter(self.loop, self.db, self.writer.kept if self.lives > 1 else [])
        self.start.is_deaf = False
        self.start.soon = self.loop.soon
        self.start.forget_held()
        bus = Bus(self.clocks, "scheduler", raise_it)
        bus.add(self.events.append)
        self.desk = Desk(
            self.loop,
            self.home,
            bus,
            outlet=NoOutput(),
            spawner=lambda: self.start,
            writer=self.writer,  # type: ignore[arg-type]
            zones=zones.zone,
            seed="seed",
            boot="boot",
            mark=mark_of(self.lives.to_bytes(4, "big")),
            keeps=self.keeps,
            decode=json.loads,
        )
        self.desk.load = self.load  # type: ignore[assignment]

    # life

    def open(self, *schedules: Schedule, trouble: str = "", locked: str = "", later: bool = False) -> DeskWorld:
        """`trouble`: the history can't be read. `later`: until `learn`. `locked`: it can't be written."""
        if schedules:
            self.set(*schedules)
        desk, left = self.desk, Left()
        desk.wishes = Wishes(self.keeps.saved)
        entries = [dict(entry) for entry in self.start.entries.values()]
        left.take(entries, {name: json.loads(blob) for name, blob in self.start.notes.items()})
        told = {event.data["run"] for event in self.events if event.kind in ENDS and event.data}
        left.told = told.intersection
        left.past = lambda: [event.as_record() for event in self.events]
        asked = [*left.over, *desk.wishes.all_promised()]
        loaded = Loaded.empty(trouble) if trouble else self._load(asked)
        loaded.trouble, loaded.comes_later = trouble or locked, later
        desk.open(self.catalogue, left, loaded)
        self._is_up = True
        self.loop.run_soon()  # what was heard meanwhile, then the planner begins ...
        self.loop.run_soon()  # ... and what is due at once
        return self

    def _load(self, asked: list[str]) -> Loaded:
        kept = self.writer.kept
        return load_with(self.db, kept, asked) if kept else load(self.db, asked)

    def learn(self) -> DeskWorld:
        """The history can be read at last: before anything is written."""
        over = [run.id for run, _ in self.desk.unread.over] if self.desk.unread is not None else []
        loaded = self._load([*over, *self.desk.wishes.all_promised()])
        loaded.trouble = LOCKED
        self.desk.learn(loaded)
        self.writer.is_held = False
        self.writer.write()
        self.loop.run_soon()
        return self

    def kill(self) -> DeskWorld:
        """What it had not handed over is lost; `start`, the clocks and the disk go on."""
        self.close()
        self._make()
        return self

    def close(self) -> None:
        self.desk.pauses.close()
        self.loop.close()
        self._is_up = False

    def set(self, *schedules: Schedule) -> None:
        """Into the settings; what is known of commands stays."""
        self.catalogue.schedules = {schedule.id: schedule for schedule in schedules}
        for schedule in schedules:
            self.catalogue.commands.setdefault(schedule.plugin, commands(*(schedule.steps or ("get",))))

    def reload(self, *schedules: Schedule) -> None:
        before, self.catalogue = self.catalogue, Catalogue(None)
        for name in ("zone", "commands", "calendars", "groups", "checks"):
            setattr(self.catalogue, name, getattr(before, name))
        self.set(*schedules)
        self.desk.take_catalogue(self.catalogue)
        self.loop.run_soon()

    # time

    @property
    def now(self) -> float:
        return self.clocks.wall()

    def pass_time(self, seconds: float) -> None:
        self.loop.pass_time(seconds)

    def pass_until(self, wall: float) -> None:
        self.loop.pass_time(max(wall - self.now, 0.0))

    def beat(self) -> None:
        self.desk.beat()
        self.loop.run_soon()

    def jump_wall(self, seconds: float) -> None:
        self.clocks.jump_wall(seconds)
        self.beat()

    def sleep(self, seconds: float) -> None:
        self.clocks.sleep(seconds)
        self.beat()

    # runs

    def plan(self, name: str = "job") -> Plan:
        return self.desk.plans[name]

    def running(self, name: str = "job") -> list[Run]:
        return self.desk.runner.of(name)

    def run(self, name: str = "job") -> Run:
        """The only one that goes on."""
        (run,) = self.running(name)
        return run

    def end(
        self, what: Run | str = "job", code: int = 0, *, signal: int = 0, result: str | None = None,
        used: tuple[int, int] | None = None,
    ) -> None:  # fmt: skip
        """The present step of a run, of the only run of a schedule, or the process of this key."""
        run = what if isinstance(what, Run) else self.run(what) if what in self.desk.plans else None
        key = run.key if run is not None else str(what)
        if result is not None:
            Path(self.start.launches[key].env["SB_RESULT_FILE"]).write_text(result)
        self.exit(key, signal or code << 8, used)
        if self._is_up:
            self.answer()
            self.desk.exited(key, signal or code << 8, True, None, used)
            self.loop.run_soon()

    def answer(self) -> None:
        """What was asked for has been spawned."""
        unanswered, self.start.unanswered = self.start.unanswered, []
        for key in unanswered:
            self.desk.spawned(key, 4000, 1)

    def exit(self, key: str, status: int, used: tuple[int, int] | None = None) -> None:
        """Only `start` hears of it."""
        self.start.entries[key].update(status=status, empty=True, used=used, ended=[self.now, self.clocks.now()])

    def fail_to_start(self, what: Run, text: str) -> None:
        self.desk.spawn_failed(what.key, Cause(CauseKind.SYSTEM, text))
        self.loop.run_soon()

    # what is known

    def slots(self, name: str = "job") -> list[dict[str, Any]]:
        return rows_as_dicts(self.db, "SELECT * FROM slots WHERE schedule = ? ORDER BY nominal", (name,))

    def outcomes(self, name: str = "job") -> list[tuple[int, str]]:
        """(nominal, reason or outcome); a range has its first."""
        return [(row["nominal"], row["reason"] or row["outcome"]) for row in self.slots(name)]

    def reasons(self, name: str = "job") -> list[str]:
        return [what for _, what in self.outcomes(name)]

    def fates(self, name: str = "job") -> list[str]:
        """As `reasons`, of each slot: a range says its own as often as it has slots."""
        return [row["reason"] or row["outcome"] for row in self.slots(name) for _ in range(row["count"] or 1)]

    def rows(self, name: str = "job") -> list[dict[str, Any]]:
        return rows_as_dicts(self.db, "SELECT * FROM runs WHERE schedule = ? ORDER BY claimed, rowid", (name,))

    def states(self, name: str = "job") -> list[str]:
        return [row["state"] for row in self.rows(name)]

    def steps(self) -> list[tuple[str, int, str]]:
        rows = rows_as_dicts(self.db, "SELECT * FROM steps ORDER BY run, number, attempt")
        return [(row["name"], row["attempt"], row["state"]) for row in rows]

    def kinds(self, name: str | None = None) -> list[str]:
        return [event.kind for event in self.events if name is None or event.service == name]

    def texts(self, kind: str) -> list[str]:
        return [event.text for event in self.events if event.kind == kind]


@contextmanager
def desk_world(path: Path, *, wall: float = AT) -> Iterator[DeskWorld]:
    world = DeskWorld(path, wall=wall)
    try:
        yield world
    finally:
        world.close()


def commands(*names: str) -> dict[str, Launch]:
    return {name: Launch(argv=(name,), cwd="/", log=os.devnull) for name in names}


def every(seconds: float, **more: Any) -> dict[str, Any]:
    return {"kind": "interval", "seconds": float(seconds), "after_finish": False, **more}


def at(*times: int, weekdays: Iterable[int] | None = None) -> dict[str, Any]:
    return {"kind": "at", "times": list(times), "weekdays": None if weekdays is None else list(weekdays)}


def cron(line: str) -> dict[str, Any]:
    return {"kind": "cron", "expr": line, "seconds": False}


def after(schedule: str, when: str = "succeeded", delay: float = 0.0) -> dict[str, Any]:
    return {"kind": "after", "schedule": schedule, "when": when, "delay": delay}


def job(
    *triggers: dict[str, Any], id: str = "job", steps: tuple[str, ...] = ("get",), zone: str = "UTC",
    enabled: bool = True, run_at_start: bool = True, plugin: str = "", **policy: Any,
) -> Schedule:  # fmt: skip
    """Due every hour unless a test says otherwise."""
    rules = list(triggers or (cron("0 * * * *"),))
    return Schedule(
        id=id, plugin=plugin or id, steps=steps, triggers=rules, policy=Policy(**policy), zone=zone,
        revision=repr((rules, zone)), enabled=enabled, run_at_start=run_at_start,
    )  # fmt: skip


def pause(world: DeskWorld, until: float | None = None, on_resume: str = "next", name: str = "job") -> None:
    """By a person."""
    wish = {"at": world.now, "by": "anna", "reason": "disk", "until": until, "on_resume": on_resume}
    assert world.desk.change_wishes(lambda wishes: [name] if wishes.pause(name, wish) else []) == [name]
