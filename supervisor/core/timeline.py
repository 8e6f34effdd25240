"""All slots of a schedule: those of its triggers together, within its dates, without the days it leaves out."""

from __future__ import annotations

from supervisor.core.calendar import DAY, before_date, date_text, end_of_date, parse_date
from supervisor.core.trigger import Interval

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from supervisor.core.cron_search import Fire
    from supervisor.core.trigger import Trigger
    from supervisor.core.zone import Zone

NO_DAYS: frozenset[int] = frozenset()
# Each try leaves one day behind; a year of days left out is more than anybody means.
MOST_TRIES = 1000


class Timeline:
    """Two triggers that meet at one moment make one slot there; the first of them is named."""

    __slots__ = ("exclude", "period", "triggers", "valid_from", "valid_until", "zone")

    def __init__(
        self,
        triggers: Sequence[Trigger],
        *,
        zone: Zone,
        exclude: Iterable[str] = (),
        valid_from: int = 0,
        valid_until: int = 0,
    ) -> None:
        self.triggers = tuple(triggers)
        self.zone = zone
        self.exclude = frozenset(map(parse_date, exclude)) or NO_DAYS  # dates of the schedule's zone
        self.valid_from = valid_from  # 0: no such limit; both moments are within
        self.valid_until = valid_until
        # The shortest of theirs, in seconds; 0: none has one.
        self.period = min((trigger.period for trigger in self.triggers if trigger.period), default=0.0)

    def next(self, after: int) -> Fire | None:
        """The first slot strictly later; None: there is none."""
        if self.valid_from:
            after = max(after, self.valid_from - 1)
        for _ in range(MOST_TRIES):
            fire = self._first(after)
            if fire is None or (self.valid_until and fire.at > self.valid_until):
                return None
            if not self.is_excluded(fire.at):
                return fire
            after = end_of_date(self.zone, fire.at) - 1
        return None

    def prev(self, before: int) -> Fire | None:
        """The last slot strictly earlier."""
        if self.valid_until:
            before = min(before, self.valid_until + 1)
        for _ in range(MOST_TRIES):
            fire = self._last(before)
            if fire is None or fire.at < self.valid_from:
                return None
            if not self.is_excluded(fire.at):
                return fire
            before = before_date(self.zone, fire.at) + 1
        return None

    def _first(self, after: int) -> Fire | None:
        first = None
        for trigger in self.triggers:
            fire = trigger.next(after)
            if fire and (first is None or fire.at < first.at):
                first = fire
        return first

    def _last(self, before: int) -> Fire | None:
        last = None
        for trigger in self.triggers:
            fire = trigger.prev(before)
            if fire and (last is None or fire.at > last.at):
                last = fire
        return last

    def allowed(self, at: float) -> float | None:
        """That moment, or the first later one within the dates and on no day that is left out; None: there is none."""
        at = max(at, float(self.valid_from))
        for _ in range(MOST_TRIES):
            if self.valid_until and at > self.valid_until:
                return None
            if not self.is_excluded(int(at)):
                return at
            at = float(end_of_date(self.zone, int(at)))
        return None

    def is_excluded(self, at: int) -> bool:
        return bool(self.exclude) and (at + self.zone.offset(at)) // DAY in self.exclude

    def describe(self) -> str:
        text = "; ".join(trigger.describe() for trigger in self.triggers)
        if self.exclude:
            days = [date_text(day) for day in sorted(self.exclude)]
            text += f", not on {', '.join(days[:3])}" + (f" and {len(days) - 3} more days" if len(days) > 3 else "")
        return text

    def count(self, start: int, end: int, limit: int) -> tuple[int, bool]:
        """How many slots there are with start < at <= end, and whether that is all of them.

        Of one interval, by arithmetic; else they are gone through from the end, and no more than `limit` of them: what
        has not been looked at since last year is not a reason to be busy for a minute.
        """
        if self.valid_from:
            start = max(start, self.valid_from - 1)
        if self.valid_until:
            end = min(end, self.valid_until)
        if end <= start:
            return 0, True
        if len(self.triggers) == 1 and isinstance(self.triggers[0], Interval) and not self.exclude:
            interval = self.triggers[0]
            return interval.number_after(end) - interval.number_after(start), True
        found, before = 0, end + 1
        while found < limit:
            fire = self.prev(before)
            if fire is None or fire.at <= start:
                return found, True
            found, before = found + 1, fire.at
        fire = self.prev(before)
        return found, fire is None or fire.at <= start
