"""What can be asked about schedules and runs. The past is in the history, which everybody reads for himself."""

from __future__ import annotations

from supervisor.base.clock import iso
from supervisor.base.errors import FAILED, USAGE, Problem
from supervisor.control.api import nearest
from supervisor.core.names import is_pattern, matching
from supervisor.core.pipeline import Progress, steps_of
from supervisor.daemons.in_slices import in_slices
from supervisor.daemons.wish_verbs import WishVerbs
from supervisor.model.run import RunState, Trigger
from supervisor.model.schedule import DEFAULT_STEPS
from supervisor.runs import columns, view
from supervisor.runs.handed_over import check as check_handed_over
from supervisor.runs.run import Run
from supervisor.runs.slot import Slot
from supervisor.runs.upcoming import Upcoming
from supervisor.store.rows import RunRow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from supervisor.base.loop import Timer
    from supervisor.control.api import Handler
    from supervisor.control.connection import Reply
    from supervisor.core.gates import Held
    from supervisor.runs.desk import Desk
    from supervisor.runs.plan import Plan

    Args = dict[str, Any]

MOST_ROWS = 2_000  # of one answer, which is made in one go and must fit a frame
LOOK_S = 0.05  # between two looks whether a check has its answer


class ScheduleVerbs:
    """Of one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._asked: list[Callable[[], None]] = []  # before the desk was open

    def table(self) -> dict[str, Callable[[Args, Reply], None]]:
        return {verb: self._once_open(handler) for verb, handler in self._handlers().items()}

    def _once_open(self, handler: Handler) -> Handler:
        """What is asked of a scheduler that still reads its history is answered when it has."""

        def handle(args: Args, reply: Reply) -> None:
            if self._desk.is_open:
                handler(args, reply)
            else:
                self._asked.append(lambda: self._answered(handler, args, reply))

        return handle

    @staticmethod
    def _answered(handler: Handler, args: Args, reply: Reply) -> None:
        """Later than it was asked, so a Problem has to be sent here."""
        try:
            handler(args, reply)
        except Problem as problem:
            reply.fail(problem)

    def opened(self) -> None:
        asked, self._asked = self._asked, []
        for call in asked:
            self._desk.loop.guard(call)

    def _handlers(self) -> dict[str, Handler]:
        return {
            "schedules": self.schedules,
            "next": self.next,
            "run": self.run,
            "cancel": self.cancel,
            "wait_run": self.wait_run,
            "why_schedule": self.why,
            **WishVerbs(self._desk, self.names).handlers(),
        }

    # looking

    def _plans(self, args: Args) -> list[Plan]:
        plans = self._desk.plans
        tenant = args.get("tenant")
        found = [plans[name] for name in self.names(args["names"])] if args.get("names") else list(plans.values())
        return [plan for plan in found if plan.schedule.tenant == tenant] if tenant else found

    def names(self, words: list[str]) -> list[str]:
        """Schedules by id, by plugin (all of its schedules), or by a pattern; all known, or nothing is done."""
        plans = self._desk.plans
        owners: dict[str, str] = {}
        found: list[str] = []
        for word in words:
            if word not in plans and not owners:
                owners = {name: plan.schedule.plugin for name, plan in plans.items()}
            some = [word] if word in plans else matching(word, owners)
            if not some:
                raise no_schedule(word, plans, pattern=is_pattern(word))
            found += some
        return list(dict.fromkeys(found))

    def schedules(self, args: Args, reply: Reply) -> None:
        """Up to MOST_ROWS of them, from the one with the number `first` on; `more`: the number of the next one.

        The whole is told with the first part alone: to count it is a look at each of them.
        """
        desk, plans, first = self._desk, self._plans(args), int(args.get("first") or 0)
        part = plans[first : first + MOST_ROWS]
        more = first + len(part)
        rows: list[dict[str, Any]] = []
        facts = {"schedules": rows, "more": more if more < len(plans) else None}
        whole, counts = ([] if first else list(desk.plans.values())), view.Counts(desk)

        def count() -> None:
            in_slices(desk, reply, whole, counts.add, send)

        def send() -> None:
            reply.send({**facts, "system": None if first else view.system(desk, counts)})

        in_slices(desk, reply, part, lambda plan: rows.append(view.row(desk, plan)), count)

    def next(self, args: Args, reply: Reply) -> None:
        now, found = iso(self._desk.loop.clock.wall()), Upcoming(self._desk, int(args["count"]))
        in_slices(
            self._desk, reply, self._plans(args), found.add,
            lambda: reply.send({"slots": found.slots(), "more_held": found.more_held(), "now": now}),
        )  # fmt: skip

    def why(self, args: Args, reply: Reply) -> None:
        names = self.names([args["name"]])
        if len(names) > 1:
            raise Problem(f"{args['name']!r} are several schedules", remedy=f"one of {', '.join(names)}", code=USAGE)
        reply.send(view.why(self._desk, self._desk.plans[names[0]]))

    # runs

    def run(self, args: Args, reply: Reply) -> None:
        """A schedule, all of it or some commands; or commands of a plugin. Through the gates, unless forced."""
        desk = self._desk
        if desk.stopping:
            raise Problem("the scheduler is stopping", remedy="sbctl status", code=FAILED)
        check_handed_over(
            args.get("args") or [],
            args.get("env") or {},
            commands=args.get("commands") or [],
            retry=args.get("retry") or "",
        )
        name = args["name"]
        plan, plugin, steps = self._meant(name, list(args.get("commands") or []))
        if plan is not None and not args.get("force") and self._has_to_wait(plan):
            desk.loop.after(LOOK_S, lambda: self._answered(self.run, args, reply))
            return
        run = self._new_run(plan, plugin, steps, args)
        if plan is None:
            held = desk.admission.held_alone(plugin)
        else:
            held = desk.admission.held_by_hand(Slot(plan, None, run.due, Trigger(run.trigger)))
        if held and not args.get("force"):
            self._answer_held(plugin if plan is None else plan.id, held[0], reply)
            return
        run.forced = [each.gate for each in held]
        self._begin(run, plan, reply)

    def _has_to_wait(self, plan: Plan) -> bool:
        """For the answer of its check, which has a time limit of its own."""
        check = plan.schedule.policy.check
        return bool(check) and self._desk.reach.verdict(check)[0] is None

    def _meant(self, name: str, commands: list[str]) -> tuple[Plan | None, str, list[str]]:
        desk = self._desk
        plan = desk.plans.get(name)
        plugin = plan.schedule.plugin if plan is not None else name
        has = desk.catalogue.commands.get(plugin)
        if has is None:
            raise self._nothing_to_run(name)
        for command in commands:
            if command not in has:
                meant = nearest(command, has)
                remedy = f"did you mean {meant!r}?" if meant else f"it has: {', '.join(has)}"
                raise Problem(f"{plugin} has no command {command!r}", remedy=remedy, code=USAGE)
        if commands:
            return plan, plugin, commands
        wanted = plan.schedule.steps if plan is not None else tuple(step for step in DEFAULT_STEPS if step in has)
        steps = steps_of(wanted, tuple(has))
        if not steps:
            raise Problem(
                f"{plugin} has none of get, process and push", remedy=f"say which: {', '.join(has)}", code=USAGE
            )
        return plan, plugin, steps

    def _nothing_to_run(self, name: str) -> Problem:
        desk = self._desk
        several = [plan.id for plan in desk.plans.values() if plan.schedule.plugin == name]
        if several:
            return Problem(f"{name} has several schedules", remedy=f"one of {', '.join(several)}", code=USAGE)
        return no_schedule(name, {**desk.plans, **desk.catalogue.commands})

    def _new_run(self, plan: Plan | None, plugin: str, steps: list[str], args: Args) -> Run:
        desk = self._desk
        wall = desk.loop.clock.wall()
        trigger = Trigger.RETRY if args.get("retry") else Trigger.MANUAL
        run = Run(desk.ids.draw(wall), plan.id if plan is not None else "", plugin, steps, trigger=trigger, due=wall)
        run.claimed = wall
        run.tenant = plan.schedule.tenant if plan is not None else ""
        run.by, run.retry_of = args.get("by") or "", args.get("retry") or ""
        run.args, run.env = list(args.get("args") or []), dict(args.get("env") or {})
        run.progress = Progress(steps, plan.accepted if plan is not None else None)
        return run

    def _begin(self, run: Run, plan: Plan | None, reply: Reply) -> None:
        """A person waits for it, so it begins at once; its row is written beside it."""
        desk = self._desk
        row = RunRow(run.id, run.schedule or None, **columns.of_claim(run), state=RunState.CLAIMED.value)
        desk.writer.claim([], row, lambda _ok: None)
        desk.claims.begin(run, plan)
        reply.send({"run": run.id, "schedule": run.schedule or None, "log": run.log, "held": None})

    def _answer_held(self, name: str, held: Held, reply: Reply) -> None:
        until = iso(held.until) if held.until else None
        answer = {"gate": held.gate, "reason": held.reason, "until": until}
        reply.send({"run": None, "schedule": name, "held": answer})

    def cancel(self, args: Args, reply: Reply) -> None:
        run_id, runner = args["run"], self._desk.runner
        runner.hear()
        if not args.get("now") and run_id in runner.runs and runner.runs[run_id].progress.rolling_back:
            raise Problem(
                f"{run_id} is rolling back, and goes on with that",
                why="half a rollback is worse than all of it",
                remedy=f"sbctl cancel {run_id} --now",
                code=FAILED,
            )
        state = self._desk.end_run(run_id, args.get("by") or "", now=bool(args.get("now")))
        if state is None:
            live = [run.id for run in self._desk.runner.runs.values()]
            raise Problem(
                f"no run {run_id[:40]!r} is going on",
                why=f"going on: {', '.join(sorted(live)[:8])}" if live else "nothing is running",
                remedy="sbctl runs",
                code=FAILED,
            )
        reply.send({"run": run_id, "state": state.value})

    def wait_run(self, args: Args, reply: Reply) -> None:
        desk, run_id = self._desk, args["run"]
        run = self._live(run_id)
        if run is None:
            reply.send({"run": None, "ended": True})  # its row is in the history
            return
        timer: Timer | None = None

        def ended(run: Run) -> None:
            if timer is not None:
                timer.cancel()
            reply.send({"run": view.run_row(run), "ended": True})

        take_back = desk.outcomes.when_ended(run_id, ended)

        def too_late() -> None:
            take_back()
            reply.send({"run": view.run_row(run), "ended": False})

        if args.get("timeout") is not None:
            timer = desk.loop.after(float(args["timeout"]), too_late)
        reply.on_closed(take_back)

    def _live(self, run_id: str) -> Run | None:
        run = self._desk.runner.runs.get(run_id)
        if run is not None:
            return run
        return next((run for plan in self._desk.plans.values() for run in plan.queued if run.id == run_id), None)


def no_schedule(name: str, known: Any, *, pattern: bool = False) -> Problem:
    names = sorted(known)
    if pattern and names:
        return Problem(f"no schedule fits {name!r}", remedy="sbctl schedule list", code=USAGE)
    meant = nearest(name, names)
    some = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    return Problem(
        f"no schedule {name[:80]!r}",
        why=f"known are: {some}" if names else "there are no schedules yet",
        remedy=f"did you mean {meant!r}?" if meant else "sbctl schedule list",
        code=USAGE,
    )
