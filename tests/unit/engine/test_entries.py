"""Keys and descriptors of one process."""

from __future__ import annotations

import os

import pytest

from supervisor.engine.entries import ENDS, Ends, is_job, name_of, service_of


@pytest.mark.parametrize(
    ("key", "name", "service", "job"),
    [
        ("web.3", "web", "web", False),
        ("web:1.3", "web:1", "web:1", False),
        ("web/before.7", "web/before", "web", True),
        ("web:2/alive.17", "web:2/alive", "web:2", True),
    ],
)
def test_a_key_says_whose_it_is(key: str, name: str, service: str, job: bool) -> None:
    assert (name_of(key), service_of(key), is_job(key)) == (name, service, job)


def is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def test_what_is_given_to_the_process_is_handed_over_once() -> None:
    ends = Ends(*os.pipe(), *os.pipe(), os.dup(0), address="@x")
    numbers = dict(ends.named())
    assert list(numbers) == list(ENDS)

    given = ends.give()
    ends.close_given()

    assert (given.out_write, given.err_write, given.address) == (numbers["out_write"], numbers["err_write"], "@x")
    assert (given.out_read, given.notify) == (-1, -1)
    assert list(ends.named()) == ["out_read", "err_read", "notify"]
    given.close()
    ends.close("notify")
    assert [name for name, fd in numbers.items() if is_open(fd)] == ["out_read", "err_read"]
    ends.close()
    ends.close()
    assert not [name for name, fd in numbers.items() if is_open(fd)]
