"""Schedules: loading them, many that are due at once, commands due at once, and what they cost while none is due.

All of it beside APScheduler 3, with its jobs in memory and in SQLite.
"""

from __future__ import annotations

import statistics
from pathlib import Path

from benchmarks import bursts, procs, scheduled, targets
from benchmarks.figures import idle
from benchmarks.ours import Ours
from benchmarks.peers import Peer
from benchmarks.plan import Plan, say
from benchmarks.report import Figure
from benchmarks.schedule_rules import TEXTS
from benchmarks.subject import Subject
from supervisor.cli.compiling import run_compiler
from supervisor.model.home import Home

FIRST = 10_000
SQLITE_SHARE = 10  # of the jobs: with SQLite each takes a commit
MOST_SQLITE = 100  # due
DUE = (1000, 100)
COMMANDS = 200
IDLE_SCHEDULES = 1000


def measure(plan: Plan) -> list[Figure]:
    if plan.of(Ours) is None:
        return []
    counts = [FIRST] if plan.quick else [FIRST, 100_000]
    loads = [figure for count in counts for figure in _load(plan, count)]
    loads.append(_first(plan, FIRST, loads[0]))
    due = [figure for count in DUE for figure in _due(plan, count)]
    return [*loads, *due, _commands(plan), *_idle(plan)]


def _peer(plan: Plan) -> Path | None:
    found = next((subject for subject in plan.subjects if isinstance(subject, Peer)), None)
    return found.programs / "python" if found else None


def _store(plan: Plan) -> Path:
    """A file for SQLite that is not there yet."""
    for end in ("", "-wal", "-shm"):
        (plan.work / f"apscheduler.db{end}").unlink(missing_ok=True)
    return plan.work / "apscheduler.db"


# loading


def _load(plan: Plan, count: int) -> list[Figure]:
    note = "ours: from the compiled scheduler.json until each next time is known; compiling after an edit is not in it"
    seconds = Figure(f"Schedules: {count} loaded", "s", key=f"schedules.load.{count}", note=note)
    memory = Figure(f"Schedules: memory of {count}", "bytes each", key=f"schedules.memory.{count}")
    say(f"{count} schedules are compiled")
    ours = scheduled.started(plan)
    small, home = [_compiled(ours, number) for number in (TEXTS, count)]
    python = _peer(plan)
    values: dict[str, list[dict[str, float]]] = {}
    for turn in range(plan.rounds if count <= 10_000 else 2):
        say(f"{count} schedules are loaded, round {turn + 1}")
        base, found = scheduled.fresh("load", small), scheduled.fresh("load", home)
        each = (found["memory"] - base["memory"]) / (count - TEXTS)
        values.setdefault(ours.name, []).append({"seconds": found["seconds"], "bytes": each})
        if python:
            found = scheduled.child("apscheduler_jobs.py", "load", "memory", count, python=python)
            values.setdefault("APScheduler, memory", []).append(found)
    if python and count <= 10_000:
        found = scheduled.child("apscheduler_jobs.py", "load", _store(plan), count // SQLITE_SHARE, python=python)
        values["APScheduler, SQLite"] = [{**found, "seconds": found["seconds"] * SQLITE_SHARE}]
    for name, rows in values.items():
        mine = name == ours.name
        note = f"{SQLITE_SHARE} times the time of {count // SQLITE_SHARE}" if "SQLite" in name else ""
        seconds.add(
            name, [row["seconds"] for row in rows], target=targets.LOAD_S.get(count) if mine else None, note=note
        )
        memory.add(name, [row["bytes"] for row in rows], target=targets.SCHEDULE_BYTES if mine else None)
    return [seconds, memory]


def _compiled(ours: scheduled.OursOnTime, count: int) -> Path:
    home = _written(ours, f"load-{count}", count)
    ours.compile()
    return home


def _written(ours: scheduled.OursOnTime, name: str, count: int) -> Path:
    """As a person leaves it."""
    scheduled.mixed(ours, count)
    ours.prepare(name, {})
    return ours.folder


def _first(plan: Plan, count: int, loads: Figure) -> Figure:
    """With the compiling that comes once after each edit; APScheduler, which has no such thing, takes what it took."""
    title = f"Schedules: {count}, from the file a person wrote until each next time is known"
    note = "ours: the compiler's process, then as when it is loaded; of APScheduler the values of that figure"
    figure = Figure(title, "s", key=f"schedules.first.{count}", note=note)
    ours = scheduled.started(plan)
    compiling, loading = [], []
    for turn in range(plan.rounds):
        say(f"{count} schedules are compiled and loaded, round {turn + 1}")
        home = _written(ours, f"first-{count}", count)  # a new one, else the compiler finds that nothing has changed
        began = procs.now()
        answer = run_compiler(Home(str(home)))
        compiling.append(procs.now() - began)
        assert answer["ok"], answer
        loading.append(scheduled.fresh("load", home)["seconds"])
    figure.add(ours.name, [sum(both) for both in zip(compiling, loading, strict=True)])
    figure.add("  compiling alone", compiling, note="the settings are read, checked and written as a revision")
    for row in loads.of("peer"):
        figure.add(row.subject, row.values, note=row.note)
    return figure


# many due at once


def _due(plan: Plan, count: int) -> list[Figure]:
    title, key = f"Schedules: {count} due in one second", f"schedules.due.{count}"
    figures = {
        "decided": Figure(f"{title}, until decided", "ms late, of the median slot", key=f"{key}.median"),
        "decided last": Figure(f"{title}, until the last is decided", "ms late", key=f"{key}.last"),
        "claimed": Figure(f"{title}, until the last claim is on the disk", "ms late", key=f"{key}.claimed"),
    }
    ours, python = scheduled.started(plan), _peer(plan)
    wanted = {"decided": targets.DECIDED_MS, "decided last": targets.DECIDED_LAST_MS, "claimed": targets.CLAIMED_MS}
    values: dict[tuple[str, str], list[float]] = {}
    for turn in range(plan.rounds):
        say(f"{count} due at once, round {turn + 1}")
        scheduled.all_at(ours, count, scheduled.once_in(5))
        ours.prepare("due", {})
        found = scheduled.child("desk.py", "due", ours.compile().path)
        _take(values, ours.name, found["decided"], found["claimed"])
        if python:
            late = scheduled.child("apscheduler_jobs.py", "due", "memory", count, python=python)["late"]
            _take(values, "APScheduler, memory", late, [])
    if python:
        few = min(count, MOST_SQLITE)
        late = scheduled.child("apscheduler_jobs.py", "due", _store(plan), few, python=python)["late"]
        _take(values, f"APScheduler, SQLite, {few} due", late, [])
    for (name, what), rows in values.items():
        figures[what].add(name, rows, target=wanted[what] if name == ours.name else None)
    return list(figures.values())


def _take(values: dict[tuple[str, str], list[float]], name: str, decided: list[float], claimed: list[float]) -> None:
    values.setdefault((name, "decided"), []).append(statistics.median(decided) * 1000)
    values.setdefault((name, "decided last"), []).append(max(decided) * 1000)
    if claimed:
        values.setdefault((name, "claimed"), []).append(max(claimed) * 1000)


# commands


def _commands(plan: Plan) -> Figure:
    title = f"Schedules: {COMMANDS} commands due in one second, until the last has ended"
    note = "ours: by the rows of the history, in a home under start"
    figure = Figure(title, "s", key=f"schedules.commands.{COMMANDS}", note=note)
    turns = 4 if plan.quick else 12  # one alone is a quarter more or less than another
    ours, bare, shell = bursts.take(plan, COMMANDS, turns)
    target = statistics.median(bare) * targets.COMMANDS_TO_LIMIT
    figure.add("sbctl", [one.ended for one in ours.whole], target=target, wrong=ours.wrong)
    if ours.whole:
        figure.add("  its median one began", [statistics.median(one.started) for one in ours.whole])
    figure.add("limit, posix_spawn and wait", bare)
    figure.add("  the same through /bin/sh", shell, note="as ours start what is not on start's own disk")
    python = _peer(plan)
    if python:
        found = scheduled.child("apscheduler_jobs.py", "commands", "memory", COMMANDS, turns, python=python)
        figure.add("APScheduler, memory", found["ended"], note="not durable")
        found = scheduled.child("apscheduler_jobs.py", "commands", _store(plan), COMMANDS, turns, python=python)
        figure.add("APScheduler, SQLite", found["ended"])
        figure.add(scheduled.THE_SAME, scheduled.the_same_work(plan.work, COMMANDS, turns, python))
    return figure


# nothing due


def _idle(plan: Plan) -> list[Figure]:
    """Schedules that are due within the hour, beside the servers."""
    ours = scheduled.started(plan)
    scheduled.all_at(ours, IDLE_SCHEDULES, scheduled.once_in(3600))
    seconds = 10.0 if plan.quick else 60.0
    try:
        ours.prepare("idle", ours.sleepers(plan.children))
        ours.start(plan.children)
        watched: list[Subject] = [ours]
        what = f"{plan.children} children and {IDLE_SCHEDULES} schedules"
        return idle.watch(watched, what, seconds, plan.windows, key=f"schedules.idle.{IDLE_SCHEDULES}")
    finally:
        ours.end()
        procs.reap()
