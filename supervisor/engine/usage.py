"""What each service takes: processor, memory, threads, processes of its whole tree. Looked at only when asked.

The tree of a service is everything in the session that its main process leads (it is spawned as the leader of one),
and everybody who descends from a member of that.
"""

from __future__ import annotations

from supervisor.base.procstat import TICKS_PER_S, Stat, all_stats, children_of, own_share, stat_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from supervisor.engine.engine import Engine
    from supervisor.engine.service import Service

    Last = tuple[float, int, float]  # when it was looked at, ticks until then, and the percentage told

FRESH_S = 0.1  # a look this young is good enough for the next who asks
TOO_SHORT_S = 0.2  # a span of which the kernel's ticks (10 ms) would say nothing
TOO_LONG_S = 300.0  # what it took so long ago is not what it takes now


class Tree:
    """The processes of one service at one moment, added up."""

    __slots__ = ("memory", "pids", "threads", "ticks")

    def __init__(self) -> None:
        self.pids: list[int] = []
        self.memory = 0  # bytes; pages that several of them share are counted several times
        self.threads = 0
        self.ticks = 0

    def add(self, stat: Stat) -> None:
        self.ticks += stat.ticks
        if not stat.is_zombie:
            self.pids.append(stat.pid)
            self.memory += stat.memory
            self.threads += stat.threads

    def memory_over(self, limit: int) -> int:
        """Its memory when that is above `limit`, else 0. With several processes shared pages are counted once."""
        if self.memory <= limit or len(self.pids) == 1:
            return self.memory if self.memory > limit else 0
        shares = [own_share(pid) for pid in self.pids]
        if None in shares:
            return self.memory
        memory = sum(share or 0 for share in shares)
        return memory if memory > limit else 0


class Figures:
    """What a row tells of one service."""

    __slots__ = ("as_dict",)

    def __init__(self, cpu_percent: float, tree: Tree) -> None:
        self.as_dict = {
            "cpu_percent": round(cpu_percent, 1),
            "memory_bytes": tree.memory,
            "threads": tree.threads,
            "processes": len(tree.pids),
        }


NOTHING: dict[str, None] = {"cpu_percent": None, "memory_bytes": None, "threads": None, "processes": None}


class Meter:
    """Turns processor time into percent of one processor. Each who asks at times of its own has one of its own."""

    def __init__(self) -> None:
        self._last: dict[str, Last] = {}

    def percent(self, key: str, ticks: int, now: float, started: float) -> float:
        """Since the last look at this process, if that was neither just now nor long ago; else since its start."""
        at, before, told = self._last.get(key, (started, 0, -1.0))
        if told >= 0 and now - at < TOO_SHORT_S:
            return told
        if now - at > TOO_LONG_S:
            at, before = started, 0
        told = max(ticks - before, 0) / TICKS_PER_S / max(now - at, 1 / TICKS_PER_S) * 100
        self._last[key] = (now, ticks, told)
        return told

    def keep_only(self, keys: Iterable[str]) -> None:
        """Forget processes that are gone."""
        self._last = {key: self._last[key] for key in keys if key in self._last}


class Usage:
    """Looks at all running services of an engine at once.

    `nearby`: follow the children of each instead of looking at every process of the machine. That is quicker for a
    few services, and misses whoever was left by its parent.
    """

    def __init__(self, engine: Engine, *, nearby: bool = False) -> None:
        self._engine = engine
        self._find = follow if nearby else walk
        self._meter = Meter()
        self._at = -1.0
        self._figures: dict[str, Figures] = {}

    def look(self) -> dict[str, Figures]:
        """By service, of those that run."""
        now = self._engine.loop.clock.now()
        if self._at < 0 or now - self._at >= FRESH_S:
            self._figures = self._measure(now)
            self._at = now
        return self._figures

    def trees(self, services: Iterable[Service]) -> dict[str, Tree]:
        """As they are now, by service; those without a process are left out."""
        return self._find({service.pid: service.name for service in services if service.state.has_process})

    def _measure(self, now: float) -> dict[str, Figures]:
        services = self._engine.services
        figures: dict[str, Figures] = {}
        for name, tree in self.trees(services.values()).items():
            service = services[name]
            started = now if service.state.started is None else service.state.started
            figures[name] = Figures(self._meter.percent(service.key, tree.ticks, now, started), tree)
        self._meter.keep_only(services[name].key for name in figures)
        return figures


def walk(tops: dict[int, str]) -> dict[str, Tree]:
    """By name, from one look at every process of the machine."""
    found: dict[str, Tree] = {}
    if not tops:
        return found
    others: dict[int, list[bytes]] = {}
    parents: dict[int, int] = {}
    owners: dict[int, str] = {}  # by pid; "" is nobody
    for pid, parent, session, fields in all_stats():
        name = tops.get(session) or tops.get(pid)
        if name is not None:
            owners[pid] = name
            found.setdefault(name, Tree()).add(Stat(pid, fields))
        elif session:  # threads of the kernel have none
            others[pid] = fields
            parents[pid] = parent
    for pid, fields in others.items():
        name = _owner_above(pid, parents, owners)
        if name:
            found.setdefault(name, Tree()).add(Stat(pid, fields))
    return found


def _owner_above(pid: int, parents: dict[int, int], owners: dict[int, str]) -> str:
    """The service of its nearest ancestor that belongs to one. What was found is noted for all on the way."""
    line: list[int] = []
    while pid not in owners and pid not in line and pid in parents:
        line.append(pid)
        pid = parents[pid]
    name = owners.get(pid, "")
    for each in line:
        owners[each] = name
    return name


def follow(tops: dict[int, str]) -> dict[str, Tree]:
    """By name, from parent to child."""
    found: dict[str, Tree] = {}
    for top, name in tops.items():
        seen: set[int] = set()
        left = [top]
        while left:
            pid = left.pop()
            stat = stat_of(pid) if pid not in seen and (pid == top or pid not in tops) else None
            if stat is not None:
                seen.add(pid)
                found.setdefault(name, Tree()).add(stat)
                left += children_of(stat)
    return found
