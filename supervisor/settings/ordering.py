"""Who is started before whom: names of plugins as the names of services, and no circle among them."""

from __future__ import annotations

import difflib
import os

from supervisor.core.order import find_circle
from supervisor.model.order import Condition, Need, Order
from supervisor.model.service import CORE_NAMES, Restart
from supervisor.settings.findings import Path, shorten
from supervisor.settings.load import Loaded
from supervisor.settings.order_keys import WaitFor
from supervisor.settings.policies import policy
from supervisor.settings.written import Written

MIB = 1 << 20
MAX_CIRCLES = 10  # that are named at once


class Ordering:
    """All servers of a home, by the names that people give them."""

    def __init__(self, loaded: Loaded, servers: dict[str, Written]) -> None:
        self._loaded = loaded
        self._servers = servers
        self._names = {name: written.services for name, written in servers.items()}
        for written in servers.values():
            self._names.update({service: [service] for service in written.services})

    def order(self, written: Written, cwd: str) -> Order:
        """Of one server; whatever is wrong with it is reported."""
        requires: dict[str, Need] = {}
        for number, keys in enumerate(written.keys.requires or ()):
            for name in self._find(written, ("requires", number), keys.name):
                if name in requires:
                    written.report(("requires", number), f"{name} is required twice", "remove one of the two")
                requires[name] = Need(name, Condition(keys.condition), restart=keys.restart)
            if keys.condition == "finished":
                self._check_ends(written, number, keys.name)
        after = [
            name
            for number, asked in enumerate(written.keys.after or ())
            for name in self._find(written, ("after", number), asked)
        ]
        order = Order(after=tuple(dict.fromkeys(after)), requires=tuple(requires.values()))
        _set_surroundings(order, written.keys.wait_for, cwd)
        return order

    def _find(self, written: Written, path: Path, asked: str) -> list[str]:
        """The services of that name; empty when it is reported instead."""
        plugin = asked.partition(":")[0]
        if plugin == written.name:
            written.report(path, "a server can't wait for itself", "remove it")
        elif asked in self._names:
            return self._names[asked]
        elif plugin in CORE_NAMES:
            # The others may not be there at all, and nobody waits for them.
            why = "it is always there first" if plugin == "scheduler" else "only servers of plugins can be waited for"
            written.report(path, f"{plugin} is a service of sbctl itself", f"remove it: {why}")
        elif plugin in self._loaded.left_out:
            return [asked]  # an error of its own; when it is mended it will be there
        elif plugin in self._servers:
            written.report(path, f"there is no {shorten(asked)}", f"{plugin} has: {', '.join(self._names[plugin][:5])}")
        elif plugin in self._loaded.plugins:
            remedy = f"add commands.server to plugins/{plugin}/manifest.json, or remove it here"
            written.report(path, f"{plugin} has no server that could be waited for", remedy)
        else:
            close = difflib.get_close_matches(asked[:64], self._names, 1, 0.6)
            remedy = f"did you mean {close[0]}?" if close else f"make plugins/{shorten(plugin)}, or remove it here"
            written.report(path, f"there is no plugin {shorten(plugin)}", remedy)
        return []

    def _check_ends(self, written: Written, number: int, asked: str) -> None:
        other = self._servers.get(asked.partition(":")[0])
        rules = self._loaded.settings.supervision
        if other and other is not written and policy(rules, *other.layers).restart is Restart.ALWAYS:
            written.report(
                ("requires", number),
                f"{other.name} is restarted whenever it ends, so it never counts as finished",
                f'set "restart": "on-failure" for {other.name}, or require it ready',
            )

    def report_circles(self) -> None:
        """Each circle at one place, whole."""
        edges = {name: self._edges(written) for name, written in self._servers.items()}
        for _ in range(MAX_CIRCLES):
            circle = find_circle(edges)
            if not circle:
                return
            first, second = circle[:2]
            path = edges[first].pop(second)
            self._servers[first].report(
                path, f"a circle, in which nobody can be first: {' → '.join(circle)}", "remove one of these steps"
            )

    def _edges(self, written: Written) -> dict[str, Path]:
        """Which plugins it names, and where."""
        found: dict[str, Path] = {}
        for number, name in enumerate(written.keys.after or ()):
            found[name.partition(":")[0]] = ("after", number)
        for number, keys in enumerate(written.keys.requires or ()):
            found[keys.name.partition(":")[0]] = ("requires", number)
        return {name: path for name, path in found.items() if name in self._servers and name != written.name}


def _set_surroundings(order: Order, keys: WaitFor | None, cwd: str) -> None:
    if keys is None:
        return
    order.files = tuple(os.path.normpath(os.path.join(cwd, name)) for name in keys.files or ())
    order.ports = tuple(dict.fromkeys(keys.ports_free or ()))
    if keys.free_disk_mb:
        order.free_bytes, order.free_path = int(keys.free_disk_mb * MIB), cwd
