"""The section `schedules` of the compiled settings: everything about what runs when, resolved."""

from __future__ import annotations

import hashlib
from typing import Any

from supervisor.base import zones
from supervisor.base.clock import SystemClock
from supervisor.base.jsons import dumps
from supervisor.core.hours import Blackout, Hours
from supervisor.core.timeline import Timeline
from supervisor.core.trigger import build
from supervisor.core.zone import UTC
from supervisor.model.schedule import Outside
from supervisor.settings import revisions
from supervisor.settings.blackout_checks import check_blackouts
from supervisor.settings.gathering import written_schedules
from supervisor.settings.load import Loaded
from supervisor.settings.named_checks import named_checks
from supervisor.settings.never_checks import check_times
from supervisor.settings.schedule_checks import ALL_PROBES, check_after, check_hours, check_keys, check_names
from supervisor.settings.schedule_keys import TRIGGERS
from supervisor.settings.schedule_policy import calendar, policy_of
from supervisor.settings.steps import check_command_names, plugin_commands, steps_of, warn_of_missing
from supervisor.settings.triggers import machine_zone, triggers_of, valid_range, zone_of
from supervisor.settings.written_schedule import WrittenSchedule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.core.zone import Zone

Row = dict[str, Any]


def schedule_section(loaded: Loaded) -> Row:
    """What is wrong or looks so is noted in the documents. Plugins that are left out for that are still in it."""
    for plugin in loaded.plugins.values():
        check_command_names(plugin)
    commands = plugin_commands(loaded)
    written = written_schedules(loaded)
    check_after(written)
    warn_of_missing(loaded, list(written.values()))
    maker = _Maker(loaded)
    rows = [row for each in written.values() if (row := maker.row(each))]
    history = loaded.settings.history
    return {
        "zone": maker.zone,
        "policies": maker.policies,
        "commands": commands,
        "calendars": maker.calendars,
        "groups": dict(sorted(loaded.scheduler.groups.items())),
        "checks": named_checks(loaded),
        "history": {
            "keep_days": history.keep_days,
            "keep_runs": history.keep_runs,
            "keep_failed_days": history.keep_failed_days,
        },
        "schedules": sorted(rows, key=lambda row: str(row["id"])),
    }


def without(section: Row, plugins: set[str]) -> Row:
    """The same without these plugins, whose manifests have errors."""
    if not plugins:
        return section
    commands = {name: value for name, value in section["commands"].items() if name not in plugins}
    rows = [row for row in section["schedules"] if row["plugin"] not in plugins]
    return {**section, "commands": commands, "schedules": rows}


class _Maker:
    """Makes the rows; equal policies are one."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._now = SystemClock().wall()
        self._numbers: dict[str, int] = {}
        self._all_hours: dict[str, Hours] = {}
        self._blackouts: dict[str, Blackout] = {}
        self._probes = ALL_PROBES
        self.policies: list[Row] = []
        self.zone = loaded.settings.timezone or machine_zone()
        self.calendars = {name: calendar(rules) for name, rules in sorted(loaded.scheduler.blackouts.items())}

    def row(self, written: WrittenSchedule) -> Row | None:
        """None: it is left out, which is said."""
        keys, loaded = written.keys, self._loaded
        check_keys(written)
        check_names(loaded, written)
        name = zone_of(written, self.zone)
        zone = _zone(name)
        triggers = triggers_of(loaded, written, zone, self._now)
        valid = valid_range(written, zone, self._now)
        timeline = self._timeline(written, triggers, zone, valid)
        check_times(written, timeline, zone, self._now)
        has_interval = any(each["kind"] == "interval" for each in triggers)
        policy = policy_of(written, timeline, has_interval=has_interval, valid=valid)
        if (policy["active_hours"] or policy["blackouts"]) and self._probes > 0:
            self._probes -= self._check_when(written, timeline, policy, zone)
        steps = steps_of(loaded, written)
        if not steps:
            return None
        if not triggers and keys.enabled is not False:
            _warn_without_trigger(written)
        return {
            "id": written.id,
            "plugin": written.plugin,
            "steps": steps,
            "triggers": triggers,
            "policy": self._number(policy),
            "zone": name,
            "revision": _revision(triggers, name, policy["dst"]),
            "description": keys.description or "",
            "tenant": keys.tenant or "",
            "source": written.source,
            "enabled": keys.enabled is not False,
            "run_at_start": keys.run_at_start is not False,
        }

    def _timeline(self, written: WrittenSchedule, triggers: list[Row], zone: Zone, valid: tuple[int, int]) -> Timeline:
        dst = written.keys.dst or "vixie"
        made = [
            build(each, zone=zone, zones=_zone, key=written.id, anchor=int(self._now), dst=dst) for each in triggers
        ]
        exclude = written.keys.exclude or ()
        return Timeline(made, zone=zone, exclude=exclude, valid_from=valid[0], valid_until=valid[1])

    def _check_when(self, written: WrittenSchedule, timeline: Timeline, policy: Row, zone: Zone) -> int:
        hours, blackout = self._hours(policy["active_hours"], zone), self._blackout(policy["blackouts"], zone)
        if policy["outside"] == Outside.SKIP:
            return check_hours(written, timeline, hours, blackout, self._now)
        if not policy["blackouts"]:
            return 0
        defers, jitter = policy["outside"] == Outside.DEFER, float(policy["jitter"])
        return check_blackouts(written, timeline, hours, blackout, defers=defers, jitter=jitter, now=self._now)

    def _hours(self, windows: list[list[Any]], zone: Zone) -> Hours:
        key = repr((windows, zone.name))
        if key not in self._all_hours:
            self._all_hours[key] = Hours(windows, zone)
        return self._all_hours[key]

    def _blackout(self, names: list[str], zone: Zone) -> Blackout:
        key = repr((names, zone.name))
        if key not in self._blackouts:
            rules = [rule for name in names for rule in self.calendars.get(name, ())]
            self._blackouts[key] = Blackout(rules, zone)
        return self._blackouts[key]

    def _number(self, policy: Row) -> int:
        mark = dumps(policy)
        if mark not in self._numbers:
            self._numbers[mark] = len(self.policies)
            self.policies.append(policy)
        return self._numbers[mark]


def _zone(name: str) -> Zone:
    try:
        return zones.zone(name)
    except zones.UnknownZone:
        return UTC  # reported elsewhere


def _warn_without_trigger(written: WrittenSchedule) -> None:
    if any(getattr(written.keys, name) is not None for name in TRIGGERS):
        return  # there is one, and what is wrong with it has been said
    written.report_whole(
        "says no time: it runs only by hand",
        'add intervalHours, at, cron, once or afterSchedule, or "enabled": false if that is meant',
        level="warning",
        at_key=True,
    )


def _revision(triggers: list[Row], zone: str, dst: str) -> str:
    """Of what says when. Another one, and slots of before are not made up for."""
    return hashlib.sha256(revisions.encode({"triggers": triggers, "zone": zone, "dst": dst})).hexdigest()[:12]
