"""One loop for every daemon: epoll, a timer heap, and signals as ordinary events.

A signal's C handler only writes its number to a pipe; the loop reads it and calls the Python
handler, which is free to log and act. Without a timer and without an event the loop sleeps for good:
an idle daemon costs nothing. epoll is used directly: `selectors` would import two milliseconds' worth
and is Linux-only here anyway (pidfds, splice).
"""

from __future__ import annotations

import errno
import heapq
import os
import select
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.base.clock import Clock

READ = select.EPOLLIN
WRITE = select.EPOLLOUT
MAX_WAIT_S = 3600.0
TIDY_FROM = 500  # timers
NEAR_S = 0.02  # before an exact timer
HIGHEST_FD = 1023  # that `select` takes


class Timer:
    """A call that is owed; `cancel()` is all that can be done to it."""

    __slots__ = ("call", "exact")

    def __init__(self, call: Callable[[], None], *, exact: bool = False) -> None:
        self.call: Callable[[], None] | None = call
        self.exact = exact

    def cancel(self) -> None:
        self.call = None


class Loop:
    """Runs callbacks until `stop()`; one that raises is reported and does not end the loop."""

    def __init__(self, clock: Clock, report: Callable[[BaseException], None]) -> None:
        self.clock = clock
        self._report = report
        self._epoll = select.epoll()
        self._is_low = self._epoll.fileno() <= HIGHEST_FD
        self._readers: dict[int, Callable[[int], None]] = {}
        self._new: set[int] = set()  # watched since the last poll: what that said was of another with this number
        self._timers: list[tuple[float, int, Timer]] = []  # tuples, which a heap compares without a line of Python
        self._tidy_at = TIDY_FROM
        self._soon: list[Callable[[], None]] = []
        self._order = 0
        self._running = False
        self._signals: dict[int, Callable[[], None]] = {}
        # A pipe: a socket pair of the usual size holds 277 single bytes, and what comes after those is never heard.
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.watch(self._wake_read, READ, self._read_signals)

    # descriptors

    def watch(self, fd: int, events: int, call: Callable[[int], None]) -> None:
        """Call `call(events)` when `fd` is ready. Watching again changes events and call."""
        if fd in self._readers:
            self._epoll.modify(fd, events)
        else:
            self._epoll.register(fd, events)
            self._new.add(fd)
        self._readers[fd] = call

    def unwatch(self, fd: int) -> None:
        """Stop watching; call it before closing `fd`. Unknown descriptors are no error."""
        if self._readers.pop(fd, None) is not None:
            try:
                self._epoll.unregister(fd)
            except OSError as error:
                if error.errno not in (errno.ENOENT, errno.EBADF):
                    raise

    # time

    def at(self, due: float, call: Callable[[], None], *, exact: bool = False) -> Timer:
        """Call once the monotonic clock reads `due`. `exact`: a millisecond later is too late (see `_wait_time`)."""
        self._order += 1
        timer = Timer(call, exact=exact)
        heapq.heappush(self._timers, (due, self._order, timer))
        if len(self._timers) >= self._tidy_at:
            self._tidy()
        return timer

    def _tidy(self) -> None:
        """Let go of cancelled ones: a limit of hours that each of many runs has would be there long after its end."""
        self._timers[:] = [each for each in self._timers if each[2].call is not None]
        heapq.heapify(self._timers)
        self._tidy_at = max(2 * len(self._timers), TIDY_FROM)

    def after(self, delay: float, call: Callable[[], None]) -> Timer:
        return self.at(self.clock.now() + delay, call)

    def soon(self, call: Callable[[], None]) -> None:
        """Call in the next turn, after what is ready now."""
        self._soon.append(call)

    # signals

    def on_signal(self, number: int, call: Callable[[], None]) -> None:
        """Handle a signal in the loop. The handler proper does nothing: the pipe has the number."""
        self._signals[number] = call
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        signal.signal(number, _noop)
        signal.siginterrupt(number, False)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (number,))  # whoever started us may have blocked it

    def read_signals(self) -> None:
        """What has arrived and waits for the next turn."""
        self._read_signals(READ)

    @property
    def owes(self) -> bool:
        """Was something put off for the end of this turn?"""
        return bool(self._soon)

    def _read_signals(self, _events: int) -> None:
        try:
            data = os.read(self._wake_read, 4096)
        except BlockingIOError:
            return
        seen: list[int] = []
        # Of those that a process has slept through the kernel calls the handler of the last one first, so their order
        # says nothing: it is that of their numbers, by which USR1 comes before TERM.
        for number in sorted(data):
            # SIGCHLD needs one look however often it came; of TERM, two mean something.
            if number == signal.SIGCHLD and number in seen:
                continue
            seen.append(number)
            call = self._signals.get(number)
            if call is not None:
                self.guard(call)

    # running

    def run(self) -> None:
        self._running = True
        while self._running:
            self.turn(self._wait_time())

    def stop(self) -> None:
        self._running = False

    def turn(self, wait: float) -> None:
        """One round: wait for at most `wait` seconds, then descriptors, due timers, and what was put off."""
        ready = self._poll(wait)
        self._new.clear()
        for fd, events in ready:
            call = self._readers.get(fd)  # an earlier call of this round may have unwatched it
            if call is not None and fd not in self._new:
                self.guard(call, events)
        self._run_timers()
        if self._soon:
            batch, self._soon = self._soon, []
            for later in batch:
                self.guard(later)

    def _poll(self, wait: float) -> list[tuple[int, int]]:
        # epoll rounds up to whole milliseconds by itself; a negative wait would be "for ever".
        if 0.0 < wait <= NEAR_S and self._timers and self._timers[0][2].exact and self._is_low:
            select.select((self._epoll,), (), (), wait)  # which counts in microseconds
            wait = 0.0
        return self._epoll.poll(max(wait, 0.0), 256)

    def _wait_time(self) -> float:
        """The kernel may end a wait later by a thousandth of it, so before an exact timer the last bit is another."""
        if self._soon:
            return 0.0
        timers = self._timers
        while timers and timers[0][2].call is None:
            heapq.heappop(timers)
        if not timers:
            return MAX_WAIT_S
        wait = timers[0][0] - self.clock.now()
        if wait > NEAR_S and timers[0][2].exact:
            wait = wait * 0.99 - NEAR_S / 2
        return min(wait, MAX_WAIT_S)

    def _run_timers(self) -> None:
        timers = self._timers
        if not timers:
            return
        now = self.clock.now()
        while timers and timers[0][0] <= now:
            timer = heapq.heappop(timers)[2]
            call, timer.call = timer.call, None
            if call is not None:
                self.guard(call)

    def guard(self, call: Callable[..., None], *args: object) -> None:
        """Make a call whose failure must not cost the others theirs."""
        try:
            call(*args)
        except Exception as error:  # a defect in one part must not take the supervisor down
            self._report(error)

    def close(self) -> None:
        signal.set_wakeup_fd(-1)
        os.close(self._wake_read)
        os.close(self._wake_write)
        self._epoll.close()


def _noop(_number: int, _frame: object) -> None:
    return
