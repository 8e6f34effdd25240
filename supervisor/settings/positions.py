"""Where each key and value of a text stands, as {path: (line, column)}, both counted from 1."""

from __future__ import annotations

from supervisor.settings.findings import Path

Place = tuple[int, int]


class Positions:
    """Filled by the two readers; asked by everything that has something to say about a value."""

    def __init__(self) -> None:
        self.values: dict[Path, Place] = {(): (1, 1)}
        self.keys: dict[Path, Place] = {}

    def of(self, path: Path) -> Place:
        """The value's place; for something that is not there, that of the nearest thing around it."""
        while path not in self.values:
            path = path[:-1]
        return self.values[path]

    def of_key(self, path: Path) -> Place:
        return self.keys.get(path) or self.of(path)

    def known_part(self, path: Path) -> Path:
        """The longest beginning of `path` that is in the text."""
        while path and path not in self.values:
            path = path[:-1]
        return path

    def as_written(self, path: Path) -> Path:
        """Without the steps that a short form does not have: `activeHours.0.start` where there is one map only."""
        found: Path = ()
        for step in path:
            if (*found, step) in self.values:
                found = (*found, step)
        return found


class Lines:
    """Turns an offset in a text into line and column, for offsets that only ever grow."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._line = 1
        self._start = 0  # where the current line begins
        self._seen = 0  # up to where line ends have been counted

    def place(self, offset: int) -> Place:
        newlines = self._text.count("\n", self._seen, offset)
        if newlines:
            self._line += newlines
            self._start = self._text.rindex("\n", self._seen, offset) + 1
        self._seen = offset
        return self._line, offset - self._start + 1
