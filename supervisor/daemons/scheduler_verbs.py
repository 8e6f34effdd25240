"""What can be asked of the scheduler beyond what every engine answers: reload, and the stream of events."""

from __future__ import annotations

from supervisor.base.errors import FAILED, USAGE, Problem
from supervisor.core.plan import own_changes, schedule_changes
from supervisor.core.verdict import signal_name
from supervisor.daemons import common
from supervisor.daemons.verbs import EngineVerbs
from supervisor.engine import change, wishes
from supervisor.model.event import WARNING
from supervisor.model.service import RELOAD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from supervisor.control.connection import Reply
    from supervisor.daemons.scheduler import Scheduler
    from supervisor.daemons.verbs import Args
    from supervisor.engine.service import Service
    from supervisor.model.event import Event

RELOAD_LIMIT_S = 60.0
MAX_REPLAY = 1000
MAX_BACKLOG = 1 << 20


class SchedulerVerbs(EngineVerbs):
    """The plugin servers' side of the control interface."""

    def __init__(self, daemon: Scheduler) -> None:
        super().__init__("scheduler", daemon.engine, started=daemon.clock.wall(), settle=daemon.compiled["settle"])
        self.revision = daemon.compiled["revision"]
        self._daemon = daemon

    def table(self) -> dict[str, Callable[[Args, Reply], None]]:
        return {
            **super().table(),
            "reload": self.reload,
            "reload_service": self.reload_service,
            "enable": self.enable,
            "disable": self.disable,
            "events": self.events,
        }

    def summary(self) -> dict[str, Any]:
        self.ticks = self._daemon.heartbeat.ticks
        self.last_activity = self._daemon.logs.last_activity
        return {**super().summary(), "remarks": self._daemon.time.remarks()}

    def more_health(self) -> dict[str, Any]:
        daemon = self._daemon
        return {
            "tick": {
                "number": daemon.heartbeat.ticks,
                "at": daemon.heartbeat.last_tick or None,
                "every_s": daemon.compiled["tick"],
            },
            "counters": {
                "journal_lost": daemon.logs.journal.lost_in_all,
                "daily_lost": daemon.logs.daily.lost_in_all,
                "daily_left_out": daemon.logs.daily.left_out,
                "output_lost_bytes": daemon.outlet.lost,
                "syslog_lost": daemon.logs.syslog.lost_in_all,
                **daemon.time.counters(),
            },
        }

    def start(self, args: Args, reply: Reply) -> None:
        self._refuse_when_stopping()
        super().start(args, reply)

    def restart(self, args: Args, reply: Reply) -> None:
        self._refuse_when_stopping()
        super().restart(args, reply)

    def _refuse_when_stopping(self) -> None:
        if self.stopping:
            raise Problem("the scheduler is stopping", remedy="sbctl start scheduler", code=FAILED)

    def reload(self, args: Args, reply: Reply) -> None:
        self._refuse_when_stopping()
        daemon = self._daemon
        compiled = common.read_compiled(daemon.home, "scheduler", args["revision"])
        of_schedules = schedule_changes(daemon.time.section(), compiled.get("schedules"))
        common.make_records(compiled)
        daemon.time.prepare(compiled)
        changes = change.apply(self.engine, compiled.pop("services"), self.rolling)
        changes += own_changes("scheduler", daemon.compiled, compiled) + of_schedules
        daemon.take_over(compiled)
        daemon.announcing.say_how_many()
        daemon.governor.review()
        self.revision = compiled["revision"]
        listed = [item.as_dict() for item in changes]
        if listed:
            what = ", ".join(f"{item['action']} {item['name']}" for item in listed)
            daemon.bus.tell("settings.reloaded", f"settings {self.revision} in force: {what}", data={"changes": listed})
        reply.send({"changes": listed})

    def reload_service(self, args: Args, reply: Reply) -> None:
        """Each in its own way: a signal to its main process, or its command. All of them can, or nothing is done."""
        services = [self.engine.services[name] for name in self._names(args)]
        for service in services:
            if not service.state.has_process:
                raise Problem(f"{service.name} does not run", remedy=f"sbctl start {service.name}", code=FAILED)
            if not service.spec.reload_signal and RELOAD not in service.spec.commands:
                raise _no_reload(service)
        for service in services:
            self._reload(service)
        reply.send({"accepted": [service.name for service in services], "already": []})

    def _reload(self, service: Service) -> None:
        engine, name, number = self.engine, service.name, service.spec.reload_signal
        if not number:
            engine.tell("service.reload_asked", name, "its command to reload was started")
            engine.jobs.run_command(service, RELOAD, RELOAD_LIMIT_S, lambda ok, text: self._reloaded(name, ok, text))
        else:
            engine.spawner.signal(service.key, number, main=True)
            engine.tell(
                "service.reload_asked", name, f"asked to reload: {signal_name(number)} sent to pid {service.pid}"
            )

    def _reloaded(self, name: str, ok: bool, text: str) -> None:
        if name in self.engine.services and not ok:
            self.engine.tell("service.command_failed", name, f"its command to reload failed: {text}", WARNING)

    def enable(self, args: Args, reply: Reply) -> None:
        """From now on started by itself, whatever the settings say; and started."""
        self._refuse_when_stopping()
        names = self._names(args)
        changed = self._intend(names, enabled=True, args=args)
        self._answer(reply, names, changed, wishes.start(self.engine, names).along)

    def disable(self, args: Args, reply: Reply) -> None:
        """Stopped, and not started by itself any more, until somebody enables it."""
        names = self._names(args)
        changed = self._intend(names, enabled=False, args=args)
        self._answer(reply, names, changed, wishes.stop(self.engine, names).along)

    def _intend(self, names: list[str], *, enabled: bool, args: Args) -> list[str]:
        by = args.get("by")
        changed = self._daemon.intents.set(names, enabled=enabled, by=by or "", words=args.get("names"))
        self.engine.intent = self._daemon.intents.enabled()
        for name in changed:
            self.engine.services[name].intent = enabled
            what = "enabled" if enabled else "disabled"
            self.engine.tell(f"service.{what}", name, what + (f" by {by}" if by else ""))
        return changed

    def _answer(self, reply: Reply, names: list[str], changed: list[str], along: list[str]) -> None:
        already = [name for name in names if name not in changed]
        reply.send({"accepted": changed, "already": already, "with": along})

    def events(self, args: Args, reply: Reply) -> None:
        """What the journal has since `since`, then (with `follow`) each new one, without a gap between the two."""
        kinds, service = args.get("kinds"), args.get("service")

        def wanted(record: dict[str, Any]) -> bool:
            return (not kinds or record.get("kind") in kinds) and (not service or record.get("service") == service)

        since = args.get("since")
        if since is not None:
            for record in self._daemon.logs.journal.read_since(since, MAX_REPLAY):
                if wanted(record):
                    reply.stream({"event": record})
        if not args.get("follow"):
            reply.end()
            return

        def follow(event: Event) -> None:
            record = event.as_record()
            if wanted(record):
                reply.stream({"event": record})

        self._daemon.bus.add(follow)
        reply.on_closed(lambda: self._daemon.bus.remove(follow))


def _no_reload(service: Service) -> Problem:
    return Problem(
        f"{service.name} has no way to read its settings again",
        why="its manifest names none",
        remedy=f'write "reload": {{"signal": "HUP"}} into "server" of plugins/{service.spec.plugin}/manifest.json, '
        f"then sbctl reload; or sbctl restart {service.name}",
        code=USAGE,
    )
