"""What a figure costs with N, 2 N, 4 N: does it grow faster than what it is for?"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable

from benchmarks.report import Figure, number


class Doubling:
    """The values of one figure by N, a median a round. Of the rounds the best counts: it was disturbed least.

    Judged is the whole cost, its fixed part included. `of`: another choice, where a short round may have a lucky moment
    of the machine that is over before a long one ends.
    """

    def __init__(self, name: str, unit: str, *, of: Callable[[list[float]], float] = min) -> None:
        self.name = name
        self.unit = unit
        self._of = of
        self._values: dict[int, list[float]] = defaultdict(list)

    def add(self, count: int, *values: float) -> None:
        """Those of one round."""
        self._values[count].append(statistics.median(values))

    @property
    def costs(self) -> dict[int, float]:
        return {count: self._of(values) for count, values in sorted(self._values.items())}

    @property
    def ratios(self) -> list[float]:
        """Of each N to the half of it."""
        costs = self.costs
        return [cost / costs[count // 2] for count, cost in costs.items() if costs.get(count // 2)]

    @property
    def slope(self) -> float | None:
        """What the last N/2 cost, to what the N/4 before them cost: 2 where it is linear, whatever is fixed in it."""
        costs = list(self.costs.values())
        if len(costs) < 3 or costs[-2] <= costs[-3]:
            return None
        return (costs[-1] - costs[-2]) / (costs[-2] - costs[-3])

    def note(self) -> str:
        told = ", ".join(f"{number(cost)} {self.unit} of {count}" for count, cost in self.costs.items())
        slope = self.slope
        return told if slope is None else f"{told}; without the fixed part {number(slope)}x"


def table(title: str, key: str, series: list[Doubling], most: float) -> Figure:
    """The worst doubling of each."""
    figure = Figure(title, "x", key=key, note="the worst of: cost of 2 N to that of N, its fixed part included")
    for one in series:
        if one.ratios:
            figure.add(f"sbctl, {one.name}", [max(one.ratios)], target=most, note=one.note())
    return figure
