"""The desk of the scheduler: made here, and opened once what `start` has kept and the history are both there."""

from __future__ import annotations

import os

from supervisor.base import garbage, jsons, zones
from supervisor.base.proc import boot_id
from supervisor.daemons import common
from supervisor.daemons.schedule_verbs import ScheduleVerbs
from supervisor.model.run import LIVE, RunState
from supervisor.model.schedule import Catalogue
from supervisor.runs import view
from supervisor.runs.desk import Desk
from supervisor.runs.run import mark_of
from supervisor.runs.stories import START_BEGAN
from supervisor.runs.takeover import Left
from supervisor.store.writer import Writer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.base.loop import Timer
    from supervisor.daemons.scheduler import Scheduler
    from supervisor.engine.adopt import Kept
    from supervisor.store.rows import Loaded

LOADING_S = 60.0  # not longer without a look for garbage, though the disk of the history hangs
CLOSE_S = 3.0  # what is still to be written may take so long at the end
RUN_ENDS = frozenset(f"run.{state.value}" for state in RunState if state not in LIVE)


class TimeDesk:
    """The desk, and its place in the daemon."""

    def __init__(self, daemon: Scheduler) -> None:
        self._daemon = daemon
        self._left = Left()
        self._was_opened = False
        self._loading: Timer | None = None
        home = daemon.home
        self.writer = Writer(
            daemon.loop,
            home.history_file,
            on_trouble=lambda text: self.desk.telling.history_trouble(text),
            on_recovered=lambda text, dropped: self.desk.telling.history_recovered(text, dropped),
            report=common.report,
            clock=daemon.clock,
        )
        self.desk = Desk(
            daemon.loop,
            home,
            daemon.bus,
            outlet=daemon.engine.outlet,
            spawner=lambda: daemon.engine.spawner,
            writer=self.writer,
            zones=zones.zone,
            seed=daemon.compiled["home_id"],
            boot=boot_id(),
            mark=mark_of(os.urandom(4)),
            keeps=daemon.intents,
            decode=jsons.loads,
            changed=daemon.after_runs,
        )
        daemon.engine.steps = self.desk
        self._verbs = ScheduleVerbs(self.desk)
        self.handlers = self._verbs.table()

    def take(self, kept: Kept) -> None:
        """What is of runs in what `start` has kept; before the engine looks at the rest."""
        kept.entries = self._left.take(kept.entries, kept.notes)
        journal = self._daemon.logs.journal
        self._left.past = lambda: journal.past_of_runs(START_BEGAN)
        self._left.told = lambda runs: journal.told_runs(runs, RUN_ENDS)

    @property
    def all_gone(self) -> bool:
        """A scheduler that is ended before it was handed over anything has no runs, and will have none."""
        return not self._was_opened or self.desk.all_gone

    def open(self) -> None:
        """The history answers later; until then what is heard of steps waits."""
        self._was_opened = True
        self._loading = self._daemon.loop.after(LOADING_S, garbage.end_loading)
        self.writer.open()
        asked = [*self._left.over, *self._daemon.intents.wishes().all_promised()]
        self.writer.load(self._loaded, asked, self._learned)

    def _loaded(self, loaded: Loaded) -> None:
        daemon = self._daemon
        self.desk.wishes = daemon.intents.wishes()
        going = self.desk.open(self._catalogue(), self._left, loaded)
        if going:
            text = f"{going} runs go on" if going > 1 else "a run goes on"
            daemon.bus.tell("scheduler.adopted_runs", text, data={"count": going})
        self._left = Left()
        self._verbs.opened()
        daemon.after_runs()
        if self._loading is not None:
            self._loading.cancel()
        garbage.end_loading()

    def _learned(self, loaded: Loaded) -> None:
        self.desk.learn(loaded)
        self._daemon.after_runs()

    def _catalogue(self) -> Catalogue:
        """Taken out of the settings: ten thousand rows need not stand there as well."""
        found: Catalogue | None = self._daemon.compiled.pop(common.SCHEDULES, None)
        return found or Catalogue(None)

    def remarks(self) -> list[str]:
        return view.remarks(self.desk)

    def reload(self) -> None:
        if self.desk.is_open:
            self.desk.take_catalogue(self._catalogue())

    def close(self) -> None:
        self.desk.pauses.close()
        self.writer.close(CLOSE_S)
