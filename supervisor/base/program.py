"""Whether the files of this program are those that this process was loaded from.

Who loads a part of it late would else put two versions together.
"""

from __future__ import annotations

import os
import sys

PACKAGE = __name__.partition(".")[0]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    Stamp = tuple[int, int, int]


class Program:
    """All that is loaded by now. Not by time: the clock of a small machine may be years behind when it begins."""

    __slots__ = ("_files", "_stamps")

    def __init__(self, files: Iterable[str] | None = None) -> None:
        self._files = tuple(_loaded() if files is None else files)
        self._stamps = hash(tuple(map(_stamp, self._files)))

    @property
    def has_changed(self) -> bool:
        return hash(tuple(map(_stamp, self._files))) != self._stamps


def _loaded() -> Iterable[str]:
    for name, module in sys.modules.items():
        file = getattr(module, "__file__", None)
        if file and (name == PACKAGE or name.startswith(f"{PACKAGE}.")):
            yield file


def _stamp(path: str) -> Stamp:
    """Another one with each change; not for a hard link or other rights."""
    try:
        found = os.stat(path)
    except OSError:
        return (0, 0, 0)
    return (found.st_ino, found.st_size, found.st_mtime_ns)
