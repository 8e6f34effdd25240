"""What stands between a due slot and its run: the gates, in their fixed order, each a question about one snapshot.

The first that is shut decides. `skip` ends the slot with a row, `wait` looks again later, `queue` lets the run wait
for its turn, `end_other` makes room. A run by hand passes the same gates; with force it passes them all, and its row
names those that were shut.
"""

from __future__ import annotations

from supervisor.core.record import Record
from supervisor.model.run import Skip
from supervisor.model.schedule import Outside, Overlap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.model.schedule import Policy

SKIP, WAIT, QUEUE, END_OTHER = "skip", "wait", "queue", "end_other"
AGAIN_S = 10.0  # a shortage is looked at again after so long


class Standing:
    """How things are for one schedule at this moment. Times are wall clock; 0: not known, or never.

    What is as usual stands here and is not set anew for each of a thousand slots.
    """

    enabled = True
    paused = False
    pause_reason = ""
    pause_until = 0.0
    hours_open = True
    opens_at = 0.0
    blackout_name = ""
    blackout_until = 0.0
    breaker_shut = False
    breaker_until = 0.0
    check_ok: bool | None = True  # None: nobody has looked lately
    check_text = ""
    memory_mb = 0.0  # used on this machine
    cpu_percent = 0.0
    running = 0  # runs of this schedule
    queued = 0
    group_running = 0  # runs of its group, of any schedule
    group_size = 0
    by_hand = False
    takes_a_slot = True  # else its slot has had its end: it waits for its turn, and for no other's place

    def __init__(self, deadline: float = 0.0) -> None:
        self.deadline = deadline  # until when a slot may be put off

    @property
    def is_as_usual(self) -> bool:
        """Nothing but the deadline was set, so no gate has anything to hold it by."""
        return len(self.__dict__) == 1


class Held(Record):
    """A gate that is shut."""

    __slots__ = ("action", "gate", "reason", "skip", "until")

    def __init__(self, gate: str, skip: Skip, reason: str, *, until: float = 0.0, action: str = SKIP) -> None:
        self.gate = gate
        self.skip = skip  # what the slot's row says
        self.reason = reason
        self.until = until
        self.action = action


def first_held(policy: Policy, standing: Standing, now: float) -> Held | None:
    """The first gate that is shut; None: it may run."""
    if standing.is_as_usual:
        return None
    for gate in IN_ORDER:
        held = gate(policy, standing, now)
        if held is not None:
            return held
    return None


def all_held(policy: Policy, standing: Standing, now: float) -> list[Held]:
    """Every gate that is shut, for `why` and for a run that is forced."""
    found = (gate(policy, standing, now) for gate in IN_ORDER)
    return [held for held in found if held is not None]


# the gates, each a function of its own


def _enabled(_policy: Policy, standing: Standing, _now: float) -> Held | None:
    """Whether it runs by itself: a person may run it all the same."""
    return None if standing.enabled or standing.by_hand else Held("enabled", Skip.DISABLED, "it is disabled")


def _paused(_policy: Policy, standing: Standing, _now: float) -> Held | None:
    if not standing.paused:
        return None
    return Held("paused", Skip.PAUSED, standing.pause_reason, until=standing.pause_until)


def _active_hours(policy: Policy, standing: Standing, _now: float) -> Held | None:
    if standing.hours_open or policy.outside == Outside.RUN:
        return None
    put_off = policy.outside == Outside.DEFER and not standing.by_hand and standing.opens_at > 0
    return Held(
        "active hours", Skip.ACTIVE_HOURS, "outside its active hours", until=standing.opens_at,
        action=WAIT if put_off else SKIP,
    )  # fmt: skip


def _blackout(_policy: Policy, standing: Standing, _now: float) -> Held | None:
    if not standing.blackout_name:
        return None
    reason = f"in the blackout {standing.blackout_name}"
    return Held("blackout", Skip.BLACKOUT, reason, until=standing.blackout_until)


def _cooldown(_policy: Policy, standing: Standing, _now: float) -> Held | None:
    if not standing.breaker_shut:
        return None
    return Held("cooldown", Skip.COOLDOWN, "cooling down after failures in a row", until=standing.breaker_until)


def _reachable(policy: Policy, standing: Standing, _now: float) -> Held | None:
    if not policy.check or standing.check_ok:
        return None
    if standing.check_ok is None:
        return Held("reachability", Skip.UNREACHABLE, f"the check {policy.check} is being made", action=WAIT)
    return Held("reachability", Skip.UNREACHABLE, f"{policy.check} is not reachable: {standing.check_text}")


def _safety(policy: Policy, standing: Standing, now: float) -> Held | None:
    """A shortage is waited for, as long as the slot may be late."""
    memory, cpu = policy.safety.get("max_memory_mb"), policy.safety.get("max_cpu_percent")
    reason = ""
    if memory is not None and standing.memory_mb > memory:
        reason = f"{standing.memory_mb:.0f} MB of memory are in use, the limit is {memory:g}"
    elif cpu is not None and standing.cpu_percent > cpu:
        reason = f"the processors are {standing.cpu_percent:.0f}% busy, the limit is {cpu:g}%"
    if not reason:
        return None
    again = now + AGAIN_S
    if standing.by_hand or again > standing.deadline:
        return Held("safety", Skip.SAFETY, reason)
    return Held("safety", Skip.SAFETY, reason, until=again, action=WAIT)


def _overlap(policy: Policy, standing: Standing, _now: float) -> Held | None:
    if not standing.running and not standing.queued:
        return None
    kind = policy.overlap
    if kind == Overlap.ALLOW and standing.running + standing.queued < policy.overlap_max:
        return None
    may_end_other = standing.takes_a_slot and not standing.by_hand
    if kind in (Overlap.CANCEL_OTHER, Overlap.KILL_OTHER) and may_end_other:
        return Held("overlap", Skip.OVERLAP, "the run before it is being ended", action=END_OTHER)
    before = "the run before it is still going" if standing.running else "the run before it has not begun yet"
    room = {Overlap.QUEUE_ONE: 1, Overlap.QUEUE_ALL: policy.overlap_max}.get(Overlap(kind), 0)
    if standing.queued < room or not standing.takes_a_slot:
        return Held("overlap", Skip.OVERLAP, before, action=QUEUE)
    more = standing.queued if standing.running else standing.queued - 1
    waiting = f", and {more} more {'are' if more > 1 else 'is'} waiting" if more else ""
    return Held("overlap", Skip.OVERLAP, before + waiting)


def _group(policy: Policy, standing: Standing, _now: float) -> Held | None:
    if not policy.group or standing.group_running < standing.group_size:
        return None
    reason = f"{standing.group_running} of the group {policy.group} are running"
    return Held("group", Skip.GROUP, reason, action=QUEUE)


GATES: dict[str, Callable[[Policy, Standing, float], Held | None]] = {
    "enabled": _enabled,
    "paused": _paused,
    "active hours": _active_hours,
    "blackout": _blackout,
    "cooldown": _cooldown,
    "reachability": _reachable,
    "safety": _safety,
    "overlap": _overlap,
    "group": _group,
}
IN_ORDER = tuple(GATES.values())
