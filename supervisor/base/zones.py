"""The time zones of the system: read when first asked for, and kept."""

from __future__ import annotations

import os
import sys
from array import array
from bisect import bisect_right

from supervisor.base import tzif

# As Python's zoneinfo looks for them.
FOLDERS = ("/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo")
LOCALTIME = "/etc/localtime"
TIMEZONE = "/etc/timezone"
UTC_NAMES = ("UTC", "Etc/UTC", "GMT", "Etc/GMT", "Z", "Zulu")
MOST_BYTES = 1 << 20
LAST_YEAR = 9999  # what comes later has the offset of that year's end
YEARS_AT_ONCE = 8


class UnknownZone(Exception):
    """There is no such time zone here, or it cannot be read."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"time zone {name!r}: {why}")
        self.name = name
        self.why = why


class SystemZone:
    """One zone: its changes in order, prolonged by its rule as far as anybody asks."""

    __slots__ = ("_from", "_moments", "_now", "_offsets", "_rule", "_to", "_until", "_year", "name")

    def __init__(self, name: str, moments: array[int], offsets: array[int], rule: tzif.Rule | None) -> None:
        self.name = name
        self._moments = moments
        self._offsets = offsets  # one more: the first holds before the first change
        self._rule = rule if rule and rule.starts else None
        self._year = 0  # the first one that has not been added yet
        self._until = 0  # how far the list goes
        self._from = self._to = 0  # the stretch that was asked for last, and its offset
        self._now = 0
        self._begin(rule)

    def _begin(self, rule: tzif.Rule | None) -> None:
        last = self._moments[-1] if self._moments else -(1 << 62)
        if self._rule:
            self._year = max(1970, 1970 + last // 31_556_952)
            self._until = last
        elif rule and rule.standard != self._offsets[-1]:
            self._moments.append(last + 1)
            self._offsets.append(rule.standard)

    def offset(self, utc: int) -> int:
        if self._from <= utc < self._to:
            return self._now
        if self._rule and utc >= self._until:
            self._prolong(utc)
        index = bisect_right(self._moments, utc)
        self._now = self._offsets[index]
        self._from = self._moments[index - 1] if index else -(1 << 62)
        if index < len(self._moments):
            self._to = self._moments[index]
        else:
            self._to = self._until if self._rule else 1 << 62
        return self._now

    def transitions(self, start: int, end: int) -> list[tuple[int, int, int]]:
        """Those with start < moment <= end: the moment, the offset before it, the offset from then on."""
        if (self._from <= start and end < self._to) or end <= start:
            return []
        if self._rule and end >= self._until:
            self._prolong(end)
        moments, offsets = self._moments, self._offsets
        first, last = bisect_right(moments, start), bisect_right(moments, end)
        return [(moments[index], offsets[index], offsets[index + 1]) for index in range(first, last)]

    def _prolong(self, utc: int) -> None:
        """Goes on by the rule, a few years at a time, until the list reaches beyond this moment."""
        rule = self._rule
        while rule and self._until <= utc:
            for _ in range(YEARS_AT_ONCE):
                self._add(rule.changes(self._year))
                self._year += 1
            # The last change of those years is in the list; the next one is some weeks later at least.
            self._until = tzif.new_year(self._year) * tzif.DAY - 2 * tzif.DAY
            if self._year > LAST_YEAR:
                self._rule = None
                return

    def _add(self, changes: list[tuple[int, int, int]]) -> None:
        for moment, _, after in changes:
            if (not self._moments or moment > self._moments[-1]) and after != self._offsets[-1]:
                self._moments.append(moment)
                self._offsets.append(after)


_known: dict[str, SystemZone] = {}


def zone(name: str) -> SystemZone:
    """By its name; "" is that of this machine."""
    found = _known.get(name)
    if found is None:
        found = _known[name] = _load(name) if name else _of_machine()
    return found


def forget() -> None:
    """All that was read, so that a new database, or another zone of the machine, counts."""
    _known.clear()


def name_of_machine() -> str:
    """As other programs would be told it; "" where it is no named one."""
    found = zone("").name
    return "" if found == LOCALTIME else found


def _of_machine() -> SystemZone:
    """TZ, as the C library reads it; else /etc/localtime; else UTC."""
    given = os.environ.get("TZ")
    if given is not None:
        return _by_variable(given.removeprefix(":"))
    if os.path.lexists(LOCALTIME):
        name = _name_of_link() or _name_in_file()
        return _load(name) if name else _from_file(LOCALTIME, LOCALTIME)
    return _utc("UTC")


def _by_variable(given: str) -> SystemZone:
    if given == "" or given in UTC_NAMES:
        return _utc("UTC")
    if given.startswith("/"):
        name = _name_in_path(given)
        return _load(name) if name else _from_file(given, given)
    try:
        return _load(given)
    except UnknownZone:
        try:
            rule = tzif.Rule(given)
        except tzif.Damaged:
            raise UnknownZone(given, "that is what TZ says, and there is no such zone") from None
        return SystemZone(given, array("q"), array("l", [rule.standard]), rule)


def _name_of_link() -> str:
    try:
        return _name_in_path(os.readlink(LOCALTIME))
    except OSError:
        return ""


def _name_in_path(path: str) -> str:
    return path.partition("/zoneinfo/")[2].removeprefix("posix/")


def _name_in_file() -> str:
    """Debian's copy of the name, for a localtime that is a copy; only if they agree."""
    try:
        with open(TIMEZONE, encoding="utf-8") as file:
            name = file.readline(200).strip()
        with open(LOCALTIME, "rb") as file:
            content = file.read(MOST_BYTES)
    except (OSError, UnicodeDecodeError):
        return ""
    path = _path_of(name)
    return name if path and _bytes_of(path, name) == content else ""


def _load(name: str) -> SystemZone:
    path = _path_of(name)
    if path:
        return _from_file(name, path)
    if name in UTC_NAMES:
        return _utc(name)
    if not any(os.path.isdir(folder) for folder in _folders()):
        raise UnknownZone(name, "this machine has no time zones at all (Debian's package tzdata)")
    raise UnknownZone(name, "there is no such zone; they are called, for instance, Europe/Berlin")


def _utc(name: str) -> SystemZone:
    return SystemZone(name, array("q"), array("l", [0]), None)


def _folders() -> list[str]:
    given = os.environ.get("PYTHONTZPATH")
    folders = list(FOLDERS) if given is None else [one for one in given.split(os.pathsep) if os.path.isabs(one)]
    return folders + [os.path.join(entry, "tzdata", "zoneinfo") for entry in sys.path if entry]


def _path_of(name: str) -> str:
    """The file of a name; "" for one that is not there, or would lead out of the folder."""
    parts = name.split("/")
    if not name or "\0" in name or any(part in ("", ".", "..") for part in parts):
        return ""
    for folder in _folders():
        path = os.path.join(folder, *parts)
        if os.path.isfile(path):
            return path
    return ""


def _bytes_of(path: str, name: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(MOST_BYTES)
    except OSError as error:
        raise UnknownZone(name, f"{path} cannot be read: {error.strerror}") from None


def _from_file(name: str, path: str) -> SystemZone:
    try:
        return SystemZone(name, *tzif.read(_bytes_of(path, name)))
    except tzif.Damaged as error:
        raise UnknownZone(name, f"{path}: {error}") from None
