"""The channel between our processes: descriptors, full buffers, dead peers, packets that are joined."""

from __future__ import annotations

import _socket
import errno
import os
from collections.abc import Iterator
from typing import Any

import pytest
from support.fakes import FakeLoop
from support.processes import open_files

from supervisor.base import channel
from supervisor.base.channel import PASSES_S, Channel
from supervisor.base.clock import SystemClock
from supervisor.base.loop import Loop
from supervisor.base.wire import MAX_PACKET, BadFrame, encode


class End:
    """One end of a pair, and what it has heard."""

    def __init__(self, loop: FakeLoop, sock: _socket.socket) -> None:
        self.heard: list[dict[str, Any]] = []
        self.fds: list[int] = []
        self.ended = 0
        self.channel = Channel(sock, loop, on_message=self._hear, on_closed=self._end)

    def _hear(self, message: dict[str, Any], fds: list[int]) -> None:
        self.heard.append(message)
        self.fds += fds

    def _end(self) -> None:
        self.ended += 1


@pytest.fixture
def ends() -> Iterator[tuple[FakeLoop, End, End]]:
    loop = FakeLoop()
    one, other = channel.channel_pair()
    pair = End(loop, one), End(loop, other)
    yield loop, *pair
    for end in pair:
        end.channel.close()
        for fd in end.fds:
            os.close(fd)
    loop.close()


def test_a_message_takes_its_descriptors_along(ends: tuple[FakeLoop, End, End]) -> None:
    loop, one, other = ends
    before = open_files(os.getpid())
    read_end, write_end = os.pipe()
    one.channel.send({"what": "pipe"}, [read_end], close_fds=True)
    loop.turn(0)

    assert other.heard == [{"what": "pipe"}]
    os.write(write_end, b"through")
    os.close(write_end)
    assert os.read(other.fds[0], 10) == b"through"
    assert not os.get_inheritable(other.fds[0])
    assert open_files(os.getpid()) == before + 1, "ours is closed, theirs is open"


def test_more_than_fits_is_queued_and_arrives_in_order(ends: tuple[FakeLoop, End, End]) -> None:
    loop, one, other = ends
    for number in range(100):
        one.channel.send({"number": number, "filling": "x" * 100_000})
    for _ in range(200):
        loop.turn(0)

    assert [message["number"] for message in other.heard] == list(range(100))


def test_an_oversize_message_is_refused_and_its_descriptors_closed(ends: tuple[FakeLoop, End, End]) -> None:
    loop, one, other = ends
    read_end, write_end = os.pipe()
    before = open_files(os.getpid())

    with pytest.raises(BadFrame, match="at most"):
        one.channel.send({"filling": "x" * MAX_PACKET}, [read_end, write_end], close_fds=True)

    assert open_files(os.getpid()) == before - 2
    one.channel.send({"after": "it"})
    loop.turn(0)
    assert other.heard == [{"after": "it"}]


def test_a_dead_peer_is_heard_out_then_noticed_once(ends: tuple[FakeLoop, End, End]) -> None:
    loop, one, other = ends
    other.channel.send({"last": "words"})
    read_end, write_end = os.pipe()
    other.channel.close()

    one.channel.send({"too": "late"}, [read_end], close_fds=True)
    one.channel.send({"too": "late"}, [write_end], close_fds=True)
    for _ in range(3):
        loop.turn(0)

    assert one.heard == [{"last": "words"}]
    assert (one.ended, one.channel.closed) == (1, True)
    for fd in (read_end, write_end):
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(fd)


def test_read_to_end_takes_what_was_said_behind_a_reset(ends: tuple[FakeLoop, End, End]) -> None:
    _, one, other = ends
    one.channel.send({"never": "read"})  # an unread message at its death resets the connection
    for number in range(300):
        other.channel.send({"number": number})
    other.channel.close()

    one.channel.read_to_end()

    assert [message["number"] for message in one.heard] == list(range(300))
    assert one.channel.closed


def test_one_message_that_can_not_be_dealt_with_costs_none_of_the_others_of_its_packet() -> None:
    reported: list[BaseException] = []
    loop = Loop(SystemClock(), reported.append)
    heard: list[int] = []
    here, there = channel.channel_pair()

    def hear(message: dict[str, Any], _fds: list[int]) -> None:
        if message["number"] in (3, 9):
            raise ValueError("of another version")
        heard.append(message["number"])

    one = Channel(here, loop, on_message=hear, on_closed=lambda: None)
    there.send(b"[%b]" % b",".join(encode({"number": number}) for number in range(10)))
    one.read()
    one.close()
    there.close()
    loop.close()

    assert heard == [0, 1, 2, 4, 5, 6, 7, 8]
    assert [str(error) for error in reported] == ["of another version"] * 2


class Scarce:
    """A socket of a system that has nothing to spare."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self.tries = 0
        self.is_over = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def sendmsg(self, *args: Any) -> int:
        self.tries += 1
        if not self.is_over:
            raise OSError(errno.ENOBUFS, os.strerror(errno.ENOBUFS))
        return int(self._sock.sendmsg(*args))


def test_a_system_that_has_nothing_to_spare_is_tried_again_in_a_moment_and_once(
    ends: tuple[FakeLoop, End, End],
) -> None:
    loop, one, other = ends
    one.channel._sock = scarce = Scarce(one.channel._sock)  # type: ignore[assignment]
    told: list[int] = []
    one.channel.send({"number": 0})
    for number in range(1, 20):
        one.channel.send({"number": number})
        one.channel.when_sent(lambda number=number: told.append(number))  # type: ignore[misc]

    tries = scarce.tries
    loop.pass_time(PASSES_S * 10.5)
    assert scarce.tries == tries + 10
    assert (told, one.channel.sent) == ([], False)

    scarce.is_over = True
    loop.pass_time(PASSES_S)
    assert told == list(range(1, 20))
    assert [message["number"] for message in other.heard] == list(range(20))


def test_timers_come_after_what_was_said_before(ends: tuple[FakeLoop, End, End]) -> None:
    """A time limit is not up for what has ended, and said so, while its reader was busy."""
    loop, one, other = ends
    heard: list[int] = []
    loop.after(1.0, lambda: heard.append(len(one.heard)))
    for number in range(2 * channel.AT_ONCE + 1):
        other.channel.send({"number": number})

    loop.fake.time += 2.0
    loop.turn(0)

    assert heard == [2 * channel.AT_ONCE + 1]


def test_closing_frees_the_descriptors_of_what_was_never_sent(ends: tuple[FakeLoop, End, End]) -> None:
    _, one, _ = ends
    before = open_files(os.getpid())
    for _ in range(50):
        one.channel.send({"filling": "x" * 100_000}, list(os.pipe()), close_fds=True)

    one.channel.close()

    # What was sent is the kernel's now; what was not, nobody's.
    assert open_files(os.getpid()) == before - 1


def test_what_is_said_after_the_end_is_dropped_and_does_not_look_as_if_it_were_on_its_way(
    ends: tuple[FakeLoop, End, End],
) -> None:
    _, one, _ = ends
    one.channel.close()
    before = open_files(os.getpid())

    one.channel.send({"too": "late"}, list(os.pipe()), close_fds=True)
    one.channel.send({"too": "late"})

    assert one.channel.sent
    assert open_files(os.getpid()) == before


def spy_on_packets(end: End, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Their sizes, as they come."""
    packets: list[int] = []
    take = end.channel._take

    def noted(packet: bytes, fds: list[int]) -> None:
        packets.append(len(packet))
        take(packet, fds)

    monkeypatch.setattr(end.channel, "_take", noted)
    return packets


def test_what_goes_with_the_next_is_one_packet(
    ends: tuple[FakeLoop, End, End], monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, one, two = ends
    packets = spy_on_packets(two, monkeypatch)
    fd = os.open("/dev/null", os.O_RDONLY)
    for number in range(3):
        one.channel.send_with_next({"n": number})
    assert not one.channel.sent
    one.channel.send({"n": 3}, [fd], close_fds=True)
    loop.turn(0)

    assert [message["n"] for message in two.heard] == [0, 1, 2, 3]
    assert len(two.fds) == 1
    assert len(packets) == 1


def test_without_a_next_it_goes_in_the_same_turn(ends: tuple[FakeLoop, End, End]) -> None:
    loop, one, two = ends
    one.channel.send_with_next({"n": 0})
    one.channel.send_with_next({"n": 1})
    loop.turn(0)
    assert one.channel.sent
    loop.turn(0)

    assert [message["n"] for message in two.heard] == [0, 1]


def test_what_does_not_fit_in_one_packet_goes_in_several(ends: tuple[FakeLoop, End, End]) -> None:
    loop, one, two = ends
    text = "x" * (MAX_PACKET // 3)
    for number in range(7):
        one.channel.send_with_next({"n": number, "text": text})
    one.channel.send({"n": 7, "text": text})
    for _ in range(5):
        loop.turn(0)

    assert [message["n"] for message in two.heard] == list(range(8))


def test_what_goes_with_others_waits_for_few_of_them(
    ends: tuple[FakeLoop, End, End], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is asked for a thousand things begins with the first before the last is said, and is woken a few times."""
    loop, one, two = ends
    packets = spy_on_packets(two, monkeypatch)
    many = 3 * channel.TOGETHER + 1
    for number in range(many - 1):
        one.channel.send_with_others({"n": number})
    two.channel.read()
    assert (len(packets), one.channel.sent) == (3, True)
    one.channel.send_with_others({"n": many - 1})
    loop.turn(0)
    loop.turn(0)

    assert [message["n"] for message in two.heard] == list(range(many))
    assert len(packets) == 4


def test_where_no_other_turn_comes_the_rest_goes_now(ends: tuple[FakeLoop, End, End]) -> None:
    loop, one, two = ends
    one.channel.send_with_next({"n": 0})
    one.channel.send_rest()
    two.channel.read()

    assert [message["n"] for message in two.heard] == [0]
    assert one.channel.sent
    loop.turn(0)
    assert len(two.heard) == 1


def together(end: End) -> None:
    end.channel._answers_together = True


def test_answers_to_what_is_read_are_one_packet(
    ends: tuple[FakeLoop, End, End], monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, one, two = ends
    together(one)
    packets = spy_on_packets(two, monkeypatch)
    one.channel._on_message = lambda message, _fds: one.channel.send({"answer": message["n"]})
    for number in range(channel.TOGETHER - 1):
        two.channel.send({"n": number})
    loop.turn(0)
    loop.turn(0)

    assert one.channel.sent
    assert [message["answer"] for message in two.heard] == list(range(channel.TOGETHER - 1))
    assert len(packets) == 1


def test_what_is_no_answer_goes_at_once(ends: tuple[FakeLoop, End, End]) -> None:
    """A signal may follow it in the same turn, which must not be there first."""
    _, one, two = ends
    together(one)
    one.channel.send({"n": 0})
    two.channel.read()

    assert [message["n"] for message in two.heard] == [0]


def test_what_has_descriptors_is_the_last_of_its_packet(
    ends: tuple[FakeLoop, End, End], monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, one, two = ends
    together(one)
    packets = spy_on_packets(two, monkeypatch)
    opened: list[tuple[int, int]] = []
    two.channel._on_message = lambda message, fds: opened.append(
        (message["n"], [os.close(fd) for fd in fds].count(None))
    )

    def answer(_message: dict[str, Any], _fds: list[int]) -> None:
        for number, fds in enumerate((0, 2, 0, 0, 1, 0)):
            one.channel.send({"n": number}, [os.open("/dev/null", os.O_RDONLY) for _ in range(fds)], close_fds=True)

    one.channel._on_message = answer
    two.channel.send({})
    loop.turn(0)
    loop.turn(0)

    assert opened == [(0, 0), (1, 2), (2, 0), (3, 0), (4, 1), (5, 0)]
    assert len(packets) == 3


def test_of_very_much_as_much_as_fits_is_one_packet(ends: tuple[FakeLoop, End, End]) -> None:
    loop, one, two = ends
    together(one)
    text = "x" * (MAX_PACKET // 3)

    def answer(_message: dict[str, Any], _fds: list[int]) -> None:
        for number in range(3 * channel.TOGETHER):
            one.channel.send({"n": number, "text": text})

    one.channel._on_message = answer
    two.channel.send({})
    for _ in range(3 * channel.TOGETHER):
        loop.turn(0)

    assert [message["n"] for message in two.heard] == list(range(3 * channel.TOGETHER))
    assert one.channel.sent


def test_whoever_waits_for_what_was_said_is_told_once_it_is_on_its_way(ends: tuple[FakeLoop, End, End]) -> None:
    loop, one, other = ends
    told: list[str] = []
    one.channel.send_with_next({"number": -1})
    one.channel.when_sent(lambda: told.append("held"))
    other.channel.read()
    assert (told, other.heard) == (["held"], [{"number": -1}]), "in this very turn"
    other.heard.clear()
    for number in range(100):
        one.channel.send({"number": number, "filling": "x" * 100_000})
    one.channel.when_sent(lambda: told.append("full"))
    one.channel.send({"number": 100})
    assert told == ["held"]
    while "full" not in told:
        loop.turn(0)
    loop.turn(0)
    assert [message["number"] for message in other.heard] == list(range(101))


def test_nobody_waits_for_a_peer_that_has_gone(ends: tuple[FakeLoop, End, End]) -> None:
    loop, one, other = ends
    told: list[str] = []
    for number in range(100):
        one.channel.send({"number": number, "filling": "x" * 100_000})
    one.channel.when_sent(lambda: told.append("full"))
    other.channel.close()
    loop.run_soon()
    assert told == ["full"]
    one.channel.when_sent(lambda: told.append("closed"))
    assert told == ["full", "closed"]


def test_of_a_packet_that_says_nothing_the_descriptors_are_closed(ends: tuple[FakeLoop, End, End]) -> None:
    loop, one, other = ends
    read_end, write_end = os.pipe()
    before = open_files(os.getpid())
    one.channel._put(b"no JSON", [read_end, write_end], close_fds=True)
    one.channel.send({"after": "it"})
    with pytest.raises(BadFrame, match="not JSON"):
        loop.turn(0)
    loop.turn(0)

    assert other.heard == [{"after": "it"}]
    assert open_files(os.getpid()) == before - 2
