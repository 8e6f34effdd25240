"""The scheduling half of a make-believe scheduler: schedules that are paused, run and told about as a test wants it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from supervisor.base.clock import iso
from supervisor.base.errors import USAGE, Problem
from supervisor.core.names import matching

Message = dict[str, Any]
NOW = 1_795_852_800.0  # Sat 28 Nov 2026 08:00:00 UTC


def schedule_row(id: str, **changes: Any) -> Message:
    """A row of `schedules` with everything in it."""
    base: Message = {
        "id": id,
        "plugin": id.partition(".")[0],
        "tenant": "",
        "description": "",
        "rule": "every 6 h",
        "zone": "UTC",
        "source": "etc/scheduler.json",
        "enabled": True,
        "paused": None,
        "status": "active",
        "next_run": iso(NOW + 3600),
        "next_due": iso(NOW + 3600),
        "next_reason": "",
        "by_ends": False,
        "total_runs": 10,
        "successful_runs": 9,
        "failed_runs": 1,
        "consecutive_failures": 0,
        "last_result": "succeeded",
        "last_run": "r_1",
        "last_run_at": iso(NOW - 3600),
        "last_duration_s": 41.0,
        "average_s": 40.0,
        "running": [],
        "queued": 0,
        "cooldown_until": None,
        "steps": ["get"],
    }
    return {**base, **changes}


def run_row(id: str, schedule: str = "mail", state: str = "succeeded", **changes: Any) -> Message:
    """A row of the table of runs."""
    base: Message = {
        "id": id,
        "schedule": schedule,
        "plugin": schedule.partition(".")[0],
        "trigger": "schedule",
        "nominal": int(NOW),
        "due": int(NOW * 1000),
        "claimed": int(NOW * 1000),
        "started": int(NOW * 1000),
        "ended": int(NOW * 1000) + 2000,
        "state": state,
        "late_ms": 0,
        "attempt": 1,
    }
    return {**base, **changes}


class FakeSchedules:
    """`asked` gets all arguments of verbs that change something."""

    def __init__(self, asked: list[Message]) -> None:
        self.asked = asked
        self.rows: dict[str, Message] = {}
        self.slots: list[Message] = []
        self.looks: list[int] = []  # how many rows each had
        self.gates: list[Message] = []
        self.lines: list[str] = []
        self.old_slots: list[Message] | None = []  # None: it leaves them to whoever reads the history
        self.held: Message | None = None
        self.ended = run_row("r_9")
        self.waits = 0  # so many looks until a run has ended
        self.on_wait: Callable[[], None] = lambda: None

    def add(self, *rows: Message) -> None:
        self.rows |= {row["id"]: row for row in rows}

    def handlers(self) -> dict[str, Any]:
        verbs = ("schedules", "next", "run", "cancel", "wait_run", "pause", "resume", "why_schedule")
        verbs += ("schedule_enable", "schedule_disable")
        return {verb: getattr(self, f"do_{verb}") for verb in verbs}

    def _ids(self, args: Message) -> list[str]:
        if not args.get("names"):
            return list(self.rows)
        ids: list[str] = []
        for word in args["names"]:
            found = matching(word, {id: row["plugin"] for id, row in self.rows.items()})
            if not found:
                raise Problem(f"no schedule {word!r}", code=USAGE)
            ids += found
        return ids

    def do_schedules(self, args: Message, reply: Any) -> None:
        rows = [self.rows[id] for id in self._ids(args)]
        self.looks.append(len(rows))
        rows = [row for row in rows if args.get("tenant") in (None, row["tenant"])]
        system = {"scheduler_running": True, "total_schedules": len(self.rows), "active_schedules": len(self.rows)}
        reply.send({"schedules": rows, "system": {**system, "running_tasks": 0, "paused": None, "queued_writes": 0}})

    def do_next(self, args: Message, reply: Any) -> None:
        ids = self._ids(args)
        reply.send({"slots": [slot for slot in self.slots if slot["schedule"] in ids], "now": iso(NOW)})

    def do_run(self, args: Message, reply: Any) -> None:
        self.asked.append(args)
        name = args.get("name") or self.ended["schedule"]
        if name not in self.rows:
            raise Problem(f"no schedule {name!r}", code=USAGE)
        if self.held and not args.get("force"):
            reply.send({"run": None, "held": self.held})
        else:
            reply.send({"run": self.ended["id"], "schedule": name, "held": None})

    def do_wait_run(self, args: Message, reply: Any) -> None:
        self.waits -= 1
        self.on_wait()
        reply.send({"run": self.ended, "ended": self.waits < 0})

    def do_cancel(self, args: Message, reply: Any) -> None:
        self.asked.append(args)
        reply.send({"run": args["run"], "state": "cancelled"})

    def do_pause(self, args: Message, reply: Any) -> None:
        self._change(args, reply, "paused", {"at": iso(NOW), "by": args.get("by"), "reason": "", "until": None})

    def do_resume(self, args: Message, reply: Any) -> None:
        self._change(args, reply, "paused", None)

    def do_schedule_enable(self, args: Message, reply: Any) -> None:
        self._change(args, reply, "enabled", True)

    def do_schedule_disable(self, args: Message, reply: Any) -> None:
        self._change(args, reply, "enabled", False)

    def _change(self, args: Message, reply: Any, key: str, value: Any) -> None:
        self.asked.append(args)
        ids = self._ids(args)
        already = [id for id in ids if bool(self.rows[id][key]) is bool(value)]
        for id in ids:
            self.rows[id] = {**self.rows[id], key: value}
        reply.send({"accepted": [id for id in ids if id not in already], "already": already})

    def do_why_schedule(self, args: Message, reply: Any) -> None:
        self.asked.append(args)
        row = self.rows[self._ids({"names": [args["name"]]})[0]]
        slots = {} if self.old_slots is None else {"slots": self.old_slots}
        reply.send({"row": row, "lines": self.lines, "gates": self.gates, **slots})
