"""One soak, from the start of a home to the verdict."""

from __future__ import annotations

import random
import time
from collections.abc import Collection
from typing import Any

from supervisor.base import proc
from support.daemon import Daemon
from support.processes import pids_of_home
from support.waiting import eventually

from .chronicle import Chronicle
from .collect import collect
from .disks import SmallDisk
from .evidence import Evidence
from .hands import Hands
from .monitor import Monitor
from .nemesis import WEIGHTS, Nemesis
from .verdict import Verdict, judge
from .world import World

HISTORY = "nemesis.jsonl"  # in the home
QUIET_S = 2.0
LIVE = ("queued", "claimed", "running")


def play(
    daemon: Daemon,
    *,
    seconds: float,
    seed: int,
    servers: int,
    jobs: int,
    pause: float = 1.0,
    kinds: Collection[str] = tuple(WEIGHTS),
) -> Verdict:
    """On a home that nothing was done with yet; its processes are the caller's to end, whatever happens."""
    world = World(daemon, servers, jobs)
    small = SmallDisk(daemon.home.path / "logs" / "s00", "s00")
    if "fill_disk" in kinds:
        small.mount()
    chronicle = Chronicle(world.home.path / HISTORY)
    hands = Hands(daemon)
    nemesis = Nemesis(world, hands, chronicle, random.Random(seed), small, kinds)
    try:
        return judge(_Soak(world, hands, chronicle, nemesis, seconds, pause).run())
    finally:
        daemon.end()
        small.unmount()


class _Soak:
    def __init__(
        self, world: World, hands: Hands, chronicle: Chronicle, nemesis: Nemesis, seconds: float, pause: float
    ) -> None:
        self.world = world
        self.daemon = world.daemon
        self.seconds = seconds
        self.pause = pause
        self.chronicle = chronicle
        self.hands = hands
        self.nemesis = nemesis
        self.monitor = Monitor(self.hands, self.chronicle, world.lives, 0.5 if seconds < 120 else 1.0)

    def run(self) -> Evidence:
        began = self._start()
        self.monitor.start()
        self.nemesis.play(time.time() + self.seconds, self.pause)
        down = self._up_again()
        self.hands.wait(QUIET_S)
        until = time.time()
        self._come_to_rest()
        self.monitor.end()
        left = self._stop()
        evidence = collect(self.world, self.world.home.path / HISTORY, began, until)
        assert not self.monitor.errors, self.monitor.errors
        evidence.samples, evidence.down, evidence.left = self.monitor.samples, down, left
        return evidence

    def _start(self) -> float:
        defined = [self.nemesis.define(name, planned.rule) for name, planned in self.world.jobs.items()]
        compiled = self.daemon.compile_apart()
        assert compiled["ok"], compiled
        with self.chronicle.act("start_tree"):
            self.hands.start()
            self.hands.wait(1.0)  # that they were seen is on the disk then; before it, who was seen is not known
        for act in defined:
            act.settled()
            act.end()
        return time.time()

    def _up_again(self) -> dict[str, str]:
        """Services that were not seen running within a while, though all is well again."""
        down: dict[str, Any] = dict.fromkeys(self.world.servers, "never asked")

        def all_seen() -> bool:
            for name, row in self.daemon.rows().items():
                if name in down:
                    if row["state"] == "running":
                        del down[name]
                    else:
                        down[name] = row
            return not down

        try:
            eventually(all_seen, 30)
        except AssertionError:
            return {name: str(row) for name, row in down.items()}
        return {}

    def _come_to_rest(self) -> None:
        """Nothing new begins; what runs ends, or shows in the verdict."""
        act = self.chronicle.begin("pause_all")
        self.hands.ask("scheduler", "pause", names=[])
        act.settled()

        def at_rest() -> bool:
            rows = self.hands.ask("scheduler", "schedules")["schedules"]
            return not any(row["running"] for row in rows)

        try:
            eventually(at_rest, 30)
        except AssertionError:
            return
        self.hands.wait(1.0)  # the last ends are on their way to the disk

    def _stop(self) -> list[str]:
        """Returns the processes that are there after it."""
        with self.chronicle.act("final_stop"):
            assert self.daemon.stop(30) == 0
        path = str(self.world.home.path)
        try:
            eventually(lambda: not pids_of_home(path), 10)
        except AssertionError:
            return [f"{pid} {proc.command_of(pid)}" for pid in pids_of_home(path)]
        return []
