"""Who comes before whom: which services wait for which, who goes down with whom, and in which order."""

from __future__ import annotations

from supervisor.core.record import Record
from supervisor.model.order import Condition
from supervisor.model.service import Phase, Want

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from supervisor.core.state import State
    from supervisor.model.order import Need, Order
    from supervisor.model.service import Spec

    Look = Callable[[str], "Standing | None"]

UP = (Phase.RUNNING, Phase.EXTERNAL)
ON_ITS_WAY = (Phase.WAITING, Phase.STARTING, Phase.STOPPING)


class Standing(Record):
    """As much of another service as those ordered behind it must know."""

    __slots__ = ("finished", "has_process", "phase", "reason", "want")

    def __init__(self, phase: Phase, want: Want, *, has_process: bool, finished: bool, reason: str) -> None:
        self.phase = phase
        self.want = want
        self.has_process = has_process
        self.finished = finished
        self.reason = reason  # why it is in this phase, for people

    @classmethod
    def of(cls, state: State) -> Standing:
        cause = state.cause.text if state.cause else ""
        reason = cause if state.phase in (Phase.BACKOFF, Phase.FAILED) else ""
        return cls(state.phase, state.want, has_process=state.has_process, finished=state.finished, reason=reason)

    @property
    def on_its_way(self) -> bool:
        """It will be up, or not, without anybody's doing."""
        return self.want is Want.UP and self.phase in ON_ITS_WAY

    @property
    def said(self) -> str:
        return f"{self.phase}: {self.reason}" if self.reason else self.phase.value


def fulfils(standing: Standing | None, need: Need) -> bool:
    """Whether another service is what is required of it."""
    if standing is None:
        return False
    if need.condition is Condition.FINISHED:
        return standing.finished
    if standing.finished or standing.phase in UP:
        return True
    return need.condition is Condition.STARTED and standing.phase is Phase.STARTING and standing.has_process


def blocked(order: Order, look: Look) -> str:
    """What it must wait for, with how that stands; "" when nothing of the other services is in the way."""
    waits = [_said(need.name, look, need.condition) for need in order.requires if not fulfils(look(need.name), need)]
    for name in order.after:
        standing = look(name)
        if standing is not None and standing.on_its_way:
            waits.append(_said(name, look, None))
    return ", ".join(waits)


def _said(name: str, look: Look, condition: Condition | None) -> str:
    standing = look(name)
    if standing is None:
        return f"{name} (not in the settings)"
    if condition is Condition.FINISHED and standing.phase is Phase.RUNNING:
        return f"{name} (running, not finished yet)"
    return f"{name} ({standing.said})"


def hopeless(order: Order, look: Look) -> str:
    """The name of a required service that will not come by itself; "" when all may still come."""
    for need in order.requires:
        standing = look(need.name)
        if fulfils(standing, need):
            continue
        if standing is None or standing.want is Want.DOWN or standing.phase is Phase.FAILED:
            return need.name
    return ""


def needing(orders: Mapping[str, Order]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Of each name those who can't be up without it, and those who asked to be restarted with it; directly.

    Who needs it finished doesn't need it any more.
    """
    ended: dict[str, list[str]] = {}
    restarted: dict[str, list[str]] = {}
    for other, order in orders.items():
        for need in order.requires:
            if need.condition is not Condition.FINISHED:
                ended.setdefault(need.name, []).append(other)
            if need.restart:
                restarted.setdefault(need.name, []).append(other)
    return ended, restarted


def pulled(orders: Mapping[str, Order], names: Iterable[str]) -> list[str]:
    """These and everything they require, directly or not, what comes first first."""
    edges = {one: [need.name for need in order.requires] for one, order in orders.items()}
    return _what_comes_first_first(names, edges)


def ready_to_stop(orders: Mapping[str, Order], stopping: set[str], there: set[str]) -> set[str]:
    """Those of `stopping` that nobody of them who is still there is ordered behind, directly or through one that has
    gone: who was started behind a one-shot still needs what that needed.
    """
    held: set[str] = set()
    left = [name for other in stopping & there if other in orders for name in orders[other].neighbours]
    while left:
        name = left.pop()
        if name not in held:
            held.add(name)
            if name not in there and name in orders:
                left += orders[name].neighbours
    return stopping - held


def longest_stop(specs: Iterable[Spec]) -> float:
    """How long all of them can take to stop in reverse order."""
    by_name = {spec.name: spec for spec in specs}
    edges = {name: [other for other in spec.order.neighbours if other in by_name] for name, spec in by_name.items()}
    ends: dict[str, float] = {}  # the stops of everything that it is ordered behind, and then its own
    for name in _what_comes_first_first(by_name, edges):
        policy = by_name[name].policy
        before = max((ends.get(other, 0.0) for other in edges[name]), default=0.0)
        ends[name] = before + policy.stop_time + policy.after_end
    return max(ends.values(), default=0.0)


def _what_comes_first_first(names: Iterable[str], edges: Mapping[str, list[str]]) -> list[str]:
    """The names and all they lead to; with a stack of its own, for a chain may be longer than Python's."""
    found: dict[str, None] = {}
    for name in names:
        if name in found:
            continue
        stack = [(name, iter(edges.get(name, ())))]
        on_path = {name}
        while stack:
            current, rest = stack[-1]
            following = next((one for one in rest if one not in found and one not in on_path), None)
            if following is None:
                stack.pop()
                found[current] = None
            else:
                on_path.add(following)
                stack.append((following, iter(edges.get(following, ()))))
    return list(found)


def find_circle(edges: Mapping[str, Iterable[str]]) -> list[str]:
    """The names of one circle, the first again at the end; empty when there is none."""
    done: set[str] = set()
    for start in edges:
        path: list[str] = []
        found = _walk(start, edges, path, done)
        if found:
            return found
    return []


def _walk(start: str, edges: Mapping[str, Iterable[str]], path: list[str], done: set[str]) -> list[str]:
    """Depth first."""
    if start in done:
        return []
    path.append(start)
    stack = [iter(edges.get(start, ()))]
    while stack:
        name = next(stack[-1], None)
        if name is None:
            stack.pop()
            done.add(path.pop())
        elif name in path:
            return [*path[path.index(name) :], name]
        elif name not in done:
            path.append(name)
            stack.append(iter(edges.get(name, ())))
    return []
