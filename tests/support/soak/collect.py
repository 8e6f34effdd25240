"""What a home has left behind, as evidence."""

from __future__ import annotations

import gzip
import json
import re
import sqlite3
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from support import journal

from . import chronicle
from .evidence import Definition, Evidence, Execution, Fault, Job, Life, Rule
from .world import GRACE_S, LIMIT_S, World

ACCOUNT = struct.Struct("<qqqdd")  # as in children/soak_server.py
CHUNK = 1 << 20


def collect(world: World, history: Path, began: float, until: float) -> Evidence:
    faults = chronicle.read(history)
    evidence = Evidence(began, until, servers=dict(world.servers), faults=faults)
    evidence.jobs = {name: _job(world, name, faults) for name in world.jobs}
    evidence.lives = list(_lives(world.lives))
    for server in world.servers.values():
        plugin, _, number = server.name.partition(":")
        log = Path(world.daemon.model.server_log(plugin, int(number or 0)))
        evidence.lines[server.name, log.name] = lines_of(log)
        if server.err_apart:
            log = log.with_name(log.name.replace(".log", ".err.log"))
            evidence.lines[server.name, log.name] = lines_of(log)
    evidence.executions = [each for path in sorted(world.ledgers.iterdir()) for each in _executions(path)]
    evidence.events = list(_events(Path(world.daemon.model.journal_file)))
    for table in ("slots", "runs", "steps"):
        setattr(evidence, table, _rows(world.daemon.model.history_file, table))
    for out in sorted((world.home.path / "logs").glob("*.out")):
        text = out.read_text(errors="replace")
        if "Traceback" in text:
            evidence.tracebacks.append(f"{out.name}: {text[text.index('Traceback') :][:1500]}")
    return evidence


def _job(world: World, name: str, faults: list[Fault]) -> Job:
    planned, keys = world.jobs[name], world.jobs[name].kind.keys
    defined = [fault for fault in faults if fault.kind == "define" and fault.target == name]
    definitions = []
    for number, fault in enumerate(defined):
        definition = Definition(_rule(fault.data["rule"]), fault.begin, fault.settled)
        if number + 1 < len(defined):
            definition = definition._replace(lift=defined[number + 1].begin, end=defined[number + 1].settled)
        definitions.append(definition)
    seen = _first_seen(world, name)
    return Job(
        name,
        tuple(definitions),
        anchor=seen,
        grace=keys.get("graceSeconds", 60.0),
        missed=keys.get("missed", "latest"),
        overlap=keys.get("overlap", "skip"),
        group=keys.get("group", ""),
        time_limit=LIMIT_S if "timeoutMinutes" in keys else 0.0,
        rerun="interrupted" in planned.kind.keys,
        ledger_required="ledger" in keys,
    )


def _rule(data: dict[str, Any]) -> Rule:
    return Rule(data["every"], tuple(data["seconds"]), tuple(data["minutes"]), data["after"])


def _first_seen(world: World, name: str) -> int:
    """An interval is counted from when it was first seen, which only the product can say."""
    state = json.loads((world.home.path / "logs" / "state.json").read_text())
    return int(state["schedules"].get(name, {}).get("first_seen", 0))


def _lives(folder: Path) -> Iterator[Life]:
    for path in folder.glob("*/*"):
        if path.name.startswith("."):
            continue  # it had not begun to write
        me, _, key = path.name.partition(" ")
        pid, _, ticks = me.partition("-")
        out, err, code, began, last = ACCOUNT.unpack(path.read_bytes())
        yield Life(path.parent.name, key, int(pid), int(ticks), began, last, out, err, code - 1 if code else None)


def lines_of(log: Path) -> Iterator[bytes]:
    """Of all files of that log, oldest first; packed or not; a line that was never ended too."""
    older: dict[int, Path] = {}
    for path in log.parent.glob(f"{log.name}.*"):
        match = re.fullmatch(r"\.(\d+)(\.gz)?", path.name[len(log.name) :])
        if match:
            number = int(match[1])
            assert number not in older, f"two files of number {number}: {path}, {older[number]}"
            older[number] = path
    rest = b""
    for path in [*(older[number] for number in sorted(older, reverse=True)), log]:
        if not path.exists():
            continue
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            while data := file.read(CHUNK):
                lines = (rest + data).split(b"\n")
                rest = lines.pop()
                yield from lines
    if rest:
        yield rest


def _executions(path: Path) -> Iterator[Execution]:
    """`s RUN NOMINAL STEP ATTEMPT TRIGGER PID UPTIME`, `e RUN STEP ATTEMPT CODE UPTIME`."""
    boot = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    begun: list[Execution] = []
    open_ones: dict[tuple[str, str, int], int] = {}
    for line in path.read_text().splitlines():
        words = line.split(" ")
        if words[0] == "s":
            _, run, nominal, step, attempt, trigger, pid, at = words
            open_ones[run, step, int(attempt)] = len(begun)
            slot = None if nominal == "-" else int(nominal)
            begun.append(Execution(path.name, run, slot, step, int(attempt), trigger, int(pid), boot + float(at)))
        else:
            _, run, step, attempt, code, at = words
            place = open_ones.pop((run, step, int(attempt)))
            begun[place] = begun[place]._replace(ended=boot + float(at), code=int(code))
    yield from begun


def _events(file: Path) -> Iterator[dict[str, Any]]:
    older = sorted(file.parent.glob(f"{file.name}.[0-9]*"), key=lambda path: -int(path.suffix[1:]))
    for path in (*older, file):
        yield from journal.read(path.read_text())


def _rows(path: str, table: str) -> list[dict[str, Any]]:
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    db.row_factory = sqlite3.Row
    try:
        return [dict(row) for row in db.execute(f"SELECT * FROM {table}")]
    finally:
        db.close()


assert GRACE_S < 60
