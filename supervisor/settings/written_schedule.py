"""One schedule as people wrote it, perhaps in several places: the layers, what counts of them, and where it stands."""

from __future__ import annotations

from typing import Any, NamedTuple

from supervisor.settings.document import Document
from supervisor.settings.findings import Level, Path
from supervisor.settings.schedule_keys import OF_TRIGGERS, TRIGGERS, ScheduleKeys
from supervisor.settings.shape import Shape, given, merged

JITTERS = ("jitter_minutes", "jitter_seconds")
# What a manifest may call otherwise.
OTHER_WORDS = {"intervalHours": "defaultIntervalHours", "commands": "cmd"}
_FIELDS = frozenset(ScheduleKeys.model_fields)


class Layer(NamedTuple):
    """What one place says of a schedule."""

    document: Document
    path: Path  # in the document
    values: dict[str, Any]
    is_own: bool = True  # False: said of all schedules


def layer(document: Document, path: Path, keys: Shape, *, is_own: bool = True) -> Layer:
    values = {name: value for name, value in given(keys).items() if name in _FIELDS}
    return Layer(document, path, values, is_own)


class WrittenSchedule:
    """`layers`: a later one beats an earlier one key by key; the last is where people look first."""

    __slots__ = ("id", "keys", "layers", "place", "plugin")

    def __init__(self, id: str, plugin: str, layers: list[Layer], place: Path) -> None:
        self.id = id
        self.plugin = plugin
        self.layers = layers
        self.place = place  # of what is said about the schedule as a whole, in the last layer's document
        self.keys = together(layers)

    @property
    def source(self) -> str:
        return self.layers[-1].document.file

    def says(self, name: str) -> bool:
        """Is this field given for this very schedule, not for all?"""
        return any(name in each.values for each in self.layers if each.is_own)

    def report(
        self, path: Path, message: str, remedy: str = "", *, level: Level = "error", at_key: bool = False
    ) -> None:
        """About the key at `path`, in the place that has the last word on it."""
        best, whole, deepest = self.layers[-1], self.place, 0
        for each in reversed(self.layers):
            words = [path] if path[0] not in OTHER_WORDS else [path, (OTHER_WORDS[str(path[0])], *path[1:])]
            for word in words:
                found = each.document.positions.as_written((*each.path, *word))
                if len(found) - len(each.path) > deepest and found[: len(each.path)] == each.path:
                    best, whole, deepest = each, found, len(found) - len(each.path)
        best.document.report(whole, message, remedy, level=level, at_key=at_key)

    def report_whole(self, message: str, remedy: str, *, level: Level = "error", at_key: bool = False) -> None:
        self.layers[-1].document.report(self.place, message, remedy, level=level, at_key=at_key)


_NOTHING_SAID = ScheduleKeys.model_construct(set())  # what 40 defaults are looked up for once, not for each schedule


def together(layers: list[Layer]) -> ScheduleKeys:
    """Key by key, also within maps. A time rule replaces all time rules of the layers below it."""
    values: dict[str, Any] = {}
    for each in layers:
        new = each.values
        if any(name in new for name in TRIGGERS):
            _drop(values, OF_TRIGGERS)
        if any(name in new for name in JITTERS):
            _drop(values, JITTERS)
        for name, value in new.items():
            old = values.get(name)
            values[name] = merged(old, value) if isinstance(old, Shape) and isinstance(value, Shape) else value
    return _NOTHING_SAID.model_copy(update=values)


def _drop(values: dict[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        values.pop(name, None)
