"""What people wish of schedules: that they rest, go on, run by themselves or not. Kept in logs/state.json."""

from __future__ import annotations

from supervisor.base.clock import iso
from supervisor.base.errors import FAILED, Problem
from supervisor.model.wishes import is_over
from supervisor.runs.pauses import OVER, Pause
from supervisor.runs.plan import NOTHING_WRONG
from supervisor.runs.resuming import end_own, go_on, resume

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from supervisor.control.api import Handler
    from supervisor.control.connection import Reply
    from supervisor.model.wishes import Wishes
    from supervisor.runs.desk import Desk
    from supervisor.runs.plan import Plan

    Args = dict[str, Any]


class WishVerbs:
    """Of one desk; `names` says which schedules words mean."""

    def __init__(self, desk: Desk, names: Callable[[list[str]], list[str]]) -> None:
        self._desk = desk
        self._names = names

    def handlers(self) -> dict[str, Handler]:
        return {
            "pause": self.pause,
            "resume": self.resume,
            "schedule_enable": lambda args, reply: self._enable(args, reply, enabled=True),
            "schedule_disable": lambda args, reply: self._enable(args, reply, enabled=False),
        }

    def pause(self, args: Args, reply: Reply) -> None:
        desk, by, reason = self._desk, args.get("by") or "", args.get("reason") or ""
        until = args.get("until")
        if not args["names"]:
            try:
                new = desk.pauses.pause_all(by, reason, iso(until) if until else "", args.get("on_resume") or "")
            except OSError as error:
                raise cannot_write(desk.home.pause_file, error) from None
            reply.send({"accepted": ["*"] if new else [], "already": [] if new else ["*"]})
            return
        names, now = self._names(args["names"]), desk.loop.clock.wall()
        self._end_those_over(names)
        new_pause = {"by": by, "reason": reason, "until": until, "on_resume": args.get("on_resume") or "next"}

        def pause_of(name: str) -> dict[str, Any]:
            """What it has held until now is still held."""
            was = desk.wishes.paused(name)
            return {"at": now if was is None else was["at"], **new_pause}

        def change(wishes: Wishes) -> list[str]:
            says_more = bool(reason or until or args.get("on_resume"))  # than that it is to be paused
            fresh = [name for name in names if says_more or desk.wishes.paused(name) is None]
            return [name for name in fresh if wishes.pause(name, pause_of(name))]

        changed = desk.change_wishes(change)
        for name in changed:
            desk.telling.paused(Pause(now, by, reason, until), name)
        reply.send(_told(names, changed))

    def resume(self, args: Args, reply: Reply) -> None:
        desk, by, what = self._desk, args.get("by") or "", args.get("what")
        if not args["names"]:
            try:
                was = desk.pauses.resume_all(what or "")
            except OSError as error:
                raise cannot_write(desk.home.pause_file, error) from None
            reply.send({"accepted": ["*"] if was else [], "already": [] if was else ["*"]})
            return
        names = self._names(args["names"])
        self._end_those_over(names)
        self._forgive(names)
        ended = end_own(desk, names, what or "")
        cooled = [name for name in names if desk.outcomes.end_cooldown(desk.plans[name])]
        go_on(desk, ended, by)
        reply.send(_told(names, [*ended, *(name for name in cooled if name not in ended)]))

    def _forgive(self, names: list[str]) -> None:
        """Kept before anybody is told: the history comes later."""
        desk, now = self._desk, self._desk.loop.clock.wall()
        wrong = [name for name in names if desk.plans[name].breaker != NOTHING_WRONG]
        if failing := wrong if desk.unread is None else names:  # whose failures nobody knows
            desk.change_wishes(lambda wishes: [name for name in failing if wishes.forgive(name, now)])

    def _end_those_over(self, names: list[str]) -> None:
        """By themselves, as they would with the next timer: so that what is asked now is asked of how things are."""
        now = self._desk.loop.clock.wall()
        pauses = self._desk.wishes.pauses()
        resume(self._desk, [name for name in names if name in pauses and is_over(pauses[name], now)], OVER)

    def _enable(self, args: Args, reply: Reply, *, enabled: bool) -> None:
        desk, names = self._desk, self._names(args["names"])
        plans = desk.plans
        wanted = [name for name in names if desk.is_enabled(plans[name]) is not enabled]

        def change(wishes: Wishes) -> list[str]:
            return [name for name in wanted if wishes.enable(name, _wish(plans[name], enabled=enabled))]

        changed = desk.change_wishes(change)
        for name in changed:
            desk.telling.enabled(name, args.get("by") or "", enabled=enabled)
        desk.turns.of_all()
        reply.send(_told(names, changed))


def _told(names: list[str], changed: list[str]) -> dict[str, list[str]]:
    done = set(changed)
    return {"accepted": changed, "already": [name for name in names if name not in done]}


def _wish(plan: Plan, *, enabled: bool) -> bool | None:
    """None where the settings say the same: then they have the word again."""
    return None if plan.schedule.enabled is enabled else enabled


def cannot_write(path: str, error: OSError) -> Problem:
    return Problem(f"can't write {path}", why=error.strerror or str(error), code=FAILED)
