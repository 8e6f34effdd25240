"""What a person wants of schedules, and what must not be lost with the history: a part of `logs/state.json`.

    "schedules": {"twitter": {"first_seen": 1764300000, "enabled": false, "paused":
                  {"at": 1764300100.0, "by": "anna", "reason": "…", "until": null, "on_resume": "next"},
                  "owed": {"catch_up": [1764300000.0, 1764300050.0]}, "promised": {"r7du9xcbi001": 1764300000}}}

`owed`: what a pause has held that is over, and is to be made up for once another one is over, too; from when to when.
`forgiven`: when a person last ended a cool-down: the history may have the failures before that, and not yet their end.
`promised`: runs that make up for it, by their ids, and the slot that each stands for; until the history has them.
`held`: from when to when what is promised was held: the history may not yet have that either.
Of a schedule nobody has a wish about there is only when it was first seen: an interval is counted from then.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ON_RESUME = ("next", "once", "catch_up")


class Wishes:
    """By schedule. Apart from each other: of a hundred thousand intervals there is only when they were first seen."""

    __slots__ = ("_all", "_seen")

    def __init__(self, data: Any = None) -> None:
        self._all: dict[str, dict[str, Any]] = {}
        self._seen: dict[str, int] = {}
        for name, wish in (data if isinstance(data, dict) else {}).items():
            if isinstance(wish, dict):
                self._read(name, wish)

    def _read(self, name: str, wish: dict[str, Any]) -> None:
        seen = wish.get("first_seen")
        if isinstance(seen, int) and not isinstance(seen, bool) and 0 < seen < 1 << 40:
            self._seen[name] = seen
        if checked := _checked(wish):
            self._all[name] = checked

    def copy(self) -> Wishes:
        """To be changed; values of a wish are replaced, never changed themselves."""
        other = Wishes()
        other._seen = dict(self._seen)
        other._all = {name: dict(wish) for name, wish in self._all.items() if wish}
        return other

    def as_dict(self) -> dict[str, Any]:
        found: dict[str, Any] = {name: {"first_seen": at} for name, at in self._seen.items()}
        for name, wish in self._all.items():
            if wish:
                found[name] = {**found.get(name, {}), **wish}
        return found

    def first_seen(self, name: str) -> int | None:
        return self._seen.get(name)

    def see(self, name: str, at: int) -> None:
        self._seen[name] = at

    def enabled(self, name: str) -> bool | None:
        """None: it goes by the settings."""
        return self._all.get(name, {}).get("enabled")

    def enable(self, name: str, enabled: bool | None) -> bool:
        """False: it was so already."""
        return self._set(name, "enabled", enabled)

    def paused(self, name: str) -> dict[str, Any] | None:
        return self._all.get(name, {}).get("paused")

    def pause(self, name: str, pause: dict[str, Any] | None) -> bool:
        return self._set(name, "paused", pause)

    def pauses(self) -> dict[str, dict[str, Any]]:
        return {name: wish["paused"] for name, wish in self._all.items() if wish.get("paused")}

    def owed(self, name: str) -> dict[str, list[float]]:
        """From when to when, by what is to run of it."""
        return self._all.get(name, {}).get("owed") or {}

    def owe(self, name: str, owed: dict[str, list[float]]) -> bool:
        return self._set(name, "owed", owed or None)

    def promised(self, name: str) -> dict[str, int | None]:
        """By run: the slot that it stands for; None: for whatever was held."""
        return self._all.get(name, {}).get("promised") or {}

    def promise(self, name: str, runs: dict[str, int | None]) -> bool:
        return self._set(name, "promised", runs or None)

    def held(self, name: str) -> list[float] | None:
        """From when to when a pause has held what is promised now."""
        return self._all.get(name, {}).get("held")

    def hold(self, name: str, span: list[float] | None) -> bool:
        return self._set(name, "held", span)

    def forgiven(self, name: str) -> float:
        """When a person last ended a cool-down; failures from before then count no more."""
        found: float = self._all.get(name, {}).get("forgiven") or 0.0
        return found

    def forgive(self, name: str, at: float) -> bool:
        return self._set(name, "forgiven", at)

    def due(self) -> list[str]:
        """Schedules of which something is owed or promised."""
        return [name for name, wish in self._all.items() if wish.get("owed") or wish.get("promised")]

    def all_promised(self) -> list[str]:
        """Runs."""
        return [run for wish in self._all.values() for run in wish.get("promised") or ()]

    def _set(self, name: str, key: str, value: Any) -> bool:
        wish = self._all.setdefault(name, {})
        if wish.get(key) == value:
            return False
        if value is None:
            del wish[key]
        else:
            wish[key] = value
        return True


def is_over(pause: dict[str, Any], now: float) -> bool:
    """Its time is over, whether or not anybody has noticed yet."""
    return bool(pause["until"]) and pause["until"] <= now


def _checked(wish: dict[str, Any]) -> dict[str, Any]:
    """What can be used of it: a person may have edited the file."""
    good: dict[str, Any] = {}
    enabled, paused, owed = wish.get("enabled"), wish.get("paused"), wish.get("owed")
    if isinstance(enabled, bool):
        good["enabled"] = enabled
    if isinstance(paused, dict):
        until, at = paused.get("until"), paused.get("at")
        good["paused"] = {
            "at": float(at) if isinstance(at, int | float) else 0.0,
            "by": str(paused.get("by") or ""),
            "reason": str(paused.get("reason") or ""),
            "until": float(until) if isinstance(until, int | float) and not isinstance(until, bool) else None,
            "on_resume": paused.get("on_resume") if paused.get("on_resume") in ON_RESUME else ON_RESUME[0],
        }
    if isinstance(owed, dict) and (spans := {how: owed[how] for how in ON_RESUME[1:] if _is_span(owed.get(how))}):
        good["owed"] = spans
    promised = wish.get("promised")
    if isinstance(promised, dict) and (runs := {run: at for run, at in promised.items() if _is_promise(run, at)}):
        good["promised"] = runs
        if _is_span(wish.get("held")):
            good["held"] = wish["held"]
    if type(wish.get("forgiven")) in (int, float):
        good["forgiven"] = float(wish["forgiven"])
    return good


def _is_promise(run: str, at: Any) -> bool:
    is_slot = at is None or (type(at) is int and 0 <= at < 1 << 40)
    return is_slot and run.isascii() and run.isalnum()


def _is_span(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(type(each) in (int, float) for each in value)
