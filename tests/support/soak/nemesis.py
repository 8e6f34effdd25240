"""Does random harm to a running home, one thing after the other, and notes each before and after.

What lasts (a pause, a locked history, a stopped service) is undone a little later, while other things go wrong.
In the last third of a long soak the daemons stay: a leak needs time to show.
"""

from __future__ import annotations

import random
import signal
import sys
import time
from collections.abc import Callable, Collection
from typing import Any

from .check_memory import CALM, CALM_SHARE, LONG_S
from .chronicle import Act, Chronicle
from .disks import SmallDisk
from .evidence import Rule
from .hands import Hands
from .locks import Lock
from .world import World

Do = Callable[[], object]

# How often, relative to each other.
WEIGHTS = {
    "kill_scheduler": 16, "kill_start": 2, "kill_both": 2, "hand_over": 5, "freeze_scheduler": 5, "freeze_start": 2,
    "delay_scheduler": 3, "stop_tree": 1, "upgrade": 2, "kill_server": 30, "freeze_server": 6, "restart_service": 5,
    "stop_service": 5, "disable_service": 3, "kill_step": 5, "run_by_hand": 8, "cancel": 6, "reload": 5, "pause": 5,
    "pause_all": 2, "disable_schedule": 4, "lock_history": 4, "fill_disk": 3,
}  # fmt: skip
REPLACING = (
    "kill_scheduler",
    "kill_start",
    "kill_both",
    "stop_tree",
    "hand_over",
    "upgrade",
)  # a daemon by another one


class Nemesis:
    """With a seed: the same faults in the same order, as far as the home does the same."""

    def __init__(
        self,
        world: World,
        hands: Hands,
        chronicle: Chronicle,
        chance: random.Random,
        disk: SmallDisk,
        kinds: Collection[str] = WEIGHTS,
    ) -> None:
        self.world = world
        self.hands = hands
        self.chronicle = chronicle
        self.chance = chance
        self.disk = disk
        self._undo: list[tuple[float, tuple[str, str], Do]] = []
        self._kinds = [kind for kind in kinds if kind != "fill_disk" or disk.is_there]

    def play(self, until: float, pause: float) -> None:
        """Faults, about so far apart, until that time; then all is undone."""
        seconds = until - time.time()
        if seconds >= LONG_S:
            self._play(self._kinds, until - seconds * CALM_SHARE, pause)
            with self.chronicle.act(CALM):
                self._play([kind for kind in self._kinds if kind not in REPLACING], until, pause)
        else:
            self._play(self._kinds, until, pause)
        self._undo_those_due(float("inf"))
        self.hands.is_well()

    def _play(self, kinds: list[str], until: float, pause: float) -> None:
        while time.time() < until:
            self._undo_those_due(time.time())
            if kinds:
                kind = self.chance.choices(kinds, [WEIGHTS[kind] for kind in kinds])[0]
                getattr(self, kind)()
            self.hands.wait(self.chance.expovariate(1 / pause))

    # what lasts

    def _undo_those_due(self, now: float) -> None:
        for each in sorted(self._undo, key=lambda each: each[0]):
            if each[0] <= now:
                self._undo.remove(each)
                each[2]()

    def _lasts(self, kind: str, target: str, do: Do, undo: Do, longest: float, shortest: float = 0.5) -> None:
        """Not twice at a time."""
        if any(what == (kind, target) for _, what, _ in self._undo):
            return
        act = self.chronicle.begin(kind, target)
        do()
        act.settled()

        def end() -> None:
            act.lift()
            undo()
            act.end()

        self._undo.append((time.time() + self.chance.uniform(shortest, longest), (kind, target), end))

    def _one_server(self) -> str:
        return self.chance.choice(list(self.world.servers))

    def _one_job(self) -> str:
        return self.chance.choice(list(self.world.jobs))

    # the daemons

    def kill_scheduler(self) -> None:
        """At any moment; just when slots are claimed; just after a spawn was asked for."""
        pid, chance = self.hands.pid("scheduler"), self.chance
        kind = chance.randrange(3)
        with self.chronicle.act("kill_scheduler", pid=pid):
            if kind == 1:
                self.hands.wait(1 - time.time() % 1 + chance.uniform(0, 0.03))
            elif kind == 2:
                self._kill_server(self._one_server())
                self.hands.wait(chance.uniform(0, 0.004))
            if self.hands.signal(pid, signal.SIGKILL):
                self.hands.is_replaced("scheduler", pid)
            self.hands.is_well()

    def kill_start(self) -> None:
        self._end_start("kill_start", ("start",))

    def kill_both(self) -> None:
        roles = ["start", "scheduler"]
        self.chance.shuffle(roles)
        self._end_start("kill_both", tuple(roles))

    def _end_start(self, kind: str, roles: tuple[str, ...]) -> None:
        pids = {role: self.hands.pid(role) for role in roles}
        with self.chronicle.act(kind, "", **pids):
            for pid in pids.values():
                self.hands.signal(pid, signal.SIGKILL)
            self.hands.is_gone(pids["start"])
            self.hands.wait(self.chance.choice((0.0, 0.2, 2.0)))
            self.hands.start()

    def hand_over(self) -> None:
        with self.chronicle.act("hand_over"):
            self._hand_over()

    def _hand_over(self) -> None:
        pid = self.hands.pid("scheduler")
        self.hands.ask("start", "restart", names=["scheduler"])
        self.hands.is_replaced("scheduler", pid)
        self.hands.is_well()

    def freeze_scheduler(self) -> None:
        self._freeze("freeze_scheduler", "scheduler", 5.0)

    def freeze_start(self) -> None:
        self._freeze("freeze_start", "start", 2.0)

    def _freeze(self, kind: str, role: str, longest: float) -> None:
        with self.chronicle.act(kind):
            self.hands.frozen(self.hands.pid(role), self.chance.uniform(0.3, longest))
            self.hands.is_well()

    def delay_scheduler(self) -> None:
        with self.chronicle.act("delay_scheduler") as more:
            more["went_on"] = self.hands.delay(self.hands.pid("scheduler"), self.chance.uniform(0.5, 3.0))
            self.hands.is_well()

    def stop_tree(self) -> None:
        pid = self.hands.pid("start")
        with self.chronicle.act("stop_tree"):
            self.hands.sbctl("stop", "--timeout", "20s")
            self.hands.is_gone(pid)
            self.hands.wait(self.chance.choice((0.0, 1.0, 6.0)))
            self.hands.start()

    def upgrade(self) -> None:
        """`start` goes over to another copy of itself, then the scheduler, as `sbctl upgrade` has them do."""
        main = str(self.world.next_version())
        with self.chronicle.act("upgrade", main=main):
            self.hands.ask("start", "upgrade", python=sys.executable, main=main)
            self._hand_over()

    # services

    def kill_server(self) -> None:
        self._kill_server(self._one_server())

    def _kill_server(self, name: str) -> None:
        pid = self.hands.main_pid(name)
        if pid:
            with self.chronicle.act("kill_server", name, pid=pid):
                self.hands.signal(pid, signal.SIGKILL)

    def freeze_server(self) -> None:
        name = self._one_server()
        with self.chronicle.act("freeze_server", name):
            self.hands.frozen(self.hands.main_pid(name), self.chance.uniform(0.1, 1.5))

    def restart_service(self) -> None:
        name = self._one_server()
        with self.chronicle.act("restart_service", name):
            self.hands.ask("scheduler", "restart", names=[name])

    def stop_service(self) -> None:
        self._rests("stop_service", "stop", "start")

    def disable_service(self) -> None:
        self._rests("disable_service", "disable", "enable")

    def _rests(self, kind: str, verb: str, back: str) -> None:
        """With the services that require it; nothing is said of those."""
        name = self._one_server()
        if any(what[0] in ("stop_service", "disable_service") for _, what, _ in self._undo):
            return  # `start` of one brings along what it requires, also what is stopped
        hands = self.hands

        def do() -> None:
            hands.ask("scheduler", verb, names=[name])
            hands.ask("scheduler", "settle", names=[name], timeout=20)

        def undo() -> None:
            hands.ask("scheduler", back, names=[name])
            hands.ask("scheduler", "start", names=list(self.world.servers))

        self._lasts(kind, name, do, undo, 6.0)

    # schedules

    def kill_step(self) -> None:
        """A process of a step that runs now."""
        running = [pid for name, pid in self._steps() if name not in ("next", "limit")]
        if running:
            pid = self.chance.choice(running)
            with self.chronicle.act("kill_step", str(pid)):
                self.hands.signal(pid, signal.SIGKILL)

    def _steps(self) -> list[tuple[str, int]]:
        found = []
        for key, pids in self.hands.daemon.marked().items():
            if key.startswith("run/"):
                found.append((key, min(pids)))
        return found

    def run_by_hand(self) -> None:
        name = self._one_job()
        with self.chronicle.act("run_by_hand", name) as more:
            more["run"] = self.hands.ask("scheduler", "run", name=name, by="nemesis").get("run")

    def cancel(self) -> None:
        rows = self.hands.ask("scheduler", "schedules")["schedules"]
        running = [run for row in rows for run in row["running"]]
        if running:
            run = self.chance.choice(running)
            with self.chronicle.act("cancel", run) as more:
                more["answer"] = self._cancelled(run)

    def _cancelled(self, run: str) -> Any:
        try:
            return self.hands.daemon.ask("scheduler", "cancel", run=run, by="nemesis", now=self.chance.random() < 0.5)
        except Exception as error:
            return str(error)  # it has ended meanwhile

    def pause(self) -> None:
        name = self._one_job()
        self._lasts("pause", name, *self._verbs("pause", "resume", [name]), longest=8.0)

    def pause_all(self) -> None:
        self._lasts("pause_all", "", *self._verbs("pause", "resume", []), longest=6.0)

    def disable_schedule(self) -> None:
        name = self._one_job()
        self._lasts("disable_schedule", name, *self._verbs("schedule_disable", "schedule_enable", [name]), longest=8.0)

    def _verbs(self, do: str, undo: str, names: list[str]) -> tuple[Do, Do]:
        ask = self.hands.ask
        return (
            lambda: ask("scheduler", do, names=names, by="nemesis"),
            lambda: ask("scheduler", undo, names=names, by="nemesis"),
        )

    def reload(self) -> None:
        """One schedule by another rule, one service with another environment."""
        world, chance = self.world, self.chance
        name = chance.choice([name for name, job in world.jobs.items() if job.rule.every])
        every = world.jobs[name].rule.every
        rule = Rule(every=every + chance.choice((-1, 1)) if every > 2 else every + 1)
        server = self._one_server().partition(":")[0]
        act = self.define(name, rule)
        with self.chronicle.act("reload", server):
            world.set_rule(name, rule)
            world.change_server(server, str(chance.random()))
            world.write()
            compiled = self.hands.daemon.compile_apart()
            assert compiled["ok"], compiled
            self.hands.ask("start", "reload", revision=compiled["revision"], env=None)
            self.hands.ask("scheduler", "reload", revision=compiled["revision"])
        act.settled()
        act.end()

    def define(self, name: str, rule: Rule) -> Act:
        """From now on this rule may hold."""
        return self.chronicle.begin("define", name, rule=rule._asdict())

    # what they stand on

    def lock_history(self) -> None:
        """One in five lasts longer than a starting scheduler waits for what was (10 s)."""
        lock = Lock(self.hands.daemon.model.history_file)
        shortest, longest = (12.0, 15.0) if self.chance.random() < 0.2 else (0.5, 4.0)
        self._lasts("lock_history", "", lock.take, lock.give_back, longest, shortest)

    def fill_disk(self) -> None:
        self._lasts("fill_disk", self.disk.service, self.disk.fill, self.disk.empty, 4.0)
