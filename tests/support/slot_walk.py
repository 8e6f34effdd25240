"""A random life of one schedule on the virtual clock, and the slots that it must have had, reckoned independently.

Time passes; runs take a while; the scheduler is killed and comes back, the disk hangs, somebody pauses, disables,
changes the settings or the rule. Afterwards every nominal slot must stand in exactly one row.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from supervisor.model.pause import encode
from supervisor.model.run import LIVE
from supervisor.model.schedule import Schedule
from support.desk import DAY, HOUR, at, cron, desk_world, every, job
from support.reckoner import Line, Minute, minutes

# A zone, and a day about which its clock is changed.
ZONES = (
    ("Europe/Berlin", "2025-10-26"),
    ("Australia/Lord_Howe", "2025-10-05"),
    ("Antarctica/Troll", "2026-03-29"),
    ("Africa/Cairo", "2026-04-24"),
    ("America/Santiago", "2025-09-07"),
    ("America/New_York", "2025-11-02"),
    ("Asia/Kathmandu", "2025-10-26"),
    ("UTC", "2025-10-26"),
)
LINES = (
    "30 2 * * *", "0 0 * * *", "0,30 1-3 * * *", "15 */2 * * *", "*/30 * * * *", "45 23 1-20 * *", "0 2 * * 0",
    "5 1,2,3 * * 1-5", "59 * * * *",
)  # fmt: skip
INTERVALS = (1800.0, 3600.0, 5400.5, 21_600.0, 86_400.0, 25_201.0)
TIMES = (0, 1800, 7200, 9000, 10_800, 43_200, 86_340)


@lru_cache(4)
def timeline(name: str, start: datetime, days: int) -> list[Minute]:
    return minutes(name, start, start + timedelta(days=days))


class Rule:
    """Triggers, and their slots by trying every minute."""

    def __init__(self, dice: random.Random) -> None:
        self.triggers: list[dict[str, Any]] = []
        self.lines: list[str] = []
        self.interval = 0.0
        for kind in dice.sample(("cron", "at", "interval"), dice.choice((1, 1, 1, 2))):
            if kind == "cron":
                self.lines.append(dice.choice(LINES))
                self.triggers.append(cron(self.lines[-1]))
            elif kind == "at":
                times = dice.sample(TIMES, dice.randint(1, 3))
                weekdays = dice.choice((None, None, [0, 1, 2, 3, 4], [5, 6]))
                days = "*" if weekdays is None else ",".join(str(day + 1) for day in weekdays)
                self.lines += [f"{each // 60 % 60} {each // 3600} * * {days}" for each in times]
                self.triggers.append(at(*times, weekdays=weekdays))
            else:
                self.interval = dice.choice(INTERVALS)
                self.triggers.append(every(self.interval))

    def slots(self, line: list[Minute], zone: str, dst: str, exclude: tuple[str, ...], anchor: int) -> set[int]:
        found = {slot for text in self.lines for slot in Line(text).fires(line, dst)}
        if self.interval:
            last = line[-1].utc
            number = int((last - anchor) / self.interval) + 2
            found |= {int(anchor + each * self.interval + 0.5) for each in range(number)}
        its = ZoneInfo(zone)
        return {slot for slot in found if datetime.fromtimestamp(slot, its).date().isoformat() not in exclude}


def _comes_again(row: Any) -> bool:
    """Another pause came before it could make up for its slot, and at the end of that one the slot is made up for."""
    held = str(row["cause"] or "").startswith("paused")
    return bool(row["trigger"] == "catch_up" and row["state"] == "cancelled" and row["started"] is None and held)


class Walk:
    """One life, by a seed."""

    def __init__(self, seed: int, days: int, path: Path) -> None:
        self.dice = dice = random.Random(seed)
        self.zone, day = ZONES[seed % len(ZONES)]
        change = datetime.fromisoformat(day)
        before = min(days // 2, 60)
        self.begin = change - timedelta(days=before, minutes=dice.randint(0, 600))
        self.line = timeline(self.zone, change - timedelta(days=before + 1), days + 16)
        self.start = int(self.begin.replace(tzinfo=UTC).timestamp())
        self.end = self.start + days * DAY
        self.rule = Rule(dice)
        self.dst = dice.choice(("vixie", "vixie", "literal", "skip"))
        local = [(change + timedelta(days=dice.randint(-4, 4))).date().isoformat() for _ in range(2)]
        self.exclude = tuple(sorted(set(local))) if dice.random() < 0.3 else ()
        self.expected: set[int] = set()
        self.anchor = self.start
        self.since = self.start - 1  # what lies later goes by the present rule
        self.ends: dict[str, float] = {}  # monotonic, by process
        self.policy = self.any_policy()
        self.path = path
        self.story: list[str] = []
        # Where the clock is set back, it would be open which of two rules a time goes by.
        change_or_jump = (self.other_rule,) if seed % 3 else (self.jump, self.jump_while_down)
        self.events = (
            self.nothing, self.down, self.pause, self.disable, self.other_policy, self.hang, self.stop, self.by_hand,
            self.sleep, *change_or_jump,
        )  # fmt: skip
        self.latest = float(self.start)

    def any_policy(self) -> dict[str, Any]:
        dice = self.dice
        hours = dice.choice(
            ([], [], [], [[None, 9 * HOUR, 17 * HOUR]], [[[0, 1, 2, 3, 4], 22 * HOUR, 2 * HOUR + 1800]])
        )
        return {
            "active_hours": hours, "outside": dice.choice(("defer", "skip", "run")),
            "blackouts": dice.choice(((), (), ("b",))), "jitter": dice.choice((0.0, 0.0, 300.0, 3000.0)),
            "jitter_kind": dice.choice(("perRun", "stable")),
            "missed": dice.choice(("skip", "latest", "earliest", "all")),
            "window": dice.choice((3600.0, 40_000.0, 86_400.0)), "max_catchup": dice.choice((1, 3, 10)),
            "spread": dice.choice((0.0, 10.0, 600.0)), "grace": dice.choice((0.0, 0.0, 5000.0)),
            "overlap": dice.choice(("skip", "queueOne", "queueAll", "cancelOther", "killOther", "allow")),
            "overlap_max": dice.choice((1, 3)), "ledger": dice.choice(("best", "best", "required")),
            "safety": dice.choice(({}, {"max_failures": 2, "cooldown": 20_000.0})),
            "retry": dice.choice(({}, {"times": 2, "delay": 100.0})), "group": dice.choice(("", "g")),
            "interrupted": dice.choice(("skip", "rerun")),
        }  # fmt: skip

    def schedule(self) -> Schedule:
        return job(*self.rule.triggers, zone=self.zone, dst=self.dst, exclude=self.exclude, **self.policy)

    def slots_until(self, until: float) -> set[int]:
        found = self.rule.slots(self.line, self.zone, self.dst, self.exclude, self.anchor)
        return {
            each for each in found if self.since < each <= int(until) and (each > self.start or self.is_first(each))
        }

    def is_first(self, slot: int) -> bool:
        return bool(self.rule.interval) and slot == self.start

    # living

    def go(self) -> None:
        with desk_world(self.path, wall=self.start) as self.world:
            world = self.world
            world.catalogue.calendars["b"] = [{"weekdays": None, "start": 12 * HOUR, "end": 15 * HOUR}]
            world.start.on_spawn = self.spawned
            if not self.rule.interval:
                self.since = self.start
            world.open(self.schedule())
            while world.now < self.end:
                self.pass_time(self.dice.choice((30.0, 600.0, 7000.0, 40_000.0, 100_000.0)))
                self.happens()
            self.settle()
            self.check()

    def spawned(self, key: str) -> None:
        took = self.dice.choice((0.5, 20.0, 400.0, 9000.0))
        self.ends[key] = self.world.clocks.time + took
        self.world.loop.after(took, lambda: self.ended(key))

    def ended(self, key: str) -> None:
        entry = self.world.start.entries.get(key)
        if self.ends.pop(key, None) is not None and entry is not None:
            status = self.dice.choice((0, 0, 0, 256))
            entry.update(status=status, empty=True)
            self.world.desk.exited(key, status, True)

    def pass_time(self, seconds: float) -> None:
        self.world.pass_time(seconds)
        self.world.beat()
        self.must_wake()

    def must_wake(self) -> None:
        wake = self.world.plan().wake
        if self.world.desk.is_open and wake is not None:
            assert wake > self.world.now - 1, f"{self}: it should have woken {self.world.now - wake} s ago"

    def happens(self) -> None:
        what = self.dice.choice(self.events)
        if self.world.now < self.latest and what not in (self.pause, self.disable, self.other_policy, self.by_hand):
            what = self.nothing  # nobody can tell rows of a time to come from those of the past
        self.story.append(f"{self.world.now - self.start:.0f} {what.__name__}")
        what()

    def nothing(self) -> None:
        return

    def down(self) -> None:
        self.world.kill()
        self.world.clocks.time += self.dice.choice((1.0, 100.0, 5000.0, 90_000.0, 300_000.0))
        for key in [key for key, end in self.ends.items() if end <= self.world.clocks.time]:
            del self.ends[key]
            if key in self.world.start.entries:
                self.world.exit(key, 0)
        if self.dice.random() < 0.2:  # with the machine
            self.world.start.entries.clear()
            self.world.start.notes.clear()
            self.ends.clear()
        for key, end in self.ends.items():
            self.world.loop.at(end, lambda key=key: self.ended(key))  # type: ignore[misc]
        self.world.open()

    def sleep(self) -> None:
        self.world.sleep(self.dice.choice((60.0, 5000.0, 8 * HOUR)))

    def jump(self) -> None:
        self.jump_by(self.world.jump_wall, -4 * DAY)

    def jump_while_down(self) -> None:
        self.world.kill()
        self.jump_by(self.world.clocks.jump_wall)
        self.world.kill()
        self.down()

    def jump_by(self, jump: Callable[[float], None], *far: float) -> None:
        """Not to before it was first seen."""
        self.latest = max(self.latest, self.world.now)
        back = [each for each in (-30.0, -HOUR, *far) if self.world.now + each > self.start + HOUR]
        jump(self.dice.choice((*back, 30.0, 2.0 * HOUR, 2.0 * DAY)))

    def stop(self) -> None:
        """In order: every run is ended before the scheduler goes."""
        self.world.desk.stop_all()
        self.world.loop.run_soon()
        for key in [key for key, entry in self.world.start.entries.items() if entry["status"] is None]:
            self.ended(key)
        self.world.loop.run_soon()
        assert self.world.desk.all_gone, f"{self}: {self.world.desk.runner.runs}"
        self.down()

    def pause(self) -> None:
        flag = Path(self.world.home.pause_file)
        flag.write_bytes(encode("anna", on_resume=self.dice.choice(("next", "once", "catch_up"))))
        os.utime(flag, (self.world.now, self.world.now))
        self.pass_time(self.dice.choice((100.0, 10_000.0, 100_000.0)))
        flag.unlink()

    def disable(self) -> None:
        wanted = self.dice.choice((True, False, None))
        self.world.desk.change_wishes(lambda wishes: ["job"] if wishes.enable("job", wanted) else [])

    def other_policy(self) -> None:
        self.policy = self.any_policy()
        self.world.reload(self.schedule())

    def hang(self) -> None:
        """The disk; and what was not written may be lost with the scheduler."""
        self.world.writer.is_held = True
        self.world.writer.hangs = self.dice.random() < 0.5
        self.pass_time(self.dice.choice((1.0, 3.0, 5000.0, 20_000.0)))
        if self.dice.random() < 0.5:
            self.down()
        else:
            self.world.writer.is_held = False
            self.world.writer.write()

    def other_rule(self) -> None:
        self.expected |= self.slots_until(self.world.now)
        self.since = int(self.world.now)
        self.rule = Rule(self.dice)
        self.world.reload(self.schedule())
        self.anchor = self.world.keeps.saved.get("job", {}).get("first_seen", self.start)

    def by_hand(self) -> None:
        from supervisor.model.run import RunState, Trigger
        from supervisor.runs import columns
        from supervisor.runs.slot import Slot
        from supervisor.store.rows import RunRow

        slot = Slot(self.world.plan(), None, self.world.now, Trigger.MANUAL)
        if not self.world.desk.admission.held_by_hand(slot):
            desk = self.world.desk
            run = desk.admission.make_run(slot, self.world.now)
            row = RunRow(run.id, run.schedule, **columns.of_claim(run), state=RunState.CLAIMED.value)
            desk.writer.claim([], row, lambda _ok: None)
            desk.claims.begin(run, self.world.plan())

    def settle(self) -> None:
        """Whatever waits gets its turn, or its end."""
        self.world.desk.change_wishes(lambda wishes: ["job"] if wishes.enable("job", False) else [])
        for _ in range(60):
            self.pass_time(3000.0)
            if not self.world.desk.runner.runs and not self.world.plan().queued:
                break

    # judging

    def check(self) -> None:
        world = self.world
        now = world.now
        assert now < self.line[-1].utc, "this life went on for longer than what was reckoned"
        expected = self.expected | self.slots_until(max(now, self.latest))
        seen: dict[int, int] = {}
        for row in world.slots():
            first, last = row["nominal"], row["nominal_to"]
            inside = [each for each in expected if first <= each <= last]
            assert inside, f"{self}: nobody knows of {row}"
            assert row["outcome"] in ("run", "skipped"), f"{self}: undecided {row}"
            if first == last:
                assert inside == [first], f"{self}: nobody knows of {row}"
            elif row["count"] is not None:
                assert row["count"] == len(inside), f"{self}: {len(inside)} and not {row}"
            for each in inside:
                assert each not in seen, f"{self}: {each} is in two rows"
                seen[each] = 1
        plan = world.plan()
        lost = sorted(each for each in expected if each not in seen and each <= plan.cursor)
        assert not lost, f"{self}: {len(lost)} lost, {lost[:5]} of {len(expected)}"
        late = sorted(each for each in expected if plan.cursor < each <= now)
        assert len(late) <= 1, f"{self}: not decided: {late}"
        assert not late or (plan.wake is not None and plan.wake > now), f"{self}: nobody wakes for {late}"
        rows = [row for row in world.rows() if row["trigger"] != "rerun"]  # which stands for one that was cut off
        rows = [row for row in rows if not _comes_again(row)]
        nominals = [row["nominal"] for row in rows if row["nominal"] is not None]
        assert len(nominals) == len(set(nominals)), f"{self}: a slot ran twice"
        assert not [row for row in rows if row["state"] in LIVE], f"{self}: a run that has no end"
        assert not world.start.notes, f"{self}: {world.start.notes}"

    def __str__(self) -> str:
        rule = [*self.rule.lines, self.rule.interval]
        story = ", ".join(self.story[-6:])
        return f"zone {self.zone}, dst {self.dst}, {rule}, exclude {self.exclude}, {self.policy}, ... {story}"
