"""What the loop hands to the writer's thread, and the bench on which the two hand it over. Loads no SQLite."""

from __future__ import annotations

import _thread
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from supervisor.base.clock import Clock
    from supervisor.store.rows import Loaded
    from supervisor.store.trouble import Trouble
    from supervisor.store.writes import Write


class Job:
    """One thing to do, and how it went. It belongs to one of the two sides at a time."""

    __slots__ = (
        "answers",
        "asked",
        "done",
        "errors",
        "kind",
        "late",
        "loaded",
        "more",
        "news",
        "policy",
        "trouble",
        "writes",
    )

    def __init__(
        self,
        kind: str,
        *,
        writes: list[Write] | None = None,
        policy: dict[str, Any] | None = None,
        done: Callable[[Loaded], None] | None = None,
        late: Callable[[Loaded], None] | None = None,
        asked: list[str] | None = None,
    ) -> None:
        self.kind = kind  # write, load, prune, stop
        self.writes = writes or []  # all in one transaction
        self.policy = policy or {}
        self.done = done
        self.late = late  # called when it can be read at last, if `done` got nothing
        self.asked = asked or []  # runs: have they ended?
        # how it went
        self.trouble: Trouble | None = None  # why it could not be done; None: it is done
        self.news: list[str] = []  # what has happened to the file meanwhile
        self.errors: list[BaseException] = []  # defects
        self.answers: list[bool | None] = []  # of each write; None: it can't be written at all
        self.loaded: Loaded | None = None
        self.more = False  # a prune that has not come to its end

    @property
    def is_late(self) -> bool:
        return self.done is None and self.late is not None


class Bench:
    """Two locks as signals, and a descriptor for the loop. Nobody ever holds a lock while it does something."""

    def __init__(self) -> None:
        self.fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.busy = False  # the loop's: a job is with the thread
        self._job: Job | None = None
        self._result: Job | None = None
        self._wake = _thread.allocate_lock()
        self._wake.acquire()

    def give(self, job: Job) -> None:
        """By the loop, while none is out."""
        self.busy = True
        self._job = job
        self._wake.release()

    def take(self) -> Job:
        """By the thread: sleeps until there is one."""
        self._wake.acquire()
        job, self._job = self._job, None
        assert job is not None
        return job

    def finished(self, job: Job) -> None:
        """By the thread."""
        self._result = job
        os.eventfd_write(self.fd, 1)

    def result(self) -> Job | None:
        """By the loop, when the descriptor is ready."""
        try:
            os.eventfd_read(self.fd)
        except BlockingIOError:
            return None
        job, self._result = self._result, None
        self.busy = False
        return job

    def close(self) -> None:
        os.close(self.fd)


def start_thread(path: str, clock: Clock) -> Bench:
    """A thread that works for the bench it returns. Raises OSError or RuntimeError: there is no room for one."""
    bench = Bench()
    try:
        _thread.start_new_thread(_work, (bench, path, clock))
    except RuntimeError:
        bench.close()
        raise
    return bench


def _work(bench: Bench, path: str, clock: Clock) -> None:
    """What the thread needs is loaded by itself: no loop waits for that."""
    from supervisor.store.worker import work

    work(bench, path, clock)
