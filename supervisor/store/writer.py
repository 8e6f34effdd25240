"""The loop's side of the history: takes writes, hands them to a thread, says which are durable.

No call here waits, and none raises. What can't be written stays in the queue and is tried again, with a growing pause.
"""

from __future__ import annotations

import select

from supervisor.base.loop import READ
from supervisor.store.condition import Condition
from supervisor.store.job import Job, start_thread
from supervisor.store.loads import Loads
from supervisor.store.making import Maker
from supervisor.store.queue import CAP, Queue
from supervisor.store.spooling import Spooling
from supervisor.store.trouble import BUSY, DISK, NO_THREAD, NOT_OURS, Trouble
from supervisor.store.unanswered import Rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from supervisor.base.clock import Clock
    from supervisor.base.loop import Loop, Timer
    from supervisor.store.job import Bench
    from supervisor.store.rows import Loaded, RunRow, SlotRow
    from supervisor.store.writes import Write

SLOW_S = 10.0  # a disk that takes longer is trouble
PRUNE_PAUSE_S = 0.02  # between two steps, for everybody else
LOCK_PAUSE_S = 0.02  # at the end, when there is no later


class Writer(Rows):
    """One a home, in the scheduler."""

    def __init__(
        self,
        loop: Loop,
        path: str,
        *,
        on_trouble: Callable[[str], None],
        on_recovered: Callable[[str, int], None],
        report: Callable[[BaseException], None],
        clock: Clock,
    ) -> None:
        self.path = path
        self.is_durable = True  # the last try worked
        self.refused = 0  # claims that were not taken
        self._loop = loop
        self._report = report
        self._clock = clock
        super().__init__(Maker(clock, report), self._take)
        self._queue = Queue(path=path)
        self._spooling = Spooling(loop, self._queue)
        self._condition = Condition(
            path, lambda text: loop.guard(on_trouble, text), lambda text, lost: loop.guard(on_recovered, text, lost)
        )
        self._bench: Bench | None = None
        self._loads = Loads(loop, self._queue, lambda: self.trouble)
        self._policy: dict[str, Any] | None = None
        self._prune_timer: Timer | None = None
        self._retry: Timer | None = None
        self._slow: Timer | None = None
        self._is_called = False
        self._is_closed = False
        self._nowhere = False  # the file is not ours: nothing is kept for it
        self._wrote_last = False
        self._rests = False

    @property
    def queued(self) -> int:
        """Writes that are not in the file yet."""
        return len(self._queue)

    @property
    def dropped(self) -> int:
        """Writes that will never be in the file."""
        return self._queue.dropped

    @property
    def trouble(self) -> str:
        """What is the matter, as a sentence; "" when the last try worked."""
        return self._condition.text

    # life

    def open(self) -> None:
        """Start the thread. SQLite is loaded there, with the first job."""
        self._is_closed = False
        self._queue.inherit()
        if self._bench is None:
            self._start_thread()
        self._call()

    def _start_thread(self) -> bool:
        try:
            bench = start_thread(self.path, self._clock)
        except (OSError, RuntimeError) as error:  # no descriptor, no thread: later
            self._failed(Trouble(NO_THREAD, f"no thread can be started for it ({error})"))
            return False
        self._bench = bench
        self._loop.watch(bench.fd, READ, self._on_ready)
        return True

    def close(self, limit_s: float) -> bool:
        """Write what waits, for at most so long. False: something was left."""
        self._is_closed = True
        for timer in (self._retry, self._prune_timer, self._slow):
            if timer is not None:
                timer.cancel()
        self._retry = self._prune_timer = self._slow = None
        self._spooling.stop()
        if self._bench is not None and self._flush(self._bench, limit_s):
            self._loop.unwatch(self._bench.fd)
            self._bench.close()
            self._bench = None
        if self._queue:
            self._queue.keep_all()
        return not self._queue

    def _flush(self, bench: Bench, limit_s: float) -> bool:
        """False: the disk does not answer; the thread keeps its descriptor, and ends with the process."""
        end = self._clock.now() + limit_s
        poll = select.poll()
        poll.register(bench.fd, select.POLLIN)
        tries = 0
        is_last = False
        while not is_last:
            if not bench.busy:
                # Somebody's lock may go; with other trouble one more try is enough.
                is_hopeless = tries > 0 and self._condition.kind not in ("", BUSY)
                # What is to be read before anything is written is read by the next one, then.
                is_last = not self._queue.has_waiting or is_hopeless or self._clock.now() >= end or self._loads.go_first
                if tries and not is_last and self._condition.kind:
                    poll.poll(LOCK_PAUSE_S * 1000)
                    end -= LOCK_PAUSE_S / 2
                tries += 1
                bench.give(Job("stop") if is_last else Job("write", writes=self._queue.take()))
            if not poll.poll(max(end - self._clock.now(), 0.05) * 1000):
                return False
            self._on_ready(0)
        return True

    # writes

    def claim(self, slots: list[SlotRow], run: RunRow | None, done: Callable[[bool], None]) -> bool:
        """`done(True)` once the claim is on the disk, `done(False)` if a slot was taken before.

        False: refused, as too much waits, or the file is not ours. `done` is not called, nothing will be written.
        """
        return self.put_claim(self.made_claim(slots, run, done))

    def made_claim(self, slots: list[SlotRow], run: RunRow | None, done: Callable[[bool], None]) -> Write:
        """A claim that is to be put soon."""
        return self._make.claim(slots, run, done)

    def put_claim(self, write: Write) -> bool:
        """As `claim`, of one that was made before."""
        taken = not self._nowhere and self._queue.add_claim(write)
        if not taken:
            self.refused += 1
        if not self._is_called:
            self._call()
        return taken

    def withdraw(self, run_id: str) -> bool:
        """Take a claim back that waits; False: it is on its way, and `done` will say how it went."""
        return self._queue.withdraw(run_id)

    def expect(self, schedules: int) -> None:
        """The states of so many may wait beside all that else may."""
        self._queue.cap = CAP + schedules

    def rest(self, rests: bool) -> None:
        """While it rests nothing is handed over but claims, and what waits before them."""
        self._rests = rests
        if not rests and self._queue.has_waiting:
            self._call()

    def _take(self, write: Write) -> None:
        if self._nowhere:
            self._queue.drop(write)
        else:
            self._queue.add(write)
        self._call()

    # other work

    def prune(self, policy: dict[str, Any]) -> None:
        """Take out what is too old or too much (`retention.py`), while nothing else is to be written."""
        if self._policy is None and not self._nowhere:
            self._policy = dict(policy)
            self._call()

    def load(
        self,
        done: Callable[[Loaded], None],
        asked: list[str] | None = None,
        late: Callable[[Loaded], None] | None = None,
    ) -> None:
        """What a starting scheduler needs; when it can't be read in time, an empty one that says why (see Loaded)."""
        self._loads.ask(Job("load", done=done, late=late, asked=asked), is_hopeless=self._nowhere)
        self._call()

    # the turn

    def _call(self) -> None:
        """Hand over at the end of this turn, so that what belongs together is one transaction."""
        if not self._is_called:
            self._is_called = True
            self._loop.soon(self._hand_over)

    def _hand_over(self) -> None:
        self._is_called = False
        self._spooling.turn()
        dropped, self._queue.ends_dropped = self._queue.ends_dropped, []
        for done in dropped:
            self._loop.guard(done, False)
        if self._is_closed or self._retry is not None or (self._bench is not None and self._bench.busy):
            return
        if self._bench is None and not self._start_thread():
            return
        job = self._next_job()
        if job is not None:
            self._give(job)

    def _give(self, job: Job) -> None:
        if self._bench is not None:
            self._slow = self._loop.after(SLOW_S, self._is_slow)
            self._bench.give(job)

    def _next_job(self) -> Job | None:
        """Writes and loads take turns; retention when there is nothing else."""
        if self._loads and (self._wrote_last or not self._queue.has_waiting or self._loads.go_first):
            self._wrote_last = False
            return self._loads.take()
        if self._queue.has_waiting:
            if self._rests and not self._queue.has_claims:
                return None
            self._wrote_last = True
            return Job("write", writes=self._queue.take())
        if self._policy is not None and self._prune_timer is None:
            return Job("prune", policy=self._policy)
        return None

    # answers

    def _on_ready(self, _events: int) -> None:
        job = None if self._bench is None else self._bench.result()
        if job is None:
            return
        if self._slow is not None:
            self._slow.cancel()
        for error in job.errors:
            self._report(error)
        self._condition.news(job.news)
        if job.trouble is not None:
            self._failed(job.trouble)
        elif job.kind in ("write", "prune"):
            self._worked()
        elif not self.is_durable and not (job.is_late and self._queue.has_waiting):
            self._try_later()  # it can be read, which is not enough
        if job.kind == "write":
            self._wrote(job)
        elif job.kind == "load":
            self._loads.came(job)
        elif job.kind == "prune":
            self._pruned(job)
        if not self._is_closed:
            self._call()

    def _wrote(self, job: Job) -> None:
        if job.trouble is not None:
            self._queue.put_back()
            if self._nowhere:
                self._queue.drop_all()
            return
        self._queue.written()
        for write, answer in zip(job.writes, job.answers, strict=True):
            if answer is None:
                self._queue.dropped += 1
            if write.done is not None:
                self._loop.guard(write.done, bool(answer))

    def _pruned(self, job: Job) -> None:
        if job.trouble is not None and job.trouble.kind == BUSY:
            return  # it goes on with the next try
        if job.trouble is not None or not job.more:
            self._policy = None  # in trouble the rest is for the next round: there is no hurry
        elif not self._is_closed:
            self._prune_timer = self._loop.after(PRUNE_PAUSE_S, self._prune_on)

    def _prune_on(self) -> None:
        self._prune_timer = None
        self._call()

    # trouble

    def _is_slow(self) -> None:
        self.is_durable = False
        self._queue.keep_all()
        self._condition.failed(Trouble(DISK, "its disk does not answer"), self._clock.now())

    def _failed(self, trouble: Trouble) -> None:
        self.is_durable = False
        self._nowhere = trouble.kind in NOT_OURS
        if self._nowhere:
            self._queue.drop_all()  # what is for that file goes nowhere, and is counted
            self._policy = None
        self._condition.failed(trouble, self._clock.now())
        self._try_later()

    def _try_later(self) -> None:
        if not self._is_closed and self._retry is None:
            self._retry = self._loop.after(self._condition.pause(), self._try_again)

    def _try_again(self) -> None:
        """With what waits; with nothing, to see whether it would work."""
        self._retry = None
        if self._bench is None or self._queue.has_waiting or self._loads:
            self._call()
        elif not self._bench.busy:
            self._give(Job("write", writes=self._queue.take()))

    def _worked(self) -> None:
        self.is_durable = True
        self._nowhere = False
        self._condition.worked(self.dropped)
