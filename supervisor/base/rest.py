"""Is one of many still on its way? Asked after each change of any of them, so it must not look at all each time."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any


class Rest:
    """Who was still so at the last look at all. One of them is enough for the answer.

    All are looked at anew only once none of those is so any more: each leaves once, so many cost no more each than few,
    in whatever order they leave.
    """

    __slots__ = ("_everybody", "_is_so", "_left")

    def __init__(self, everybody: Callable[[], Iterable[Any]], is_so: Callable[[Any], bool]) -> None:
        """`is_so` says no of whoever does not belong to everybody any more."""
        self._everybody = everybody
        self._is_so = is_so
        self._left: list[Any] = []

    def anybody(self) -> bool:
        left, is_so = self._left, self._is_so
        while left:
            if is_so(left[-1]):
                return True
            left.pop()
        self._left = [one for one in self._everybody() if is_so(one)]
        return bool(self._left)
