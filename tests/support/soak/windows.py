"""Which faults can explain what, and when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .evidence import Fault

# While one of these lasts, nobody may be there to decide what is due.
OUTAGES = (
    "kill_scheduler", "kill_start", "kill_both", "freeze_scheduler", "freeze_start", "hand_over", "stop_tree",
    "lock_history", "delay_scheduler", "upgrade", "machine_stalled", "start_tree",
)  # fmt: skip
# In these `start` dies without a word: nobody can wait for its children, and pipes may go with what is in them.
DEATHS_OF_START = ("kill_start", "kill_both")
ENDS_OF_THE_TREE = (*DEATHS_OF_START, "stop_tree")
# Who has been asked to end has been asked by one of these, or goes along with one that has.
STOPS = (*ENDS_OF_THE_TREE, "final_stop", "stop_service", "disable_service", "restart_service", "reload")
PROMPT_S = 2.0  # a machine with other work: so late is as good as at once


class Windows:
    """The faults of one soak, by what is asked of them."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = sorted(faults, key=lambda fault: fault.begin)
        self._outages = list(self.of(*OUTAGES))

    def of(self, *kinds: str, target: str | None = None) -> Iterator[Fault]:
        for fault in self.faults:
            if fault.kind in kinds and (target is None or fault.target in (target, "")):
                yield fault

    def touch(self, first: float, last: float, *kinds: str, target: str | None = None) -> bool:
        """May one of these have had an effect between those times?"""
        return any(fault.begin <= last and fault.end >= first for fault in self.of(*kinds, target=target))

    def surely(self, at: float, *kinds: str, target: str) -> Fault | None:
        """One of these that was in force at that moment beyond any doubt."""
        return next((f for f in self.of(*kinds, target=target) if f.settled < at < f.lift), None)

    def decided_by(self, nominal: float) -> float:
        """The latest moment at which a slot of that time may have been decided: at once, but for outages."""
        latest = nominal + PROMPT_S
        for outage in self._outages:  # by their begin
            if outage.begin <= latest and outage.end + PROMPT_S > latest:
                latest = outage.end + PROMPT_S
        return latest
