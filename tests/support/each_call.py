"""A program is run once as it is, then again for each call that it made to the disk, which fails."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from .home import Result
from .injecting import Call, calls_below, injected, traced

Run = Callable[[list[str]], Result]  # with these words in front of its command


class Trial:
    """What one run looked like, with the call that failed in it; None in the first one, in which none did."""

    def __init__(self, call: Call | None, result: Result) -> None:
        self.call = call
        self.result = result

    def __str__(self) -> str:
        what = f"{self.call.rule}: {self.call.text}" if self.call else "nothing has failed"
        return f"{what}\n{self.result}"


def trials(run: Run, folder: Path, log: Path, *, at_most: int | None = None, beside: bool = False) -> Iterator[Trial]:
    """Each call to a file below `folder` fails once; with `at_most` only so many of them, spread over all.

    `run` begins from the same state each time. A run in which other calls came first hits another call than was meant:
    any call of a file is as good, but it must be one.
    """
    first = run(traced(log, beside=beside))
    if re.search(r"__pycache__.*O_CREAT", log.read_text(errors="replace")):  # of modules that were new
        first = run(traced(log, beside=beside))
    assert first.code == 0, first
    yield Trial(None, first)
    calls = calls_below(log, folder)
    assert calls, f"it changes nothing below {folder}"
    for call in spread(calls, at_most):
        result = run(traced(log, call.rule, beside=beside))
        if hit := injected(log, folder):
            yield Trial(call._replace(text=hit[0]), result)


def spread(calls: list[Call], at_most: int | None) -> list[Call]:
    step = 1 if at_most is None else -(-len(calls) // at_most)
    first = random.randrange(step)
    print(f"{len(calls)} calls, each {step}. of them from {first} on")
    return calls[first::step]
