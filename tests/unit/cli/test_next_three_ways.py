"""What comes next, asked of the scheduler, reckoned without it, and by `schedule test`: of schedules made by chance."""

from __future__ import annotations

import _sqlite3
import json
import random
from pathlib import Path
from typing import Any

import pytest
from support.desk import AT, DAY, HOUR, DeskWorld, at, cron, desk_world, every, job

from supervisor.base.clock import iso
from supervisor.cli.outlook import Outlook
from supervisor.model.schedule import Schedule
from supervisor.runs.simulate import simulate
from supervisor.runs.upcoming import upcoming

COUNT = 4
BEFORE_A_CHANGE = 1_761_440_400 - 6 * HOUR  # of the clocks in Europe, the morning after
CALENDARS: dict[str, list[dict[str, Any]]] = {
    "noon": [{"weekdays": None, "start": 12 * HOUR, "end": 13 * HOUR}],
    "night": [{"weekdays": None, "start": HOUR, "end": 4 * HOUR}],
}
ZONES = ("UTC", "Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Kathmandu")
LINES = ("0 */3 * * *", "*/20 * * * *", "30 2 * * *", "H */4 * * *", "15 5-20/2 * * *")
HOURS = ((7, 17), (20, 6), (10, 12), (0, 12))


def rule(draw: random.Random) -> dict[str, Any]:
    made = {
        "every": lambda: every(draw.choice((600, 45 * 60, 100 * 60, 7 * HOUR))),
        "cron": lambda: cron(draw.choice(LINES)),
        "at": lambda: at(*sorted(draw.sample(range(0, DAY, 1800), 3))),
    }
    return made[draw.choice(list(made))]()


def schedule(draw: random.Random, by_end: bool) -> Schedule:
    """`by_end`: afterFinish, and nothing else."""
    rules = [rule(draw) for _ in range(draw.choice((1, 1, 1, 2)))]
    if by_end:
        rules = [every(draw.choice((45 * 60, 6 * HOUR, 13 * HOUR)), after_finish=True)]
    more: dict[str, Any] = {"dst": draw.choice(("vixie", "literal", "skip"))}
    if draw.random() < 0.6:
        start, end = draw.choice(HOURS)
        more |= {"active_hours": [[None, start * HOUR, end * HOUR]], "outside": draw.choice(("defer", "defer", "skip"))}
    if draw.random() < 0.3:
        more["blackouts"] = (draw.choice(list(CALENDARS)),)
    if draw.random() < 0.4:
        more |= {"jitter": draw.choice((30.0, 1800.0)), "jitter_kind": draw.choice(("perRun", "stable"))}
    if draw.random() < 0.2:
        more["exclude"] = ("2025-10-10",)
    return job(*rules, zone=draw.choice(ZONES), run_at_start=draw.random() < 0.6, **more)


def some_time(world: DeskWorld, draw: random.Random, by_end: bool) -> None:
    way = draw.choice(("pass", "pass", "edit", "down", "enable"))
    if way == "pass":
        world.pass_time(draw.choice((100, 3000, 9 * HOUR, 20 * HOUR)) * draw.random())
    elif way == "edit" and not by_end:
        world.reload(schedule(draw, by_end))
    elif way == "enable":
        wanted = draw.random() < 0.5
        world.desk.change_wishes(lambda wishes: ["job"] if wishes.enable("job", wanted) else [])
    else:
        world.kill()
        world.clocks.offset += draw.choice((10, 600, 5 * HOUR)) * draw.random()
        world.open()
    world.pass_time(45)  # whatever came at once has run


def look(world: DeskWorld) -> tuple[list[Any], list[Any], list[str]]:
    """By the scheduler, without it, and what `schedule test` has first."""
    home, now, its = world.home, world.now, world.catalogue.schedules["job"]
    Path(home.history_file).parent.mkdir(exist_ok=True)
    Path(home.history_file).unlink(missing_ok=True)
    file = _sqlite3.connect(home.history_file)
    world.db.backup(file)
    file.close()
    Path(home.intent_file).write_text(json.dumps({"schedules": world.desk.wishes.as_dict()}))
    outlook = Outlook(home, world.catalogue, now)
    off = [] if outlook.is_enabled(its) else ["job"]
    end = int(now) + 40 * DAY
    facts = simulate([outlook.plan(its)], outlook.maker, start=int(now), end=end, disabled=off)["job"]
    ours = [known(slot) for slot in upcoming(world.desk, [world.plan()], COUNT)]
    return ours, [known(slot) for slot in outlook.slots(["job"], COUNT)], [text[:21] for text in facts["first"]]


def known(slot: dict[str, Any]) -> tuple[str, ...]:
    """To a tenth of a second: the history has milliseconds."""
    return slot["nominal"], slot["due"][:21], slot["would"], slot["note"], str(slot["until"]), slot["rule"]


@pytest.mark.parametrize("by_end", [False, True])
@pytest.mark.parametrize("seeds", [range(10), pytest.param(range(10, 150), marks=pytest.mark.slow)])
def test_all_three_say_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seeds: range, by_end: bool) -> None:
    monkeypatch.setattr("supervisor.cli.outlook.read_home_id", lambda _home: "seed")
    compared = 0
    for seed in seeds:
        draw = random.Random(f"{seed} {by_end}")
        folder = tmp_path / str(seed)
        folder.mkdir()
        with desk_world(folder, wall=draw.choice((AT, BEFORE_A_CHANGE)) + draw.random()) as world:
            world.catalogue.calendars.update(CALENDARS)
            world.start.on_spawn = lambda key, world=world: world.loop.after(2, lambda: end(world, key))  # type: ignore[misc]
            world.open(schedule(draw, by_end))
            for _ in range(3):
                some_time(world, draw, by_end)
                if world.running() or world.plan().queued:
                    continue
                ours, alone, first = look(world)
                runs = [slot[1] for slot in ours if slot[2] == "run"]
                where = f"seed {seed} at {iso(world.now)}: {world.plan().schedule.triggers}"
                assert ours == alone, where
                if by_end:  # after what is held one can run; `next` has no more than the next of them
                    assert ours[0][2] != "run" or first[0] == runs[0], where
                elif world.desk.is_enabled(world.plan()):
                    assert first[:COUNT] == runs, where
                compared += 1
    assert compared > len(seeds)


def end(world: DeskWorld, key: str) -> None:
    """Unless it was lost with its scheduler."""
    if world.start.entries.get(key, {}).get("status", 0) is None:
        world.end(key)
