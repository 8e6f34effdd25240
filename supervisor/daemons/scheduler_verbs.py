"""What can be asked of the scheduler beyond what every engine answers: reload, and the stream of events."""

from __future__ import annotations

from supervisor.base.errors import FAILED, Problem
from supervisor.daemons import common
from supervisor.daemons.verbs import EngineVerbs
from supervisor.engine import change
from supervisor.model.service import Spec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from supervisor.control.connection import Reply
    from supervisor.daemons.scheduler import Scheduler
    from supervisor.daemons.verbs import Args
    from supervisor.model.event import Event

MAX_REPLAY = 1000
MAX_BACKLOG = 1 << 20


class SchedulerVerbs(EngineVerbs):
    """The plugin servers' side of the control interface."""

    def __init__(self, daemon: Scheduler) -> None:
        super().__init__("scheduler", daemon.engine, started=daemon.clock.wall(), settle=daemon.compiled["settle"])
        self.revision = daemon.compiled["revision"]
        self._daemon = daemon

    def table(self) -> dict[str, Callable[[Args, Reply], None]]:
        return {**super().table(), "reload": self.reload, "events": self.events}

    def summary(self) -> dict[str, Any]:
        self.ticks = self._daemon.heartbeat.ticks
        self.last_activity = self._daemon.logs.last_activity
        return super().summary()

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
        changes = change.apply(self.engine, [Spec.from_dict(data) for data in compiled["services"]])
        daemon.compiled = compiled
        daemon.say_how_many()
        self.revision = compiled["revision"]
        listed = [item.as_dict() for item in changes]
        if listed:
            what = ", ".join(f"{item['action']} {item['name']}" for item in listed)
            daemon.bus.tell("settings.reloaded", f"settings {self.revision} in force: {what}", data={"changes": listed})
        reply.send({"changes": listed})

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
