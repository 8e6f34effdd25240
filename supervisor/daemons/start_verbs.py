"""What can be asked of `start` beyond what every engine answers."""

from __future__ import annotations

import os

from supervisor import __version__
from supervisor.base.clock import iso
from supervisor.base.errors import FAILED, USAGE, Problem
from supervisor.base.rows import read_rows
from supervisor.base.where import own_program
from supervisor.core.plan import own_changes
from supervisor.core.verdict import cause_of
from supervisor.daemons import common
from supervisor.daemons.verbs import DEFAULT_SETTLE_S, EngineVerbs
from supervisor.engine import change
from supervisor.engine.entries import STEP, is_job, is_step
from supervisor.engine.stopping import NOTE, REMOVE, STOP
from supervisor.model.handed_on import FORMAT
from supervisor.model.service import Phase, Want

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from supervisor.control.connection import Reply
    from supervisor.daemons.start import Start
    from supervisor.daemons.verbs import Args
    from supervisor.engine.entries import Entry

UNSUPERVISED = "unsupervised"
JUST_STARTED = {"state": Phase.RUNNING.value, "desired": Want.UP.value}  # of which nothing else is known yet


class StartVerbs(EngineVerbs):
    """shutdown, entries, reload and upgrade; and nothing is called settled before it has begun."""

    def __init__(self, daemon: Start) -> None:
        super().__init__("start", daemon.engine, started=daemon.clock.wall(), settle=daemon.compiled["settle"])
        self.revision = daemon.compiled["revision"]
        self.settings_problems = daemon.compiled.get("errors", [])
        self._daemon = daemon
        self._loaded = daemon.clock.wall()  # this code, which is older where it was gone over to
        self._waiting: list[Callable[[], None]] | None = []
        self.engine.before_restart = self._hand_over

    def table(self) -> dict[str, Callable[[Args, Reply], None]]:
        return {
            **super().table(),
            "shutdown": self.shutdown,
            "entries": self.entries,
            "reload": self.reload,
            "upgrade": self.upgrade,
            "reload_service": self.refuse_core,
            "enable": self.refuse_core,
            "disable": self.refuse_core,
        }

    def more_health(self) -> dict[str, Any]:
        daemon = self._daemon
        folder, why = daemon.store.cgroups.standing()
        return {
            "cgroup": {"folder": folder, "why": why},
            "parent_signals": dict(daemon.core.parent_signals),
            "versions": dict(daemon.core.versions),
            "counters": {
                "records_lost": daemon.records.dropped,
                "events_lost": daemon.keeper.dropped_events,
                "output_lost_bytes": daemon.keeper.outlet.lost,
                "start_log_lost": daemon.log.lost_in_all,
            },
        }

    def begun(self) -> None:
        """Leftovers are gone and all core services are known."""
        if self._daemon.rest:
            return
        waiting, self._waiting = self._waiting, None
        for call in waiting or []:
            call()

    @property
    def has_begun(self) -> bool:
        return self._waiting is None

    def state(self) -> str:
        return "starting" if self._waiting is not None and not self.stopping else super().state()

    def settle(self, args: Args, reply: Reply) -> None:
        if self._waiting is None:
            super().settle(args, reply)
            return
        limit = args.get("timeout")
        due = self.engine.loop.clock.now() + (DEFAULT_SETTLE_S if limit is None else float(limit))
        timer = self.engine.loop.at(due, lambda: self._not_begun(reply))

        def begin() -> None:
            timer.cancel()
            left = due - self.engine.loop.clock.now()
            if left > 0 and not reply.done:
                super(StartVerbs, self).settle({**args, "timeout": left}, reply)

        self._waiting.append(begin)

    def _not_begun(self, reply: Reply) -> None:
        """The time is over before anything was started: say what is in the way."""
        row = _row("scheduler", None)
        predecessor = self._daemon.predecessor
        row.update(kind="core", state="starting", desired="up", detail=predecessor.said() if predecessor else "")
        reply.send({"settled": False, "rows": [row]})

    def start(self, args: Args, reply: Reply) -> None:
        if self.stopping:
            raise Problem("sbctl is stopping", remedy="wait until it has stopped, then sbctl start", code=FAILED)
        super().start(args, reply)

    def restart(self, args: Args, reply: Reply) -> None:
        if self.stopping:
            raise Problem("sbctl is stopping", remedy="wait until it has stopped, then sbctl start", code=FAILED)
        super().restart(args, reply)

    def refuse_core(self, args: Args, _reply: Reply) -> None:
        """What is part of sbctl goes by its settings alone."""
        name = next(iter(self._names(args)), "this")
        raise Problem(
            f"{name} is a part of sbctl, not a plugin's server",
            why="it reads its settings at sbctl reload, and whether it runs is written there",
            remedy="edit etc/sbctl.yaml, then sbctl reload",
            code=USAGE,
        )

    def _hand_over(self, name: str) -> None:
        """A scheduler that is restarted leaves its servers running; only a stop ends them.

        It is told by a signal, as it is asked to end by one: what is said over the channel waits behind all that a
        scheduler that is behind has not read.
        """
        if name == "scheduler":
            self.engine.spawner.signal(self.engine.services[name].key, common.LEAVE, main=True)

    def shutdown(self, args: Args, reply: Reply) -> None:
        timeout = args.get("timeout")
        self._daemon.ask_stop("sbctl stop", None if timeout is None else float(timeout), now=bool(args.get("now")))
        reply.send({"pid": os.getpid()})

    def entries(self, _args: Args, reply: Reply) -> None:
        """What is kept for the scheduler; its own rows say more, but while it is away these are all there is."""
        now, notes = self._daemon.clock.now(), self._daemon.keeper.notes
        rows = {name: _row(name, notes.get(name)) for name in notes if not name.startswith(("#", STEP))}
        if not self._daemon.keeper.connected:
            # After a stop nothing is kept of them, but they are as much services of this home as before.
            rows = {**{name: _row(name, None, detail="") for name in self._in_settings()}, **rows}
        for entry in self._daemon.keeper.entries():
            if is_job(entry.key) or is_step(entry.key):
                continue
            row = rows.setdefault(entry.name, _row(entry.name, None))
            note = notes.get(entry.name)
            if entry.running:
                row.update(pid=entry.pid, detail=UNSUPERVISED)
                row.update(_known(note, now) if note is not None and note["key"] == entry.key else JUST_STARTED)
            elif note is None or note["told_exit"] != entry.key:
                row.update(_ended(entry, row))
        for name, (how, _) in (notes.get(NOTE) or {}).items():
            if name in rows and how in (STOP, REMOVE):
                rows[name]["desired"] = Want.DOWN.value
        reply.send({"connected": self._daemon.keeper.connected, "rows": [rows[name] for name in sorted(rows)]})

    def _in_settings(self) -> list[str]:
        try:
            compiled = common.read_compiled(self._daemon.home, "scheduler", self.revision, read_rows)
        except Problem:
            return []
        return [service["name"] for service in compiled["services"]]

    def reload(self, args: Args, reply: Reply) -> None:
        if self.stopping:
            raise Problem("sbctl is stopping", remedy="wait until it has stopped, then sbctl start", code=FAILED)
        compiled = common.read_compiled(self._daemon.home, "start", args["revision"])
        common.make_records(compiled)
        env: dict[str, Any] | None = args.get("env")
        if env is not None:
            self._take_environment(env)
        changes = change.apply(self.engine, compiled.pop("services"))
        changes += own_changes("start", self._daemon.compiled, compiled)
        self._daemon.core.tell("tunnel", {name: compiled[name] for name in ("settle", "reconcile")})
        self._daemon.compiled = compiled
        self.revision = compiled["revision"]
        self.settings_problems = compiled.get("errors", [])
        self.set_settle(compiled["settle"])
        listed = [item.as_dict() for item in changes]
        if listed:
            what = ", ".join(f"{item['action']} {item['name']}" for item in listed)
            self._daemon.bus.tell(
                "settings.reloaded", f"settings {self.revision} in force: {what}", data={"changes": listed}
            )
        reply.send({"changes": listed})

    def ping(self, _args: Args, reply: Reply) -> None:
        """For an upgrade also what program this is, since when, and what it hands on."""
        python, main = own_program()
        reply.send(
            {
                "role": self.role,
                "pid": os.getpid(),
                "version": __version__,
                "revision": self.revision,
                "python": python,
                "main": main,
                "loaded": self._loaded,
                "state_format": FORMAT,
            }
        )

    def upgrade(self, args: Args, reply: Reply) -> None:
        self._daemon.upgrading.asked(args, reply)

    def _take_environment(self, env: dict[str, Any]) -> None:
        """The environment that counts is ours; a reload brings the caller's values."""
        base = self._daemon.store.maker.base_env
        kept = {name: base[name] for name in ("SB_HOME",) if name in base}
        base.clear()
        base.update({str(name): str(value) for name, value in env.items()})
        for name in common.MARKS:
            base.pop(name, None)
        base.update(kept)


def _ended(entry: Entry, row: dict[str, Any]) -> dict[str, Any]:
    """It has ended since the scheduler went away: never shown as if it ran, nor as if a stop would try it again."""
    cause = entry.cause
    if cause is None and entry.status is not None:
        cause = cause_of(entry.status, asked=False, words=[], exit_codes=(0,), oom=entry.oom)
    text = cause.text if cause else "ended"
    state = row["state"] if row["state"] == Phase.STOPPING.value else Phase.BACKOFF.value
    return {"state": state, "pid": None, "cause": text, "detail": f"{text}; waits for the scheduler"}


def _known(note: dict[str, Any], now: float) -> dict[str, Any]:
    """What the scheduler has last said of a process that runs on; whether it is well by now nobody has asked since."""
    started = note["state"]["started"]
    known: dict[str, Any] = {} if started is None else {"uptime_s": round(now - started, 1)}
    if note.get("ready") is False:
        known["ready"] = False
    if note.get("found"):
        known["detail"] = f"{UNSUPERVISED}; {note['found']}"
    return known


def _row(name: str, note: dict[str, Any] | None, detail: str = UNSUPERVISED) -> dict[str, Any]:
    state = note["state"] if note else {}
    cause = state.get("cause")
    exit_ = note["exit"] if note else None
    return {
        "name": name,
        "kind": "plugin",
        "state": state.get("phase", "stopped"),
        "desired": state.get("want", "down"),
        "pid": None,
        "uptime_s": None,
        "restarts": state.get("restarts", 0),
        "exit": {**exit_, "at": iso(exit_["at"])} if exit_ else None,
        "cause": cause["text"] if cause else None,
        "next_retry_at": None,
        "ready": None,
        "detail": detail,
    }
