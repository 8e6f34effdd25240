"""Writes that wait for the thread: at most 10,000; beyond, what matters least goes first and is counted."""

from __future__ import annotations

from supervisor.store.spool import Spool
from supervisor.store.writes import BLIND, CHANGE, CLAIM, END, KINDS, SKIP, STATE, STEP, Write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.store.writes import Done

CAP = 10_000
FIRST_TO_GO = (CHANGE, END, STEP)
NEXT_TO_GO = (SKIP,)


class Queue:
    """In the order in which they came. What the thread has taken counts, and comes back if it fails."""

    __slots__ = ("_counts", "_inherited", "_out", "_spool", "_states", "_waiting", "cap", "dropped", "ends_dropped")

    def __init__(self, cap: int = CAP, path: str = "") -> None:
        self.cap = cap
        self.dropped = 0
        self.ends_dropped: list[Done] = []  # who is to be told
        self._inherited = 0  # so many of the first are a predecessor's
        self._spool = Spool(path)
        self._waiting: list[Write] = []
        self._out: list[Write] = []
        self._states: dict[str, Write] = {}  # those that wait, by schedule
        self._counts: dict[str, int] = {}  # that wait, by kind

    def __len__(self) -> int:
        return len(self._waiting) + len(self._out)

    @property
    def has_waiting(self) -> bool:
        return bool(self._waiting)

    @property
    def has_claims(self) -> bool:
        return bool(self._counts.get(CLAIM))

    # what would be lost with us

    def inherit(self) -> None:
        """What a predecessor could not write comes first."""
        for write in self._spool.read():
            if write.kind in KINDS:
                self._append(write)
        self._inherited = len(self._waiting)

    @property
    def inherits_blind(self) -> bool:
        """A predecessor did not know what was: where that ended shows only before what it did is written."""
        return self._inherited > 0 and bool(self._counts.get(BLIND))

    def inherited(self) -> list[Write]:
        """If that could not be written yet, copies of it, for another thread to read."""
        found = (*self._out, *self._waiting)[: self._inherited] if self._inherited else ()
        return [Write(each.kind, each.key, each.values and dict(each.values), each.slots) for each in found]

    def keep(self) -> bool:
        """With each turn: what has come since, if there is trouble. False: that is not kept; try again later."""
        return self._spool.keep() or self.keep_all()

    def keep_all(self) -> bool:
        """There is trouble now."""
        return self._spool.begin((*self._out, *self._waiting))

    # adding and taking away

    def add_claim(self, write: Write) -> bool:
        """False: there is no room, not even by dropping something else."""
        waiting = self._waiting
        if len(waiting) + len(self._out) >= self.cap and not self._drop_oldest(FIRST_TO_GO):
            return False
        waiting.append(write)
        self._counts[CLAIM] = self._counts.get(CLAIM, 0) + 1
        self._spool.note(write)
        return True

    def add(self, write: Write) -> None:
        known = self._states.get(write.key) if write.kind == STATE and not _is_pardon(write) else None
        if known is not None and known.values is not None:
            known.values.update(write.values or {})  # of one schedule the newest values count
            self._spool.note(known)
        elif len(self) >= self.cap and not self._drop_oldest(FIRST_TO_GO) and not self._drop_oldest(NEXT_TO_GO):
            self.drop(write)
        else:
            self._append(write)
            self._spool.note(write)

    def _append(self, write: Write) -> None:
        self._waiting.append(write)
        self._counts[write.kind] = self._counts.get(write.kind, 0) + 1
        if write.kind == STATE and not _is_pardon(write):
            self._states[write.key] = write
        elif write.kind == STATE:
            self._states.pop(write.key, None)

    def withdraw(self, run_id: str) -> bool:
        """Take back a claim that waits."""
        for number, write in enumerate(self._waiting):
            if write.kind == CLAIM and write.key == run_id:
                self._remove(number)
                self._spool.withdraw(run_id)
                return True
        return False

    def _drop_oldest(self, kinds: tuple[str, ...]) -> bool:
        if not any(self._counts.get(kind) for kind in kinds):
            return False
        for number, write in enumerate(self._waiting):
            if write.kind in kinds:
                self._remove(number)
                self.drop(write)
                return True
        return False

    def _remove(self, number: int) -> None:
        write = self._waiting.pop(number)
        if len(self._out) + number < self._inherited:
            self._inherited -= 1
        self._counts[write.kind] -= 1

    def drop(self, write: Write) -> None:
        self.dropped += 1
        if write.kind == END and write.done is not None:
            self.ends_dropped.append(write.done)

    def drop_all(self) -> None:
        """Nothing of it will ever be written."""
        waiting = self._waiting
        self._forget_waiting()
        self._spool.forget()
        self._inherited = 0
        for write in waiting:
            self.drop(write)

    def take(self) -> list[Write]:
        """All that waits, for one transaction."""
        self._out = self._waiting
        self._forget_waiting()
        return self._out

    def _forget_waiting(self) -> None:
        self._waiting = []
        self._states.clear()
        self._counts.clear()

    def written(self) -> None:
        self._out = []
        self._spool.forget()
        self._inherited = 0

    def put_back(self) -> None:
        """What was taken last, before what has come since."""
        later, self._waiting = self._waiting, []
        self._states.clear()
        self._counts.clear()
        out, self._out = self._out, []
        for write in (*out, *later):
            self._append(write)
        if not self._spool.active:
            self.keep_all()


def _is_pardon(write: Write) -> bool:
    """It sets what ends count up, so it stays in its place among them: nothing is joined with it, or over it."""
    return "streak" in (write.values or ())
