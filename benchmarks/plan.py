"""What one run measures, how often, and with whom."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TypeVar

from benchmarks import procs
from benchmarks.subject import Subject

AnySubject = TypeVar("AnySubject", bound=Subject)


REST_S = 0.3


class Plan(NamedTuple):
    """The options of a run, and the subjects that can be had."""

    work: Path
    mark: str
    subjects: list[Subject]
    counts: list[int]
    quick: bool

    @property
    def rounds(self) -> int:
        return 2 if self.quick else 5

    @property
    def windows(self) -> int:
        """How often it is watched for a while what nothing happens to."""
        return 1 if self.quick else 3

    @property
    def once_each(self) -> list[Subject]:
        return [subject for subject in self.subjects if subject.can_sleep and not subject.twin]

    @property
    def children(self) -> int:
        return self.counts[0]

    def of(self, kind: type[AnySubject]) -> AnySubject | None:
        return next((subject for subject in self.subjects if type(subject) is kind), None)


def say(text: str) -> None:
    """Progress, for whoever waits."""
    print(f"  .. {text}", file=sys.stderr, flush=True)


def in_turn(subjects: list[Subject], turn: int) -> Iterator[Subject]:
    """Forth and back from round to round, so that nobody always comes after the same one; and a rest between two.

    What has just ended is still cleared away for a moment: hundreds of processes, their folders and pages.
    """
    for subject in subjects if turn % 2 == 0 else reversed(subjects):
        time.sleep(REST_S)
        yield subject


@contextmanager
def all_running(subjects: list[Subject], kind: str, count: int) -> Iterator[list[Subject]]:
    """All of them at once, each with so many children: those whose figures do not disturb each other."""
    started: list[Subject] = []
    try:
        for subject in subjects:
            subject.prepare(kind, subject.sleepers(count))
            started.append(subject)
            try:
                subject.start(count)
            except procs.TookTooLong as error:
                say(f"left out: {error}")
                started.remove(subject)
                subject.end()
        yield list(started)
    finally:
        for subject in started:
            subject.end()
