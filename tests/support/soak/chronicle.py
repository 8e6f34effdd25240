"""The history of what was done: a line before and a line after, each written at once."""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .evidence import NEVER, Fault

BEGIN, SETTLED, LIFT, END = "begin", "settled", "lift", "end"


class Act:
    """Something that is being done."""

    def __init__(self, chronicle: Chronicle, number: int, kind: str, target: str) -> None:
        self._chronicle = chronicle
        self._number = number
        self.kind = kind
        self.target = target

    def _note(self, phase: str, data: dict[str, Any]) -> None:
        self._chronicle.write(self._number, self.kind, self.target, phase, data)

    def begin(self, **data: Any) -> Act:
        self._note(BEGIN, data)
        return self

    def settled(self, **data: Any) -> None:
        """From now on it surely has its effect."""
        self._note(SETTLED, data)

    def lift(self, **data: Any) -> None:
        """It is about to be undone."""
        self._note(LIFT, data)

    def end(self, **data: Any) -> None:
        self._note(END, data)


class Chronicle:
    """One file, appended to by the threads of one process."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._numbers = itertools.count(1)

    def write(self, number: int, kind: str, target: str, phase: str, data: dict[str, Any]) -> None:
        line = {"n": number, "kind": kind, "target": target, "phase": phase, "at": time.time(), "data": data}
        os.write(self._file, json.dumps(line).encode() + b"\n")

    def begin(self, kind: str, target: str = "", **data: Any) -> Act:
        return Act(self, next(self._numbers), kind, target).begin(**data)

    @contextmanager
    def act(self, kind: str, target: str = "", **data: Any) -> Iterator[dict[str, Any]]:
        """From before it to after it; what is put into the dict is noted with the end."""
        act = self.begin(kind, target, **data)
        more: dict[str, Any] = {}
        try:
            yield more
        finally:
            act.end(**more)

    def close(self) -> None:
        os.close(self._file)


def read(path: Path) -> list[Fault]:
    """What has no end yet is taken to last for ever."""
    faults: dict[int, Fault] = {}
    for text in path.read_text().splitlines():
        line = json.loads(text)
        number, phase, at = line["n"], line["phase"], line["at"]
        if phase == BEGIN:
            at = line["data"].get("since", at)  # noticed afterwards
            faults[number] = Fault(line["kind"], line["target"], at, data=line["data"])
            continue
        before = faults[number]
        faults[number] = before._replace(**{phase: at}, data={**before.data, **line["data"]})
        if phase == SETTLED:
            faults[number] = faults[number]._replace(lift=NEVER)
    return list(faults.values())
