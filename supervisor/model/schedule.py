"""What runs when, resolved: everything the planner needs, and nothing that it must look up.

Ten thousand of these are held, so what many share (policies, calendars, the commands of a plugin) is one object for
all of them, and stands once in the compiled settings.
"""

from __future__ import annotations

import enum
from sys import intern

from supervisor.model.launch import Launch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

DEFAULT_STEPS = ("get", "process", "push")
BACKUP, GET, PROCESS, PUSH, ROLLBACK = "backup", "get", "process", "push", "rollback"


class Missed(enum.StrEnum):
    """What becomes of slots that nobody could start in time."""

    SKIP = "skip"
    LATEST = "latest"
    EARLIEST = "earliest"
    ALL = "all"


class Overlap(enum.StrEnum):
    """What a slot does that finds the run before it still going."""

    SKIP = "skip"
    QUEUE_ONE = "queueOne"  # the first one waits, later ones are recorded
    QUEUE_ALL = "queueAll"  # up to `overlap_max` wait
    CANCEL_OTHER = "cancelOther"  # the other is asked to end, then this one starts
    KILL_OTHER = "killOther"
    ALLOW = "allow"  # up to `overlap_max` at a time


class Outside(enum.StrEnum):
    """What a slot does outside the active hours."""

    DEFER = "defer"  # to the first moment within
    SKIP = "skip"
    RUN = "run"


class Jitter(enum.StrEnum):
    """What the delay after the nominal time depends on."""

    PER_RUN = "perRun"  # on the slot: another one each time, and the same one after a restart
    STABLE = "stable"  # on the schedule alone


class Policy:
    """How the slots of a schedule are judged and its runs are kept. Seconds, unless a name says otherwise."""

    __slots__ = (
        "active_hours",
        "blackouts",
        "check",
        "dst",
        "exclude",
        "grace",
        "group",
        "interrupted",
        "jitter",
        "jitter_kind",
        "ledger",
        "max_catchup",
        "missed",
        "output_max",
        "outside",
        "overlap",
        "overlap_max",
        "retry",
        "run_timeout",
        "safety",
        "spread",
        "step_timeout",
        "stop_grace",
        "valid_from",
        "valid_until",
        "window",
    )  # fmt: skip

    def __init__(self, **given: Any) -> None:
        self.dst = "vixie"  # vixie, literal or skip
        self.active_hours: list[list[Any]] = []  # windows as `core/hours.py` has them; none: always
        self.outside = Outside.DEFER.value
        self.blackouts: tuple[str, ...] = ()  # names of calendars
        self.exclude: tuple[str, ...] = ()  # dates like 2026-12-25, in the schedule's zone
        self.valid_from = 0  # UTC; 0: no such limit
        self.valid_until = 0
        self.jitter = 0.0  # at most so late ...
        self.jitter_kind = Jitter.STABLE.value
        self.missed = Missed.LATEST.value
        self.window = 86_400.0  # what was missed longer ago is only recorded
        self.max_catchup = 10
        self.spread = 10.0  # between two starts of what was missed
        self.grace = 0.0  # so late is still in time; 0: by the period, see `core/due.py`
        self.overlap = Overlap.SKIP.value
        self.overlap_max = 10
        self.group = ""  # so many of one group at a time, see `groups`
        self.retry: dict[str, Any] = {}  # times, delay, factor, max_delay, codes (null: any), not_codes
        self.run_timeout = 0.0  # of one attempt at all steps; 0: none
        self.step_timeout = 0.0
        self.stop_grace = 10.0  # from SIGTERM to SIGKILL
        self.check = ""  # the named check that must be green
        self.safety: dict[str, Any] = {}  # resolved: see `core/safety.py`
        self.ledger = "best"  # or "required": no run without its durable claim
        self.interrupted = "skip"  # or "rerun": what becomes of a run that a shutdown or a crash has cut off
        self.output_max = 10 << 20  # bytes of one run's output that are kept, head and tail
        for name, value in given.items():
            setattr(self, name, value)  # a name that is not a slot raises

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Policy:
        return cls(**data)


class Schedule:
    """One of them. `steps` are names of commands of its plugin, in order."""

    __slots__ = (
        "description", "enabled", "id", "plugin", "policy", "revision", "run_at_start", "source", "steps", "tenant",
        "triggers", "zone",
    )  # fmt: skip

    def __init__(
        self,
        *,
        id: str,
        plugin: str,
        steps: tuple[str, ...],
        triggers: list[dict[str, Any]],
        policy: Policy,
        zone: str = "",
        revision: str = "",
        description: str = "",
        tenant: str = "",
        source: str = "",
        enabled: bool = True,
        run_at_start: bool = True,
    ) -> None:
        self.id = id  # plugin, or plugin.name
        self.plugin = plugin
        self.steps = steps
        self.triggers = triggers  # as `core/trigger.py` takes them; a slot of any of them is a slot of the schedule
        self.policy = policy  # shared with all schedules that have an equal one
        self.zone = zone  # IANA name; "": that of the machine
        self.revision = revision  # hash of what says when: triggers, zone, dst
        self.description = description
        self.tenant = tenant
        self.source = source  # the file that it comes from, for people: etc/scheduler.json, plugins/x/manifest.json
        self.enabled = enabled
        self.run_at_start = run_at_start  # an interval that is seen for the first time is due at once


class Catalogue:
    """The section `schedules` of the scheduler's compiled settings."""

    __slots__ = ("calendars", "checks", "commands", "groups", "history", "schedules", "zone")

    def __init__(self, data: dict[str, Any] | None) -> None:
        data = data or {}
        policies = [Policy.from_dict(each) for each in data.get("policies", ())]
        self.zone: str = data.get("zone", "")
        words: dict[Any, Any] = {}
        self.commands: dict[str, dict[str, Launch]] = {  # by plugin and name of the command
            intern(plugin): {name: Launch.from_dict(launch, words) for name, launch in commands.items()}
            for plugin, commands in data.get("commands", {}).items()
        }
        self.calendars: dict[str, list[dict[str, Any]]] = data.get("calendars", {})
        self.groups: dict[str, int] = data.get("groups", {})
        self.checks: dict[str, dict[str, Any]] = data.get("checks", {})
        self.history: dict[str, Any] = data.get("history", {})
        self.schedules: dict[str, Schedule] = {}
        shared: dict[str, Any] = {}
        for row in data.get("schedules", ()):
            _share(row, shared)
            values = dict(row)
            values["policy"] = policies[values["policy"]]
            values["steps"] = shared.setdefault(f"steps {values['steps']}", tuple(values["steps"]))
            schedule = Schedule(**values)
            self.schedules[schedule.id] = schedule

    def places_in(self, group: str) -> int:
        """How many runs of it may go on at a time."""
        return self.groups.get(group, 1)


def _share(row: dict[str, Any], shared: dict[str, Any]) -> None:
    """What is equal in many rows becomes one object for all of them."""
    for name in ("plugin", "zone", "source", "tenant"):
        if name in row:
            row[name] = intern(row[name])
    if row["id"] == row["plugin"]:
        row["id"] = row["plugin"]
    if "revision" in row:  # which goes by the triggers
        row["revision"] = shared.setdefault(row["revision"], row["revision"])
    for name in ("steps", "triggers"):
        row[name] = shared.setdefault(repr(row[name]), row[name])
