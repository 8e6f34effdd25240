"""Runs that make up for what a pause has held: promised in `logs/state.json` until the history has them.

Whoever resumes is answered at once, and the scheduler may be killed in that moment. So each run is written down by the
id that it will have, then claimed, then forgotten as its claim is on the disk. A successor claims those of which the
history knows nothing, under the same ids, so none runs twice and none is lost.
"""

from __future__ import annotations

from supervisor.base.errors import Problem
from supervisor.runs.made_up import stand_for
from supervisor.runs.plan import waits_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from supervisor.model.wishes import Wishes
    from supervisor.runs.desk import Desk
    from supervisor.runs.plan import Plan
    from supervisor.runs.run import Run
    from supervisor.store.rows import Loaded

    Owed = dict[str, list[float]]
    Runs = dict[str, int | None]

CATCH_UP = "catch_up"
WHAT = "what is to be made up for once no pause holds a schedule"


class Promises:
    """Of one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._sent: set[str] = set()  # runs whose claims were handed over
        self._renewed: list[tuple[str, int | None]] = []  # for one that a pause has held: its schedule and its slot
        self._kept: list[str] = []  # of those: the history has them, and they still stand in the wishes
        self._doubtful: set[str] = set()  # a predecessor's: perhaps it has sent them, so they wait for what is known

    def settle(self, owing: dict[str, Owed]) -> None:
        """What no pause holds any more is promised, run by run; what another one holds stays owed. Once for all."""
        self._desk.pauses.look_once_for(lambda: self._settle_all(owing))
        self._desk.turns.of_all()

    def _settle_all(self, owing: dict[str, Owed]) -> None:
        changed: dict[str, tuple[Owed, Runs]] = {}
        for name, owed in owing.items():
            self._desk.loop.guard(self._settle, name, owed, changed)
        if changed:
            keep(self._desk, lambda wishes: _note(wishes, changed, owing))
        for name in owing:
            self._desk.loop.guard(self._claim, name)

    def _settle(self, name: str, owed: Owed, changed: dict[str, tuple[Owed, Runs]]) -> None:
        desk, plan, runs = self._desk, self._desk.plans[name], dict(self._desk.wishes.promised(name))
        if not desk.is_enabled(plan):
            owed, runs = {}, {}  # nothing of it runs by itself
        elif owed and desk.pauses.of(name) is None and not self._is_unknown(plan):
            now = desk.loop.clock.wall()
            for how, (first, last) in owed.items():
                for nominal in stand_for(plan, first, last, now, all_of_them=how == CATCH_UP):
                    runs[desk.ids.draw(now)] = nominal
            owed = {}
        if owed != desk.wishes.owed(name) or runs != desk.wishes.promised(name):
            changed[name] = owed, runs

    def _is_unknown(self, plan: Plan) -> bool:
        """What a pause has held of one that follows others stands in the history alone."""
        return self._desk.unread is not None and bool(plan.after_finish or waits_for(plan.schedule))

    def _claim(self, name: str) -> None:
        desk = self._desk
        if desk.pauses.of(name) is None:
            promised = desk.wishes.promised(name)
            runs = {run: at for run, at in promised.items() if run not in self._sent and run not in self._doubtful}
            self._sent.update(runs)
            desk.planner.make_up(desk.plans[name], runs)

    def renew(self, plan: Plan, run: Run) -> None:
        """Another pause came before it could begin: one that stands for the same is promised for the end of that."""
        if not self._renewed:
            self._desk.loop.soon(self._promise_again)
        self._renewed.append((plan.id, run.nominal))

    def _promise_again(self) -> None:
        renewed, self._renewed = self._renewed, []
        wishes, now = self._desk.wishes, self._desk.loop.clock.wall()
        changed: dict[str, tuple[Owed, Runs]] = {}
        for name, nominal in renewed:
            owed, runs = changed.get(name) or (wishes.owed(name), dict(wishes.promised(name)))
            changed[name] = owed, {**runs, self._desk.ids.draw(now): nominal}
        keep(self._desk, lambda wishes: _note(wishes, changed))

    def are_kept(self, run_id: str) -> None:
        """The history has it. They are forgotten together: of a thousand one would be written out a thousand times."""
        if not self._kept:
            self._desk.loop.soon(self._forget_kept)
        self._kept.append(run_id)

    def _forget_kept(self) -> None:
        kept, self._kept = set(self._kept), []
        self._forget(kept)
        self._sent -= kept

    def _forget(self, runs: set[str]) -> None:
        wishes = self._desk.wishes
        left = {
            name: (wishes.owed(name), {run: at for run, at in promised.items() if run not in runs})
            for name in wishes.due()
            if not runs.isdisjoint(promised := wishes.promised(name))
        }
        if left:
            keep(self._desk, lambda wishes: _note(wishes, left))

    # of a predecessor

    def begin(self) -> None:
        self._doubtful = set(self._desk.wishes.all_promised())

    def learn(self, loaded: Loaded, others: Iterable[str]) -> None:
        """`others`: runs that are known otherwise. Without its history nobody can say which of them have begun."""
        doubtful, self._doubtful = self._doubtful, set()
        if not loaded.trouble or loaded.cursors:
            doubtful &= {*loaded.live, *loaded.ended, *others}
        self._forget(doubtful)
        if self._desk.planner.begun:
            self.go_on()

    def go_on(self) -> None:
        """With what it has left owed or promised."""
        desk = self._desk
        if due := [name for name in desk.wishes.due() if name in desk.plans]:
            self.settle({name: desk.wishes.owed(name) for name in due})


def _note(wishes: Wishes, changed: dict[str, tuple[Owed, Runs]], owing: dict[str, Owed] | None = None) -> list[str]:
    found = []
    for name, (owed, runs) in changed.items():
        is_new = wishes.owe(name, owed)
        spans = [*(owing or {}).get(name, {}).values(), *filter(None, [wishes.held(name)])]
        held = [min(each[0] for each in spans), max(each[1] for each in spans)] if runs and spans else None
        is_new = wishes.hold(name, held) or is_new
        if wishes.promise(name, runs) or is_new:
            found.append(name)
    return found


def keep(desk: Desk, change: Callable[[Wishes], list[str]]) -> None:
    """Before any of it runs, so that none is made up for twice."""
    try:
        desk.change_wishes(change)
    except Problem as problem:  # it is known as long as this scheduler lives, then
        desk.telling.not_kept(problem.text(), WHAT)
        wishes = desk.wishes.copy()
        change(wishes)
        desk.wishes = wishes
