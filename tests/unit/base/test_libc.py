"""Calls of the C library: what they answer, what they write, and their errors."""

from __future__ import annotations

import errno
import os

import pytest

from supervisor.base import libc

PR_SET_NAME, PR_GET_NAME, PR_GET_PDEATHSIG = 15, 16, 2


def test_numbers_and_bytes_are_passed_and_a_number_comes_back(tmp_path: object) -> None:
    assert libc.call("getpid") == os.getpid()
    assert libc.call("access", os.fsencode(str(tmp_path)), os.R_OK) == 0


def test_the_error_of_a_call_is_kept_for_who_asks_next(tmp_path: object) -> None:
    assert libc.call("access", os.fsencode(f"{tmp_path}/nothing"), os.R_OK) == -1
    assert libc.last_error() == errno.ENOENT


def test_what_a_call_writes_can_be_read() -> None:
    value = libc.Int(77)

    assert libc.call("prctl", PR_GET_PDEATHSIG, libc.written_to(value), 0, 0, 0) == 0
    assert value.value == 0


def test_a_size_is_as_wide_as_the_machine_has_it() -> None:
    read, write = os.pipe()
    try:
        os.write(write, b"abc")
        other = os.pipe()
        assert libc.call("tee", read, other[1], libc.Size(1 << 40), 0) == 3
        assert os.read(other[0], 10) == b"abc"
    finally:
        for fd in (read, write, *other):
            os.close(fd)


def test_a_call_that_is_not_there_is_refused() -> None:
    with pytest.raises(OSError, match="no_such_call"):
        libc.call("no_such_call")
