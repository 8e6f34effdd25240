"""How the file is: each kind of trouble is told once, and that it is over once, whatever happens between."""

from __future__ import annotations

import os

from supervisor.store.trouble import BUSY, NOT_OURS, Trouble

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

BUSY_TOLD_S = 1.0  # a lock that passes is no news
FIRST_PAUSE_S = 0.02
MAX_PAUSE_S = 5.0
ASK_AGAIN_S = 60.0  # whether a file that is not ours is still there


class Condition:
    """Told by the writer how each try went; tells the scheduler what a person should know."""

    __slots__ = ("_dropped", "_name", "_on_recovered", "_on_trouble", "_pause", "_since", "_told", "kind", "text")

    def __init__(self, path: str, on_trouble: Callable[[str], None], on_recovered: Callable[[str, int], None]) -> None:
        self.kind = ""  # of the last try; "": it worked
        self.text = ""
        self._name = os.path.basename(path)
        self._on_trouble = on_trouble
        self._on_recovered = on_recovered
        self._dropped = 0
        self._pause = 0.0
        self._since = 0.0
        self._told: set[str] = set()

    def news(self, texts: list[str]) -> None:
        """What has happened to the file, whether or not it can be written now."""
        for text in texts:
            self._tell(text, f"{self._name}: {text}")

    def failed(self, trouble: Trouble, now: float) -> None:
        if not self.kind:
            self._since = now
            self._pause = 0.0
        self.kind = trouble.kind
        self.text = f"{self._name} can't be written: {trouble.text}"
        if trouble.kind != BUSY or now - self._since >= BUSY_TOLD_S:
            self._tell(trouble.kind, self.text)

    def pause(self) -> float:
        """Until the next try: longer each time."""
        if self.kind in NOT_OURS:
            return ASK_AGAIN_S
        self._pause = min(self._pause * 2, MAX_PAUSE_S) or FIRST_PAUSE_S
        return self._pause

    def _tell(self, key: str, text: str) -> None:
        if key not in self._told:
            self._told.add(key)
            self._on_trouble(text)

    def worked(self, dropped: int) -> None:
        """`dropped`: writes that were lost so far; who is told hears how many since the last time."""
        self.kind = self.text = ""
        if self._told:
            self._told.clear()
            before, self._dropped = self._dropped, dropped
            self._on_recovered(f"{self._name} is written again", dropped - before)
