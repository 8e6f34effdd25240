"""Framing of any bytes at all."""

from __future__ import annotations

import os
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supervisor.base.wire import BadFrame, FrameReader, decode, encode, frame

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
