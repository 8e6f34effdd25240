"""Framing of any bytes at all, and the channel with descriptors, full buffers and dead peers."""

from __future__ import annotations

import _socket
import os
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.fakes import FakeLoop
from support.processes import open_files

from supervisor.base import wire
from supervisor.base.wire import MAX_PACKET, BadFrame, Channel, FrameReader, decode, encode, frame

values = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text(), max_size=3)


@settings(max_examples=40)
@given(st.lists(st.dictionaries(st.text(max_size=5), values, max_size=3), max_size=4), st.randoms())
def test_frames_arrive_whole_however_they_are_cut(messages: list[dict[str, Any]], chance: random.Random) -> None:
    reader = FrameReader()
    data = b"".join(frame(message) for message in messages)
    got: list[bytes] = []
    while data:
        cut = chance.randint(1, len(data))
        got += reader.feed(data[:cut])
        data = data[cut:]

    assert [decode(body) for body in got] == messages


@given(st.binary(max_size=200))
def test_any_bytes_give_frames_or_bad_frame_and_nothing_else(data: bytes) -> None:
    reader = FrameReader(limit=1000)
    try:
        for body in reader.feed(data):
            decode(body)
    except BadFrame:
        pass


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"1", b'{"a":', b"\xff\xfe", b"[" * 100_000, b'{"a":' * 100_000, b"null", b"9" * 5000]
)
def test_what_is_no_object_is_a_bad_frame(data: bytes) -> None:
    with pytest.raises(BadFrame):
        decode(data)


def test_a_frame_over_the_limit_is_refused_by_its_length_alone() -> None:
    with pytest.raises(BadFrame, match="at most 10"):
        FrameReader(limit=10).feed(b"\x00\x00\x00\x0b")


def test_half_a_character_is_no_reason_to_say_nothing() -> None:
    message = decode(b'{"by": "a\\ud800b"}')

    assert decode(encode(message)) == {"by": "a?b"}


def test_bytes_that_are_no_text_survive() -> None:
    odd = os.fsdecode(b"\xff\xfe name")

    assert decode(encode({"name": odd})) == {"name": odd}


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
    one, other = wire.channel_pair()
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


def test_where_no_other_turn_comes_the_rest_goes_now(ends: tuple[FakeLoop, End, End]) -> None:
    loop, one, two = ends
    one.channel.send_with_next({"n": 0})
    one.channel.send_rest()
    two.channel.read()

    assert [message["n"] for message in two.heard] == [0]
    assert one.channel.sent
    loop.turn(0)
    assert len(two.heard) == 1
