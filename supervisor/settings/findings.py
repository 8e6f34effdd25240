"""One problem in one settings file: where it is, what it is, what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from supervisor.model.rows import clean

Level = Literal["error", "warning"]
Path = tuple[str | int, ...]

MAX_SHOWN = 60


@dataclass(frozen=True, order=True)
class Finding:
    """`file` is relative to the home; line 0 means the file or folder as a whole."""

    file: str
    line: int
    col: int
    path: str  # dotted: servers.web.restart, tasks.0.plugins
    message: str
    remedy: str = ""
    level: Level = "error"

    @property
    def is_error(self) -> bool:
        return self.level == "error"

    def headline(self) -> str:
        """`file:line:col: error: path: message`, on one line whatever the files hold."""
        place = f"{self.file}:{self.line}:{self.col}" if self.line else self.file
        path = f"{self.path}: " if self.path else ""
        return clean(f"{place}: {self.level}: {path}{self.message}")

    def text(self) -> str:
        return f"{self.headline()}\n  -> {clean(self.remedy)}" if self.remedy else self.headline()

    def as_dict(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "line": self.line,
            "col": self.col,
            "path": self.path,
            "message": self.message,
            "remedy": self.remedy,
            "level": self.level,
            "text": self.text(),
        }


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Errors first: whoever reads only the beginning reads what stops everything."""
    return sorted(findings, key=lambda finding: (not finding.is_error, finding))


def has_errors(findings: list[Finding]) -> bool:
    return any(finding.is_error for finding in findings)


def dotted(path: Path) -> str:
    return ".".join(shorten(str(step)) for step in path)


def shorten(text: str) -> str:
    """A name for a message: a key of a hundred thousand letters must not become the message."""
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"
