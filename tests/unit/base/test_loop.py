"""The loop: order of timers, signals as events, and callbacks that fail."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterator

import pytest
from support.fakes import FakeClock, FakeLoop, raise_it

from supervisor.base.clock import SystemClock
from supervisor.base.loop import NEAR_S, READ, WRITE, Loop


@pytest.fixture
def loop() -> Iterator[FakeLoop]:
    loop = FakeLoop()
    yield loop
    loop.close()


def test_timers_run_in_order_of_time_then_of_asking(loop: FakeLoop) -> None:
    ran: list[str] = []
    loop.after(2, lambda: ran.append("late"))
    loop.after(1, lambda: ran.append("first"))
    loop.after(1, lambda: ran.append("second"))

    loop.pass_time(0.9)
    assert ran == []
    loop.pass_time(0.1)
    assert ran == ["first", "second"]
    loop.pass_time(10)
    assert ran == ["first", "second", "late"]


def test_signals_that_were_slept_through_come_in_order_of_their_numbers(loop: FakeLoop) -> None:
    heard: list[int] = []
    both = (signal.SIGTERM, signal.SIGUSR1)
    before = {number: signal.getsignal(number) for number in both}
    try:
        for number in both:
            loop.on_signal(number, lambda number=number: heard.append(number))  # type: ignore[misc]
        signal.pthread_sigmask(signal.SIG_BLOCK, both)
        for number in both:
            os.kill(os.getpid(), number)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, both)
        loop.turn(0)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

    assert heard == [signal.SIGUSR1, signal.SIGTERM]


def test_a_cancelled_timer_does_not_run_nor_wake(loop: FakeLoop) -> None:
    ran: list[str] = []
    first = loop.after(1, lambda: ran.append("first"))
    second = loop.after(1, lambda: ran.append("second"))
    second.cancel()
    loop.after(1, first.cancel)

    loop.pass_time(5)

    assert ran == ["first"]
    assert loop.next_due() is None


def test_cancelled_timers_do_not_pile_up_until_they_would_be_due(loop: FakeLoop) -> None:
    ran: list[str] = []
    kept = 0
    loop.after(7000, lambda: ran.append("late"))

    for _ in range(5000):
        loop.after(3600, lambda: ran.append("never")).cancel()
        kept = max(kept, len(loop._timers))
    loop.after(1, lambda: ran.append("soon"))
    loop.pass_time(8000)

    assert kept < 1000
    assert ran == ["soon", "late"]


def test_one_timer_can_cancel_another_that_is_due_too(loop: FakeLoop) -> None:
    ran: list[str] = []
    victims = []
    loop.after(1, lambda: victims[0].cancel())
    victims.append(loop.after(1, lambda: ran.append("victim")))

    loop.pass_time(5)

    assert ran == []


def test_a_timer_set_by_a_timer_for_now_runs_and_does_not_hang(loop: FakeLoop) -> None:
    ran: list[int] = []

    def again() -> None:
        ran.append(1)
        if len(ran) < 5:
            loop.after(0, again)

    loop.after(0, again)
    loop.pass_time(0)

    assert len(ran) == 5


def test_what_is_put_off_runs_after_what_is_ready(loop: FakeLoop) -> None:
    ran: list[str] = []

    def first() -> None:
        loop.soon(lambda: ran.append("soon of soon"))
        ran.append("soon")

    loop.soon(first)
    loop.at(loop.fake.time, lambda: ran.append("timer"))

    loop.turn(0)
    assert ran == ["timer", "soon"]
    loop.turn(0)
    assert ran == ["timer", "soon", "soon of soon"]


def test_a_callback_that_fails_is_reported_and_the_others_run() -> None:
    reported: list[BaseException] = []
    ran: list[str] = []
    loop = Loop(FakeClock(), reported.append)
    loop.soon(lambda: ran.append(str(1 // 0)))
    loop.soon(lambda: ran.append("next"))
    loop.after(0, lambda: ran.append(str(1 // 0)))
    loop.after(0, lambda: ran.append("timer"))

    loop.turn(0)
    loop.close()

    assert sorted(ran) == ["next", "timer"]
    assert [type(error) for error in reported] == [ZeroDivisionError] * 2


def test_a_descriptor_that_is_let_go_in_the_same_round_is_not_called(loop: FakeLoop) -> None:
    ran: list[int] = []
    pipes = [os.pipe(), os.pipe()]

    def ready(fd: int) -> None:
        ran.append(fd)
        for read_end, _ in pipes:
            loop.unwatch(read_end)

    for read_end, write_end in pipes:
        os.write(write_end, b"x")
        loop.watch(read_end, READ, lambda _events, fd=read_end: ready(fd))  # type: ignore[misc]
    loop.turn(0)
    loop.turn(0)
    for pipe in pipes:
        os.close(pipe[0])
        os.close(pipe[1])

    assert len(ran) == 1
    loop.unwatch(pipes[0][0])  # long closed: no error


def test_what_takes_over_a_number_in_the_same_round_is_not_called_for_the_one_before(loop: FakeLoop) -> None:
    called: list[str] = []
    pipes = [os.pipe() for _ in range(2)]
    new: list[int] = []
    for _, write_fd in pipes:
        os.write(write_fd, b"x")

    def reuse(_events: int) -> None:
        """Whichever comes first closes the other, and opens something that gets its number."""
        number = next(read_fd for read_fd, _ in pipes if read_fd != me[-1])
        loop.unwatch(number)
        os.close(number)
        read_fd, write_fd = os.pipe()
        new.extend((read_fd, write_fd))
        assert read_fd == number
        loop.watch(read_fd, READ, lambda _events: called.append("new"))

    me: list[int] = []
    for read_fd, _ in pipes:
        loop.watch(read_fd, READ, lambda events, read_fd=read_fd: (me.append(read_fd), reuse(events))[1])

    loop.turn(0)
    assert called == []
    os.write(new[1], b"x")
    loop.unwatch(me[0])
    loop.turn(0)

    assert called == ["new"]
    for fd in (me[0], *new, *(write_fd for _, write_fd in pipes)):
        loop.unwatch(fd)
        os.close(fd)


def test_watching_again_changes_events_and_call(loop: FakeLoop) -> None:
    read_end, write_end = os.pipe()
    ran: list[str] = []
    loop.watch(write_end, READ, lambda _: ran.append("read"))
    loop.turn(0)
    loop.watch(write_end, WRITE, lambda _: ran.append("write"))
    loop.turn(0)
    loop.unwatch(write_end)
    os.close(read_end)
    os.close(write_end)

    assert ran == ["write"]


@pytest.fixture
def handlers() -> Iterator[None]:
    numbers = (signal.SIGCHLD, signal.SIGTERM, signal.SIGUSR1)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("handlers")
def test_many_sigchld_are_one_look_but_each_term_counts(loop: FakeLoop) -> None:
    heard: list[str] = []
    loop.on_signal(signal.SIGCHLD, lambda: heard.append("CHLD"))
    loop.on_signal(signal.SIGTERM, lambda: heard.append("TERM"))
    for _ in range(3):
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.raise_signal(number)

    loop.turn(0)
    loop.turn(0)

    assert sorted(heard) == ["CHLD", "TERM", "TERM", "TERM"]


@pytest.mark.usefixtures("handlers")
def test_what_comes_behind_very_many_others_within_one_turn_is_heard(loop: FakeLoop) -> None:
    heard: list[str] = []
    loop.on_signal(signal.SIGCHLD, lambda: heard.append("CHLD"))
    loop.on_signal(signal.SIGTERM, lambda: heard.append("TERM"))
    for _ in range(5000):
        signal.raise_signal(signal.SIGCHLD)
    signal.raise_signal(signal.SIGTERM)

    loop.turn(0)
    loop.turn(0)

    assert "TERM" in heard


@pytest.mark.usefixtures("handlers")
def test_a_signal_that_the_caller_had_blocked_is_heard(loop: FakeLoop) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGUSR1,))
    heard: list[str] = []
    loop.on_signal(signal.SIGUSR1, lambda: heard.append("USR1"))
    signal.raise_signal(signal.SIGUSR1)

    loop.turn(0)

    assert heard == ["USR1"]


def test_run_ends_with_stop(loop: FakeLoop) -> None:
    loop.after(0, loop.stop)

    loop.run()


def test_the_last_moment_before_an_exact_timer_is_a_wait_of_its_own(loop: FakeLoop) -> None:
    """What the kernel may add to a wait (a thousandth) must have passed before the last one begins."""
    loop.at(loop.clock.now() + 600, lambda: None, exact=True)
    waits = []

    while (wait := loop._wait_time()) > 0 and len(waits) < 100:
        waits.append(wait)
        loop.fake.time += wait if wait <= NEAR_S else wait * 1.001 + 0.001  # as late as it may be

    assert waits[-1] <= NEAR_S
    assert loop.fake.time == pytest.approx(1600)
    assert len(waits) <= 5


def test_what_needs_not_be_exact_wakes_up_once(loop: FakeLoop) -> None:
    loop.at(loop.clock.now() + 600, lambda: None)

    assert loop._wait_time() == 600


@pytest.mark.parametrize("is_low", [True, False])
def test_an_exact_timer_is_waited_for_in_microseconds_where_that_can_be(
    monkeypatch: pytest.MonkeyPatch, *, is_low: bool
) -> None:
    loop = Loop(SystemClock(), raise_it)
    loop._is_low = is_low  # a high number of a descriptor is not for select
    by_select: list[float] = []
    real = select.select
    monkeypatch.setattr(select, "select", lambda *args: by_select.append(args[3]) or real(*args))
    late: list[float] = []
    due = loop.clock.now() + 0.05
    loop.at(due, lambda: (late.append(loop.clock.now() - due), loop.stop()), exact=True)

    loop.run()
    loop.close()

    assert late[0] >= 0
    assert [0 < wait <= NEAR_S for wait in by_select] == [True] * len(by_select)
    assert bool(by_select) == is_low


def test_descriptors_are_heard_while_an_exact_timer_is_near() -> None:
    loop = Loop(SystemClock(), raise_it)
    read_end, write_end = os.pipe()
    heard: list[str] = []
    loop.watch(read_end, READ, lambda _: (heard.append("bytes"), loop.unwatch(read_end)))
    loop.at(loop.clock.now() + NEAR_S / 2, lambda: (heard.append("time"), loop.stop()), exact=True)
    os.write(write_end, b"x")

    loop.run()
    loop.close()
    os.close(read_end)
    os.close(write_end)

    assert heard == ["bytes", "time"]
