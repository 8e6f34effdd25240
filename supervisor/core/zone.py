"""What the rules of time ask of a time zone: how far it is from UTC, and when that changes.

The real ones are read from the system's database by `base/zones.py`; this folder never looks at a disk.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Zone(Protocol):
        """Seconds throughout, whole ones."""

        name: str

        def offset(self, utc: int) -> int:
            """How far the wall clock is ahead of UTC then (east is positive)."""

        def transitions(self, start: int, end: int) -> list[tuple[int, int, int]]:
            """Each change of the offset with start < moment <= end, in order: moment, offset before, offset after."""


class FixedZone:
    """A zone that never changes: UTC, or what a test needs."""

    __slots__ = ("_offset", "name")

    def __init__(self, name: str = "UTC", offset: int = 0) -> None:
        self.name = name
        self._offset = offset

    def offset(self, utc: int) -> int:
        return self._offset

    def transitions(self, start: int, end: int) -> list[tuple[int, int, int]]:
        return []


UTC = FixedZone()
