"""Everything that runs on time, put together: the schedules, what is known of them, and the parts that act.

The parts reach each other through it. The scheduler daemon makes one, gives it what a predecessor left, and asks it.
"""

from __future__ import annotations

import heapq

from supervisor.base.clock import iso
from supervisor.base.errors import Problem
from supervisor.base.machine_load import MachineLoad
from supervisor.engine.spawner import RemoteSpawner
from supervisor.model.run import RunState
from supervisor.model.schedule import Catalogue, Policy
from supervisor.model.wishes import Wishes
from supervisor.runs import cursors
from supervisor.runs.admission import Admission
from supervisor.runs.ahead import Ahead
from supervisor.runs.claims import Claims
from supervisor.runs.outcomes import Outcomes
from supervisor.runs.pauses import Pauses
from supervisor.runs.plan import Maker, Plan, waits_for
from supervisor.runs.planner import Planner
from supervisor.runs.promises import Promises
from supervisor.runs.reach import PREFIX, Reach
from supervisor.runs.run import Ids
from supervisor.runs.runner import Runner
from supervisor.runs.staying import Staying
from supervisor.runs.takeover import learn, open_desk
from supervisor.runs.telling import Telling
from supervisor.runs.turns import Turns
from supervisor.runs.unread import Unread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from supervisor.base.loop import Loop
    from supervisor.engine.engine import Outlet
    from supervisor.engine.entries import Ended, Used
    from supervisor.engine.spawner import Answers, Spawner
    from supervisor.events.bus import Bus
    from supervisor.model.cause import Cause
    from supervisor.model.home import Home
    from supervisor.model.schedule import Schedule
    from supervisor.runs.plan import Zones
    from supervisor.runs.takeover import Left
    from supervisor.store.rows import Loaded
    from supervisor.store.writer import Writer

    class Keeps(Protocol):
        """Where wishes are kept."""

        def save_wishes(self, wishes: Wishes) -> None: ...


PRUNE_S = 3600.0


class Desk:
    """Of one scheduler."""

    def __init__(
        self,
        loop: Loop,
        home: Home,
        bus: Bus,
        *,
        outlet: Outlet,
        spawner: Callable[[], Spawner],
        writer: Writer,
        zones: Zones,
        seed: str,
        boot: str,
        mark: str,
        keeps: Keeps,
        decode: Callable[[str], Any],
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self.loop = loop
        self.home = home
        self.writer = writer
        writer.ask_before(self._slot_before)
        self.boot = boot
        self.changed = changed  # something has begun or ended
        self.catalogue = Catalogue(None)
        self.plans: dict[str, Plan] = {}
        self.followers: dict[str, list[Plan]] = {}  # by the schedule that they follow
        self.wishes = Wishes()
        self.changes = 0  # of wishes, settings and the pause of all: how often what a claim relied on may have changed
        self.by_hand_policy = Policy()
        self.secret_env: tuple[str, ...] = ()
        self.stopping = False
        self.is_open = False  # all that a predecessor left has been taken over
        self.unread: Unread | None = None  # it has begun without its history
        self._early: list[Callable[[], None]] = []  # what was heard before
        self._spawner = spawner
        self._zones = zones
        self._seed = seed
        self._keeps = keeps
        self._decode = decode
        self.maker = Maker(self.catalogue, zones, seed)
        self.telling = Telling(bus)
        self.ids = Ids(mark)
        self.load = MachineLoad(loop.clock)
        self.runner = Runner(loop, home, outlet, spawner, rests=(writer.rest, bus.rest))
        self.pauses = Pauses(self)
        self.promises = Promises(self)
        self.reach = Reach(self)
        self.admission = Admission(self)
        self.claims = Claims(self)
        self.turns = Turns(self)
        self.outcomes = Outcomes(self)
        self.ahead = Ahead(self)
        self.planner = Planner(self)
        self.runner.listener = self.outcomes

    @property
    def spawner(self) -> Spawner:
        return self._spawner()

    # settings

    def take_catalogue(self, catalogue: Catalogue, loaded: Loaded | None = None, *, anew: bool = False) -> None:
        """First or other settings; `loaded`: what the history knows, the first time; `anew`: no plan stays as it is."""
        staying = Staying(self.catalogue, catalogue, anew=anew)
        old, self.catalogue = self.plans, catalogue
        self.changes += 1
        launches = [launch for commands in catalogue.commands.values() for launch in commands.values()]
        self.secret_env = tuple(sorted({name for launch in launches for name in launch.drop_env}))
        if staying.is_possible:
            self.maker.go_on(catalogue)
        else:
            self.maker = Maker(catalogue, self._zones, self._seed)
        self.writer.expect(len(catalogue.schedules))
        now = self.loop.clock.wall()
        self.plans = {}
        made: list[Plan] = []
        to_keep: list[Plan] = []
        is_new = False
        for schedule in catalogue.schedules.values():
            anchor, seen_first = self._anchor(schedule, int(now))
            if staying.stays(old.get(schedule.id), schedule, anchor):
                plan = self.plans[schedule.id] = old.pop(schedule.id)
                catalogue.schedules[schedule.id] = plan.schedule  # none stands there twice
                continue
            try:
                plan = self.maker.plan(schedule, anchor)
            except Exception as error:  # checked when it was compiled; since then the time zones have gone, say
                self.telling.broken(schedule.id, str(error))
                continue
            is_new = is_new or seen_first
            before = old.pop(schedule.id, None)
            if before is not None:
                changed = cursors.go_on(self, before, plan, now)
            elif loaded is not None:
                changed = cursors.restore(plan, loaded, now, self._decode, is_new=seen_first)
            else:
                changed = cursors.see_first(plan, now, is_new=seen_first)
            if changed:
                to_keep.append(plan)
            self.plans[schedule.id] = plan
            made.append(plan)
        self.turns.know(self.plans.values())
        self.maker.made_all()
        for plan in to_keep:
            cursors.keep(self, plan)
        for plan in old.values():
            cursors.remove(self, plan, now)
        self.followers = {}
        for plan in self.plans.values():
            for trigger in waits_for(plan.schedule):
                self.followers.setdefault(trigger["schedule"], []).append(plan)
        if is_new:
            self._save_first_seen()
        if self.planner.begun:
            self.planner.review()
            for plan in made:
                self.planner.look(plan)
            self.turns.of_all_soon()

    def _save_first_seen(self) -> None:
        try:
            self._keeps.save_wishes(self.wishes)
        except Problem as problem:  # they are seen for the first time once more, then
            self.telling.not_kept(problem.text())

    def _anchor(self, schedule: Schedule, now: int) -> tuple[int, bool]:
        """And whether that is new: only an interval is counted from when it was first seen, so only that is kept."""
        anchor, is_new = cursors.anchor_of(schedule, self.wishes.first_seen(schedule.id), now)
        if is_new:
            self.wishes.see(schedule.id, now)
        return anchor, is_new

    # life

    def open(self, catalogue: Catalogue, left: Left, loaded: Loaded) -> int:
        """Take over and begin. Returns how many runs go on."""
        now = self.loop.clock.wall()
        if any(cursors.is_ahead(at, now) for at in (*loaded.cursors.values(), *loaded.newest.values())):
            self.writer.cut(int(now))
        if loaded.trouble and not loaded.cursors:
            self.telling.history_not_read(loaded.trouble)
        self.unread = Unread(left) if loaded.comes_later else None
        self.take_catalogue(catalogue, loaded)
        cursors.know_ends(self, loaded, now)
        if self.unread is not None:
            self.unread.opened(self)
        elif loaded.gaps:
            for plan in self.plans.values():
                cursors.pass_gaps(self, plan, loaded, now)
        self.is_open = True
        going = open_desk(self, left, loaded)
        early, self._early = self._early, []
        for call in early:
            self.loop.guard(call)
        self.pauses.begin()
        if self.stopping:
            self.runner.stop_all()
        else:
            # Ends that came meanwhile are heard first: a run that is over holds up no slot.
            self.loop.soon(self._begin)
        return going

    def learn(self, loaded: Loaded) -> None:
        """What could not be read when it was opened."""
        unread, self.unread = self.unread, None
        if unread is not None:
            for name, ends in loaded.ends.items():  # which the gaps go around
                self.outcomes.seconds.know(name, ends)
            unread.learn(self, loaded, self._decode)
            self.telling.history_read(learn(self, loaded, unread))

    def _begin(self) -> None:
        self.runner.hear()
        if not self.stopping:
            self.planner.begin()
            self.pauses.go_on()
            self.promises.go_on()
            self.prune()

    def beat(self) -> None:
        """With each heartbeat of the daemon."""
        if self.is_open and not self.stopping:
            self.planner.check_clock()
            self.pauses.look()
            self.turns.of_all()

    def nearest(self, count: int) -> list[tuple[str, str]]:
        """The schedules that are due next, and when."""
        waking = [(plan.wake, plan.id) for plan in self.plans.values() if plan.wake is not None]
        return [(name, iso(wake)) for wake, name in heapq.nsmallest(count, waking)]

    def prune(self) -> None:
        if self.catalogue.history:
            self.writer.prune(self.catalogue.history)
        self.loop.after(PRUNE_S, self.prune)

    def stop_all(self, *, now: bool = False) -> None:
        self.stopping = True
        self.ahead.undo_all()
        self.runner.stop_all(now=now)

    @property
    def all_gone(self) -> bool:
        return self.is_open and not self.runner.runs

    # answers of the spawner

    def adopt(self, key: str, pid: int, started: int) -> None:
        """A process that a predecessor had asked for; alone there is none."""
        spawner = self.spawner
        if isinstance(spawner, RemoteSpawner):
            spawner.adopt(key, pid, started)

    def _hear(self, call: Callable[[], None]) -> None:
        if self.is_open:
            call()
        else:
            self._early.append(call)

    def spawned(self, key: str, pid: int, started: int) -> None:
        self._hear(lambda: self._part(key).spawned(key, pid, started))

    def spawn_failed(self, key: str, cause: Cause) -> None:
        self._hear(lambda: self._part(key).spawn_failed(key, cause))

    def exited(
        self,
        key: str,
        status: int | None,
        empty: bool,
        oom: bool | None = None,
        used: Used | None = None,
        *,
        ended: Ended | None = None,
    ) -> None:
        if self._part(key) is self.reach:
            self._hear(lambda: self.reach.exited(key, status, empty))
            return
        at = ended or (self.loop.clock.wall(), self.loop.clock.now())  # before it waits for the desk to be open
        self._hear(lambda: self.runner.exited(key, status, empty, oom, used, ended=at))

    def emptied(self, key: str) -> None:
        self._hear(lambda: self._part(key).emptied(key))

    def _part(self, key: str) -> Answers:
        return self.reach if key.startswith(PREFIX) else self.runner

    # wishes

    def is_enabled(self, plan: Plan) -> bool:
        wish = self.wishes.enabled(plan.id)
        return plan.schedule.enabled if wish is None else wish

    def change_wishes(self, change: Callable[[Wishes], list[str]]) -> list[str]:
        """All or nothing: what can't be kept is not done. Returns for whom something is new."""
        wishes = self.wishes.copy()
        changed = change(wishes)
        if changed:
            self._keeps.save_wishes(wishes)
            self.wishes = wishes
            self.changes += 1
            self.pauses.review()
        return changed

    def _slot_before(self, name: str, revision: object, nominal: int) -> int | None:
        plan = self.plans.get(name)
        return plan.slot_before(nominal) if plan is not None and plan.schedule.revision == revision else None

    # ends

    def end_run(self, run_id: str, by: str, *, now: bool = False) -> RunState | None:
        """None: no such run is going on or waiting."""
        what = f"cancelled by {by}" if by else "cancelled"
        run = self.runner.runs.get(run_id)
        if run is not None:
            self.runner.end(run, RunState.CANCELLED, what, now=now)
            # One that rolls back has the state already that it will have had.
            return RunState.RUNNING if run_id in self.runner.runs else RunState(run.progress.state)
        for plan in self.plans.values():
            for waiting in plan.queued:
                if waiting.id == run_id:
                    self.claims.cancel(waiting, what)
                    return RunState.CANCELLED
        return None
