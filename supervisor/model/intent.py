"""What a person wants to last: services enabled or disabled by hand, over every restart and change of settings.

The content of `logs/state.json`:

    {"format": 1, "services": {"web": {"enabled": false, "at": "2026-01-02T03:04:05Z", "by": "anna"}}}

The name of a plugin is that of all its instances, also of those that later settings add; `web:2` is that one alone.
"""

from __future__ import annotations

from supervisor.base import jsons
from supervisor.model.wishes import Wishes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FORMAT = 1
KEYS = ("format", "services", "schedules")


class NotReadable(ValueError):
    """This is not what we have written; the message says why."""


def choice_for(choices: dict[str, bool], name: str) -> bool | None:
    """Its own, else that of its plugin; None: it goes by the settings."""
    own = choices.get(name)
    return choices.get(plugin_of(name)) if own is None else own


def plugin_of(name: str) -> str:
    return name.partition(":")[0]


class Intent:
    """By service: whether a person wants it started by itself. Who is not in it goes by the settings."""

    __slots__ = ("_others", "_services", "schedules")

    def __init__(self) -> None:
        self._services: dict[str, dict[str, Any]] = {}
        self.schedules = Wishes()
        self._others: dict[str, Any] = {}  # what a later version has written beside it is not lost

    @classmethod
    def from_bytes(cls, data: bytes) -> Intent:
        try:
            content = jsons.loads(data)
        except (ValueError, RecursionError) as error:
            raise NotReadable(f"not JSON: {error}") from None
        if not isinstance(content, dict) or not isinstance(content.get("services"), dict):
            raise NotReadable("it has no services")
        intent = cls()
        intent._others = {name: value for name, value in content.items() if name not in KEYS}
        intent.schedules = Wishes(content.get("schedules"))
        for name, choice in content["services"].items():
            if not isinstance(choice, dict) or not isinstance(choice.get("enabled"), bool):
                raise NotReadable(f"of {name!r} it doesn't say whether it is enabled")
            intent._services[name] = choice
        return intent

    def copy(self) -> Intent:
        """To be changed. Not by way of its bytes: there may be a hundred thousand schedules in it."""
        other = Intent()
        other._services = dict(self._services)
        other.schedules = self.schedules  # which are replaced as a whole
        other._others = self._others
        return other

    def to_bytes(self) -> bytes:
        content = {"format": FORMAT, "services": self._services, **self._others}
        if schedules := self.schedules.as_dict():
            content["schedules"] = schedules
        return jsons.dumps_lines(content).encode() + b"\n"

    def set(self, name: str, *, enabled: bool, at: str, by: str) -> bool:
        """False: it was so already."""
        was = self._services.get(name)
        if was is not None and was["enabled"] is enabled:
            return False
        self._services[name] = {"enabled": enabled, "at": at, "by": by}
        return True

    def choose(self, words: list[str], names: list[str], *, enabled: bool, at: str, by: str) -> list[str]:
        """`words` as they were given, `names` the services meant by them. Returns those for which that is new."""
        before = self.enabled()
        changed = [name for name in names if choice_for(before, name) is not enabled]
        for plugin in sorted({plugin_of(name) for name in names} & set(words)):
            for name in [name for name in self._services if name != plugin and plugin_of(name) == plugin]:
                del self._services[name]
            self.set(plugin, enabled=enabled, at=at, by=by)
        for name in changed:
            if choice_for(self.enabled(), name) is not enabled:
                self.set(name, enabled=enabled, at=at, by=by)
        return changed

    def enabled(self) -> dict[str, bool]:
        return {name: choice["enabled"] for name, choice in self._services.items()}
