"""Each life of a service has one end with the right code, and never are there two at once, or one that may not be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from .evidence import Evidence, Life, Violation
from .windows import DEATHS_OF_START, ENDS_OF_THE_TREE, STOPS, Windows

SLACK_S = 1.0  # between the last line of a life and its end
YOUNG_S = 5.0  # an interpreter that was ended while it was starting has left no account of its own


def check_services(evidence: Evidence) -> Iterator[Violation]:
    windows = Windows(evidence.faults)
    lives: dict[str, list[Life]] = defaultdict(list)
    for life in sorted(evidence.lives, key=lambda life: life.began):
        lives[life.service].append(life)
    for name in evidence.servers:
        yield from _check_doubles(name, lives[name])
        yield from _check_rests(name, lives[name], windows)
    yield from _check_samples(evidence)
    yield from _check_exits(evidence, lives, windows)
    for name, why in evidence.down.items():
        yield Violation("not up", name, f"all was well again, and it is not up: {why}")


def _check_doubles(name: str, lives: list[Life]) -> Iterator[Violation]:
    for before, after in pairwise(lives):
        if before.last > after.began:
            yield Violation("two at once", name, f"{before} still wrote when {after} began")


def _check_rests(name: str, lives: list[Life], windows: Windows) -> Iterator[Violation]:
    """One that a person has stopped or disabled does not begin."""
    for life in lives:
        disabled = windows.surely(life.began - SLACK_S, "disable_service", target=name)
        if disabled is not None and life.began < disabled.lift:
            yield Violation("not held", name, f"{life} began in spite of {disabled}")
        stopped = windows.surely(life.began - SLACK_S, "stop_service", target=name)
        # A new `start` begins all that is not disabled.
        if stopped is None or life.began > stopped.lift:
            continue
        if not windows.touch(stopped.begin, life.began, *ENDS_OF_THE_TREE):
            yield Violation("not held", name, f"{life} began in spite of {stopped}")


def _check_samples(evidence: Evidence) -> Iterator[Violation]:
    for sample in evidence.samples:
        for name, lives in sample.mains.items():
            if len(lives) > 1:
                yield Violation("two at once", name, f"{', '.join(lives)} at {sample.at}")


# exits


def _check_exits(evidence: Evidence, lives: dict[str, list[Life]], windows: Windows) -> Iterator[Violation]:
    told: dict[tuple[str, int, str], list[dict[str, Any]]] = defaultdict(list)
    killed: set[tuple[str, int]] = set()
    held: set[tuple[str, int]] = set()  # what they require has ended
    for event in evidence.events:
        if event["service"] not in evidence.servers:
            continue
        if event["kind"] == "service.exited":
            # A pid may come again within one soak, and so may a key.
            told[event["service"], event["data"]["pid"], event["data"]["key"]].append(event)
        elif event["kind"] == "service.killed":
            killed.add((event["service"], event["data"]["pid"]))
        elif event["kind"] == "service.held":
            held.add((event["service"], event["data"]["pid"]))
    by_us = {(fault.target, fault.data.get("pid")) for fault in windows.of("kill_server")}
    for name, mine in lives.items():
        for life in mine:
            ends = told.pop((name, life.pid, life.key), [])
            yield from _check_exit(life, ends, windows, killed, by_us)
            if ends and (name, life.pid) not in held:
                yield from _check_asked(life, ends[0]["data"]["cause"], windows)
    for (name, pid, _key), ends in told.items():
        uptime = ends[0]["data"].get("uptime") or 0.0
        if uptime > YOUNG_S:
            yield Violation("wrong exit", name, f"the end of a pid {pid} that never lived: {ends}")


def _check_exit(
    life: Life, ends: list[dict[str, Any]], windows: Windows, killed: set[tuple[str, int]], by_us: set[tuple[str, Any]]
) -> Iterator[Violation]:
    this = (life.service, life.pid)
    orphaned = windows.touch(life.last - SLACK_S, life.last + SLACK_S, *DEATHS_OF_START)
    if len(ends) > 1:
        yield Violation("double exit", life.service, f"the end of {life} is told {len(ends)} times")
    if not ends:
        if not orphaned:
            yield Violation("lost exit", life.service, f"nobody tells the end of {life}")
        return
    cause = ends[0]["data"]["cause"]
    may_be_killed = this in killed or this in by_us or orphaned
    if cause["signal"] == "SIGKILL" and may_be_killed:
        return
    if orphaned and cause["code"] is None and cause["signal"] is None and cause["kind"] in ("stopped", "unknown"):
        return  # who could have waited for it is dead
    if life.code is None:
        yield Violation("wrong exit", life.service, f"{cause}, and {life} did not end by itself")
    elif cause["code"] != life.code:
        yield Violation("wrong exit", life.service, f"{cause}, and {life} was about to end with {life.code}")


def _check_asked(life: Life, cause: dict[str, Any], windows: Windows) -> Iterator[Violation]:
    """Whoever was stopped was stopped for somebody: a hand-over that goes wrong stops all of them in good order."""
    if cause["kind"] == "stopped" and not windows.touch(life.last - SLACK_S, life.last + SLACK_S, *STOPS):
        yield Violation("stopped", life.service, f"{life} was asked to end, and nobody had asked for that")
