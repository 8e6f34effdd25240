"""What a change of settings means for the running services and for schedules: the one place that says so.

`sbctl reload --dry-run` shows it, the engine does it. Both go by the action alone, so that plan and deed agree.
"""

from __future__ import annotations

import enum

from supervisor.core.record import Record
from supervisor.model.schedule import BACKUP, ROLLBACK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import Any

    from supervisor.model.service import Spec


class ChangeAction(enum.StrEnum):
    START = "start"  # new, or down until now and from now on started by itself
    ADD = "add"  # new, but only started when somebody asks
    REMOVE = "remove"
    RESTART = "restart"  # the process itself was started otherwise
    LEAVE = "leave"  # the same, but nobody wants it up: it stays down, and its next start goes by the new settings
    LIVE = "live"  # taken over without touching the process


class Change(Record):
    """What happens to one service."""

    __slots__ = ("action", "fields", "name")

    def __init__(self, name: str, action: ChangeAction, fields: tuple[str, ...] = ()) -> None:
        self.name = name
        self.action = action
        self.fields = fields  # what differs: "launch.argv", "policy.grace"; empty for a new or removed one

    def as_dict(self) -> dict[str, Any]:
        return {"name": self.name, "action": self.action.value, "fields": list(self.fields)}


LIVE_FIELDS = (
    "alive", "auto_start", "commands", "critical", "description", "launch.log_age", "launch.log_budget",
    "launch.log_keep", "launch.log_max", "limits", "order", "ready", "reload_signal", "watchdog",
)  # fmt: skip

# What a daemon goes by itself, by the name in its compiled settings: the key that people write. Taken over as it runs.
BEAT = {"settle": "settleSeconds"}
OWN_KEYS = {
    "start": BEAT,
    "scheduler": {
        **BEAT, "tick": "tickSeconds", "reconcile": "reconcileSeconds", "max_starting": "maxStarting",
        "daily_lines_per_s": "dailyLinesPerSecond", "daily_bytes_per_min": "dailyMbPerMinute",
    },
}  # fmt: skip


def own_changes(role: str, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> list[Change]:
    """What changes for the daemon itself; nothing, or one."""
    before, after = old or {}, new or {}
    fields = tuple(key for name, key in OWN_KEYS[role].items() if before.get(name) != after.get(name))
    return [Change(role, ChangeAction.LIVE, fields)] if fields and before and after else []


def plan(old: Sequence[Spec], new: Sequence[Spec], up: Collection[str], disabled: Collection[str] = ()) -> list[Change]:
    """First what goes, so that its ports are free, then the rest as the new settings order it.

    `up`: the names of those that are wanted up now, by a person or by the settings. `disabled`: of those that a person
    wants down, whatever the settings say.
    """
    before = {spec.name: spec for spec in old}
    kept = {spec.name for spec in new}
    changes = [Change(spec.name, ChangeAction.REMOVE) for spec in old if spec.name not in kept]
    for spec in new:
        starts = spec.auto_start and spec.name not in disabled
        change = _change(before.get(spec.name), spec, wanted=spec.name in up, starts=starts)
        if change:
            changes.append(change)
    return changes


def _change(old: Spec | None, new: Spec, *, wanted: bool, starts: bool) -> Change | None:
    if old is None:
        return Change(new.name, ChangeAction.START if starts else ChangeAction.ADD)
    fields = _differing(old.as_dict(), new.as_dict())
    return Change(new.name, _action(fields, wanted=wanted, starts=starts), fields) if fields else None


def _action(fields: tuple[str, ...], *, wanted: bool, starts: bool) -> ChangeAction:
    if starts and "auto_start" in fields and not wanted:
        return ChangeAction.START
    if all(field in LIVE_FIELDS or field.startswith("policy.") for field in fields):
        return ChangeAction.LIVE
    return ChangeAction.RESTART if wanted else ChangeAction.LEAVE


def _differing(old: dict[str, Any], new: dict[str, Any]) -> tuple[str, ...]:
    """Dotted names, one level deep: within `launch.env` the names don't matter, and values may be secret."""
    fields: list[str] = []
    for name, value in new.items():
        if name in ("launch", "policy"):
            fields += [f"{name}.{part}" for part in value if value[part] != old[name][part]]
        elif value != old[name]:
            fields.append(name)
    return tuple(sorted(fields))


# What of a schedule is called otherwise by people; the names of its policy are those of `model/schedule.py`.
_OF_SCHEDULE = {
    "description": "description", "enabled": "enabled", "run_at_start": "runAtStart", "source": "file",
    "steps": "commands", "tenant": "tenant", "triggers": "triggers", "zone": "timezone",
}  # fmt: skip
_OF_POLICY = {
    "active_hours": "activeHours", "exclude": "exclude", "grace": "graceSeconds", "jitter_kind": "jitter",
    "jitter": "jitter", "max_catchup": "missedMax", "outside": "outsideHours", "output_max": "outputMaxMb",
    "overlap_max": "overlapMax", "run_timeout": "timeoutMinutes", "spread": "missedSpreadSeconds",
    "step_timeout": "stepTimeoutMinutes", "stop_grace": "stopGraceSeconds", "valid_from": "validFrom",
    "valid_until": "validUntil", "window": "missedWindowHours",
}  # fmt: skip


class ScheduleChange(Change):
    """What happens to one schedule. A service may have the same name."""

    __slots__ = ()

    def as_dict(self) -> dict[str, Any]:
        return {**super().as_dict(), "kind": "schedule"}


def schedule_changes(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> list[Change]:
    """Of the sections `schedules` of two compiled settings: what goes, then what comes or differs.

    Fields are the keys that people write. A run that is going on ends by the settings that it began with.
    """
    before, after = _Section(old), _Section(new)
    changes: list[Change] = [
        ScheduleChange(name, ChangeAction.REMOVE) for name in before.rows if name not in after.rows
    ]
    same = _Same(before, after)
    for name, row in after.rows.items():
        was = before.rows.get(name)
        if was is None:
            changes.append(ScheduleChange(name, ChangeAction.ADD))
        elif not same.rows(was, row) and (fields := _fields(before.values(was), after.values(row))):
            changes.append(ScheduleChange(name, ChangeAction.LIVE, fields))
    return changes


def _fields(old: dict[str, Any], new: dict[str, Any]) -> tuple[str, ...]:
    return tuple(sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name)))


class _Section:
    """Of one of the two."""

    def __init__(self, section: Mapping[str, Any] | None) -> None:
        section = section or {}
        self.rows: dict[str, Any] = {str(row["id"]): row for row in section.get("schedules", ())}
        self.policies: Sequence[dict[str, Any]] = section.get("policies", ())
        self.tables = {name: section.get(name, {}) for name in ("commands", "calendars", "groups", "checks")}

    def values(self, row: dict[str, Any]) -> dict[str, Any]:
        """Everything that it goes by, also what stands elsewhere under a name."""
        policy, tables = self.policies[row["policy"]], self.tables
        values = {key: row.get(name) for name, key in _OF_SCHEDULE.items()}
        jitter = [policy.get("jitter"), policy.get("jitter_kind")]
        values.update({_OF_POLICY.get(name, name): value for name, value in policy.items()}, jitter=jitter)
        values["blackouts"] = [[name, tables["calendars"].get(name)] for name in policy.get("blackouts", ())]
        for field, table in (("group", "groups"), ("check", "checks")):
            name = policy.get(field)
            values[field] = [name, tables[table].get(name)]
        own = tables["commands"].get(row["plugin"], {})
        values.update({f"commands.{step}": own.get(step) for step in (*row["steps"], BACKUP, ROLLBACK)})
        return values


class _Same:
    """Whether two rows are the same at a glance: of a hundred thousand nearly all are."""

    def __init__(self, old: _Section, new: _Section) -> None:
        self._policies = old.policies, new.policies
        self._seen: dict[tuple[int, int], bool] = {}
        names = ("calendars", "groups", "checks")  # which a policy names
        self._means_the_same = all(old.tables[name] == new.tables[name] for name in names)
        before, after = old.tables["commands"], new.tables["commands"]
        self._others = {plugin for plugin in {*before, *after} if before.get(plugin) != after.get(plugin)}

    def rows(self, old: dict[str, Any], new: dict[str, Any]) -> bool:
        """False: perhaps they are not."""
        if not self._means_the_same or new["plugin"] in self._others:
            return False
        is_alike = old == new if old["policy"] == new["policy"] else {**old, "policy": 0} == {**new, "policy": 0}
        return is_alike and self._policy(old["policy"], new["policy"])

    def _policy(self, old: int, new: int) -> bool:
        """By their numbers, which are others where a policy has come or gone before them."""
        found = self._seen.get((old, new))
        if found is None:
            before, after = self._policies
            found = self._seen[old, new] = before[old] == after[new]
        return found
