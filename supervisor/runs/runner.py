"""Carries out runs: starts their steps, reads what they write, ends them, and tells how it went.

It decides nothing itself: what happens goes into `core/pipeline.py`, what that answers is done here. A step is
spawned, pumped and kept like a server, so a scheduler that is killed costs no run. The order of what is written down:

    note of the run, then the spawn        a step that `start` knows belongs to a run that is noted
    end in the history, then no note       a run whose note is gone has ended for everybody
"""

from __future__ import annotations

from supervisor.base.wire import BadFrame
from supervisor.core import pipeline
from supervisor.core.pipeline import Finish, Result, Signal, Start, StepEnd
from supervisor.engine.entries import ended_of
from supervisor.events.words import last_words
from supervisor.model.run import RunState
from supervisor.runs.books import Books
from supervisor.runs.ending import end_of, explained, step_state, why_it_ends
from supervisor.runs.layout import Layout
from supervisor.runs.run import NOTE, Run, key_of, run_of
from supervisor.runs.step import launch_of, log_of, places_of, stream_of
from supervisor.runs.sweeping import Sweeping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from supervisor.base.loop import Loop
    from supervisor.core.pipeline import Progress
    from supervisor.engine.engine import Outlet
    from supervisor.engine.entries import Ended, Used
    from supervisor.engine.spawner import Spawner
    from supervisor.model.cause import Cause
    from supervisor.model.home import Home
    from supervisor.runs.context import Context

    class Listener(Protocol):
        """Whoever has the runs hears of each step and end."""

        def run_began(self, run: Run) -> None: ...
        def step_began(self, run: Run) -> None: ...
        def step_ended(self, run: Run, end: StepEnd, state: str, after: Progress) -> None: ...
        def went_on(self, run: Run) -> None: ...
        def run_ended(self, run: Run) -> None: ...


WORDS = 30


class Runner:
    """All runs that have begun and not ended."""

    def __init__(
        self,
        loop: Loop,
        home: Home,
        outlet: Outlet,
        spawner: Callable[[], Spawner],
        *,
        rests: tuple[Callable[[bool], None], ...],
    ) -> None:
        self._loop = loop
        self._home = home
        self._outlet = outlet
        self._spawner = spawner
        self.listener: Listener  # set once: each needs the other
        self.runs: dict[str, Run] = {}
        self._contexts: dict[str, Context] = {}
        self._of: dict[str, list[Run]] = {}  # by schedule
        self._in_group: dict[str, int] = {}  # how many
        self._left: set[str] = set()  # groups in which a place has become free since somebody asked
        self.laid_out: dict[str, Layout] = {}  # for runs that are about to begin (runs/ahead.py)
        self._books = Books(loop, rests)
        self.folders = Sweeping(loop)
        self.stopping = False

    # asking

    def begin(self, run: Run, context: Context) -> None:
        """Its claim is made: go."""
        self._add(run, context)
        run.started = self._loop.clock.wall()
        run.late = max(run.started - run.due, 0.0)
        run.log = run.log or log_of(self._home, run)
        self.listener.run_began(run)
        self._apply(run, pipeline.begin(run.progress, context.rules, self._loop.clock.now()))

    def adopt(self, run: Run, context: Context, entry: dict[str, Any] | None) -> None:
        """Go on with one that a predecessor had begun; `entry` is that of its present step, if `start` has it."""
        self._add(run, context)
        run.work, run.result = places_of(self._home, run)
        if entry is not None:
            name, launch = stream_of(run), launch_of(run, context.commands, context.policy)
            if entry["out_read"] >= 0:
                run.pumps = self._outlet.resume(name, launch, entry["out_read"], entry["err_read"])
            key = entry["key"]
            if entry["cause"] is not None:
                self._loop.soon(lambda: self._failed_to_start(key, str(entry["cause"]["text"])))
            elif entry["status"] is not None:
                used, oom = entry.get("used"), entry.get("oom")
                used, ended = used and tuple(used), ended_of(entry)
                at = ended or (self._loop.clock.wall(), self._loop.clock.now())
                self._loop.soon(lambda: self._exited(key, entry["status"], bool(oom), used, at))  # it waits for nobody
                return  # before its time limits: they have passed only since
        elif run.progress.phase == pipeline.STEPPING:  # noted, and killed before `start` was asked
            self._spawn(run, context)
        self._arm(run)

    def _add(self, run: Run, context: Context) -> None:
        self.runs[run.id] = run
        self._contexts[run.id] = context
        self._of.setdefault(run.schedule, []).append(run)
        self._in_group[context.policy.group] = self.in_group(context.policy.group) + 1

    def end(self, run: Run, state: RunState, what: str, *, now: bool = False) -> None:
        """Ask it to end; its end is told as ever."""
        self._books.keep()
        if run.id not in self.runs:  # it had ended by itself
            return
        rules, at = self._contexts[run.id].rules, self._loop.clock.now()
        self._apply(run, pipeline.ask_end(run.progress, rules, state, what, at, at_once=now))

    def stop_all(self, *, now: bool = False) -> None:
        """sbctl goes down: no run outlives it."""
        self.stopping = self.folders.at_once = True
        for run in list(self.runs.values()):
            self.end(run, RunState.INTERRUPTED, "sbctl was stopped", now=now)
        self.folders.sweep_all()

    def hear(self) -> None:
        """Ends that wait to be heard, before somebody asks who is going on."""
        self._books.keep()

    def later(self, entry: Callable[[], None]) -> None:
        """What nobody waits for: after all that was asked for; before what comes later of the same run."""
        self._books.put(entry)

    def of(self, schedule: str) -> list[Run]:
        return list(self._of.get(schedule, ()))

    def count_of(self, schedule: str) -> int:
        return len(self._of.get(schedule, ()))

    def in_group(self, group: str) -> int:
        return self._in_group.get(group, 0)

    def groups_left(self) -> set[str]:
        """Those in which runs have ended since it was asked."""
        left, self._left = self._left, set()
        return left

    def forget_note(self, run_id: str) -> None:
        """Its end is on the disk."""
        self._spawner().note_with_next(NOTE + run_id, None)

    def note(self, run: Run, *, with_next: bool = False) -> None:
        """`with_next`: what it goes with is asked for in the same turn."""
        note, spawner = run.note(), self._spawner()
        send = spawner.note_with_next if with_next else spawner.note
        try:
            send(NOTE + run.id, note)
        except BadFrame:  # it has said and reported more than fits: what it does is needed, what it said is not
            send(NOTE + run.id, {**note, "words": [], "done": []})

    # answers of the spawner

    def spawned(self, key: str, pid: int, started: int) -> None:
        self._books.answered(key)
        if self._by_key(key) is None:
            self._spawner().drop(key)

    def spawn_failed(self, key: str, cause: Cause) -> None:
        self._books.answered(key)
        self._failed_to_start(key, cause.text)

    def _failed_to_start(self, key: str, text: str) -> None:
        """Its beginning, perhaps, is not in the books yet."""
        self._books.put(lambda: self._not_started(key, text))

    def _not_started(self, key: str, text: str) -> None:
        run = self._by_key(key)
        if run is not None:
            self._step_ended(run, StepEnd(None, cause=f"could not be started: {text}"))

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
        """`ended`: it was not now."""
        at = ended or (self._loop.clock.wall(), self._loop.clock.now())
        self._books.answered(key)
        if not empty and (run := self._by_key(key)) is not None:
            run.has_strays = True
        self._books.put(lambda: self._exited(key, status, bool(oom), used, at))

    def _exited(self, key: str, status: int | None, oom: bool, used: Used | None, ended: Ended) -> None:
        run = self._by_key(key)
        if run is None:
            return
        run.pumps.drain()
        if used is not None:
            run.cpu_ms += used[0]
            run.memory = max(run.memory, used[1])
        self._step_ended(run, end_of(status, run.result, oom=oom), used, ended)

    def emptied(self, key: str) -> None:
        """Whoever was left of a step's group is gone; the run went on long ago."""

    def _by_key(self, key: str) -> Run | None:
        run = self.runs.get(run_of(key))
        return run if run is not None and run.key == key and not run.dropped else None

    # a step

    def _step_ended(self, run: Run, end: StepEnd, used: Used | None = None, ended: Ended | None = None) -> None:
        context, at = self._contexts[run.id], self._loop.clock.wall() if ended is None else ended[0]
        run.pumps.close()
        run.dropped, key = True, run.key
        if not end.ok:
            run.words = self._words(run)
        if not run.progress.ending:
            end = explained(end, run.words, context.commands.get(run.progress.step), used)
        before = run.progress
        run.last = {**why_it_ends(run, end), "used": used, "ended": at}
        result = pipeline.step_ended(before, context.rules, end, self._loop.clock.now())
        self.listener.step_ended(run, end, step_state(before, end), result[0])
        if run.result:
            # It stays until the run has ended: what it says must not be gone before the note that has it is on its way,
            # or a successor would ask the gates without it. So each try has a file of its own.
            run.results.append(run.result)
        self._apply(run, result, at, drop=key)
        if not run.has_ended:
            # Only now: who takes over and finds the old note must find the end of its step too, or would do it again.
            self._spawner().drop(key)
            self.listener.went_on(run)

    def _words(self, run: Run) -> list[str]:
        offset, inode = run.last.get("log_from", (0, 0))
        return last_words(run.log, WORDS, since_offset=offset, since_inode=inode)

    # carrying out

    def _apply(self, run: Run, result: Result, at: float | None = None, drop: str = "") -> None:
        """`at`: when that happened, in wall time; None: now. `drop`: what goes with the note of its end."""
        run.progress, actions = result
        is_noted = False
        for action in actions:
            if isinstance(action, Start):
                self._spawn(run, self._contexts[run.id])
                is_noted = True
            elif isinstance(action, Signal):
                self._spawner().signal(run.key, action.number)
            elif isinstance(action, Finish):
                self._finish(run, at, drop)
                return
        if not is_noted:
            self.note(run)
        self._arm(run)

    def _spawn(self, run: Run, context: Context) -> None:
        """Noted before it is asked for."""
        run.key, run.dropped = key_of(run), False
        run.begun = self._loop.clock.wall()
        layout = self._layout(run, context)
        if layout is None:
            key, text = run.key, f"its plugin has no command {run.progress.step} any more"
            self.note(run)
            self._loop.soon(lambda: self._failed_to_start(key, text))
            return
        run.last = {**(run.last if run.progress.rolling_back else {}), "log_from": layout.log_from}
        launch = layout.launch
        self.note(run, with_next=True)
        try:
            ends, run.pumps = self._outlet.open(stream_of(run), launch)
        except OSError as error:
            key, text = run.key, f"no pipe for its output: {error.strerror}"
            self._loop.soon(lambda: self._failed_to_start(key, text))
            return
        self.listener.step_began(run)
        self._books.asked(run.key)
        self._spawner().spawn(run.key, launch, replaces="", ends=ends, stop=(15, context.policy.stop_grace))

    def _layout(self, run: Run, context: Context) -> Layout | None:
        """None: there is no such command."""
        layout = self.laid_out.pop(run.id, None)
        if layout is not None:
            if layout.fits(run, context.commands, context.policy):
                return layout
            layout.undo(run)
            run.log = log_of(self._home, run)
        if run.progress.step not in context.commands:
            return None
        return Layout(self._home, run, context.commands, context.policy, self.folders)

    # time

    def _arm(self, run: Run) -> None:
        deadlines = run.progress.deadlines
        due = min(deadlines.values(), default=0.0)
        if run.timer is not None and (due != run.timer_due or not due):
            run.timer.cancel()
            run.timer = None
        if due and run.timer is None:
            run.timer_due = due
            run.timer = self._loop.at(due, lambda: self._time_is_up(run))

    def _time_is_up(self, run: Run) -> None:
        run.timer = None
        self._books.keep()  # one that ended in time has kept to its limit, however late that is heard
        if run.id not in self.runs or run.timer is not None:
            return
        now = self._loop.clock.now()
        which = next((name for name, due in run.progress.deadlines.items() if due <= now), "")
        if which:
            self._apply(run, pipeline.time_is_up(run.progress, self._contexts[run.id].rules, which, now))
        else:
            self._arm(run)

    # the end

    def _finish(self, run: Run, at: float | None, drop: str) -> None:
        if run.timer is not None:
            run.timer.cancel()
            run.timer = None
        run.ended = self._loop.clock.wall() if at is None else at
        group = self._contexts[run.id].policy.group
        self._in_group[group] -= 1
        self._left.add(group)
        del self.runs[run.id], self._contexts[run.id]
        self._of[run.schedule].remove(run)
        if not self._of[run.schedule]:
            del self._of[run.schedule]
        # As ended, until the history has it. Before it is told: who takes over looks whether that has been done.
        self.note(run, with_next=bool(drop))
        if drop:
            self._spawner().drop(drop)
        self.folders.put(run)
        self.listener.run_ended(run)
