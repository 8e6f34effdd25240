"""What a starting scheduler asks of the history: it is answered in time, and again when it could be read only later.

Who begins without knowing what was needs that later all the same, as it was then: so it is read before anything is
written that came since.
"""

from __future__ import annotations

from supervisor.store.job import Job
from supervisor.store.rows import Loaded
from supervisor.store.trouble import BUSY, FULL, READ_ONLY, UNWRITABLE
from supervisor.store.writes import END

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.base.loop import Loop
    from supervisor.store.queue import Queue

LOAD_LIMIT_S = 10.0  # so long a starting scheduler waits for what was: a backup of it may have it locked
PASSES = (BUSY, FULL, READ_ONLY, UNWRITABLE)  # nor can it be written meanwhile


class Loads:
    """Of one writer."""

    __slots__ = ("_loop", "_queue", "_trouble", "_waiting")

    def __init__(self, loop: Loop, queue: Queue, trouble: Callable[[], str]) -> None:
        self._loop = loop
        self._queue = queue
        self._trouble = trouble
        self._waiting: list[Job] = []

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def go_first(self) -> bool:
        """Nothing is to be written before."""
        return bool(self._waiting) and (self._waiting[0].is_late or self._queue.inherits_blind)

    def ask(self, job: Job, *, is_hopeless: bool) -> None:
        self._waiting.append(job)
        self._loop.after(0.0 if is_hopeless else LOAD_LIMIT_S, lambda: self._time_is_up(job, is_hopeless=is_hopeless))

    def take(self) -> Job:
        job = self._waiting.pop(0)
        if not job.is_late:  # else it is asked what was, without what this scheduler has done since
            job.writes = self._queue.inherited()  # what the file does not take yet has happened all the same
        return job

    def came(self, job: Job) -> None:
        """From the thread."""
        trouble = job.trouble
        if trouble is None or job.loaded is not None:
            self._answer(job, job.loaded or Loaded.empty())
            return
        if trouble.kind != BUSY:
            comes_later = trouble.kind in PASSES and not job.errors
            self._answer(job, Loaded.empty(), comes_later=comes_later)
        if job.done is not None or job.late is not None:
            self._waiting.insert(0, job)

    def _time_is_up(self, job: Job, *, is_hopeless: bool) -> None:
        if job.done is None:
            return
        if not job.writes:
            job.writes = self._queue.inherited()  # it was not its turn yet
        ended = {write.key for write in job.writes if write.kind == END}
        loaded = Loaded.empty(self._trouble() or "its disk does not answer")
        loaded.ended = frozenset(ended.intersection(job.asked))
        self._answer(job, loaded, comes_later=not is_hopeless)
        if job.late is None and job in self._waiting:
            self._waiting.remove(job)

    def _answer(self, job: Job, loaded: Loaded, *, comes_later: bool = False) -> None:
        """`comes_later`: that is not all, if the one who asks wants to hear of it."""
        done, job.done = job.done, None
        late = job.late
        if not comes_later:
            job.late = None
        if not loaded.trouble:  # one that was read at another try lacks nothing
            loaded.trouble = (self._trouble() if job.trouble is not None else "") or "; ".join(job.news)
        loaded.comes_later = job.late is not None
        if loaded.comes_later:
            self._queue.keep_all()  # what is done without it dies with its owner, else
        if done is not None:
            self._loop.guard(done, loaded)
        elif late is not None and not comes_later:
            self._loop.guard(late, loaded)
