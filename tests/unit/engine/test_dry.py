"""Pipes that nothing can come out of any more are closed; all others stay until they are let go of."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from supervisor.engine.dry import AT_ONCE, Dry
from supervisor.engine.entries import Ends, Entry
from supervisor.model.service import Launch


class Ended:
    """An entry with pipes, and their other ends."""

    def __init__(self, key: str = "run/r1/1-get.1", *, err: bool = False) -> None:
        out_read, self.out_write = os.pipe()
        err_read, self.err_write = os.pipe() if err else (-1, -1)
        ends = Ends(out_read, err_read=err_read)
        launch = Launch(argv=("/bin/true",), cwd="/", log="/dev/null")
        self.entry = Entry(key, launch, None, ends, (15, 1.0))  # type: ignore[arg-type]

    def let_go(self) -> None:
        """What the process has done with its end."""
        os.close(self.out_write)
        if self.err_write >= 0:
            os.close(self.err_write)
        self.out_write = self.err_write = -1

    def close(self) -> None:
        self.entry.close()
        for fd in (self.out_write, self.err_write):
            if fd >= 0:
                os.close(fd)


@pytest.fixture
def made() -> Iterator[list[Ended]]:
    made: list[Ended] = []
    yield made
    for each in made:
        each.close()


def ended(made: list[Ended], dry: Dry, *, err: bool = False) -> Ended:
    made.append(Ended(err=err))
    dry.put(made[-1].entry)
    return made[-1]


def test_what_is_empty_and_has_no_writer_is_closed(made: list[Ended]) -> None:
    dry = Dry()
    one = ended(made, dry)
    fd = one.entry.out_read
    one.let_go()
    dry.look()

    assert one.entry.kept() == {}
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)
    dry.look()  # nothing is closed twice: its number may be another's


def test_what_waits_to_be_read_stays_until_it_is(made: list[Ended]) -> None:
    dry = Dry()
    one = ended(made, dry)
    os.write(one.out_write, b"last words")
    one.let_go()
    dry.look()
    assert list(one.entry.kept()) == ["out_read"]

    assert os.read(one.entry.out_read, 100) == b"last words"
    dry.look()
    assert one.entry.kept() == {}


def test_where_somebody_can_write_it_stays(made: list[Ended]) -> None:
    dry = Dry()
    one = ended(made, dry)
    dry.look()
    assert list(one.entry.kept()) == ["out_read"]


def test_both_go_or_none(made: list[Ended]) -> None:
    dry = Dry()
    one = ended(made, dry, err=True)
    os.write(one.err_write, b"late")
    one.let_go()
    dry.look()
    assert list(one.entry.kept()) == ["out_read", "err_read"]

    os.read(one.entry.err_read, 100)
    dry.look()
    assert one.entry.kept() == {}


def test_one_that_was_dropped_meanwhile_is_forgotten(made: list[Ended]) -> None:
    dry = Dry()
    one = ended(made, dry)
    one.entry.close()
    other = ended(made, dry)  # with the number of the first one
    dry.look()
    assert list(other.entry.kept()) == ["out_read"]
    assert len(dry) == 1


def test_a_second_pipe_that_the_scheduler_fills_keeps_the_first(made: list[Ended]) -> None:
    dry = Dry()
    one = ended(made, dry)
    one.entry.out_second, write_fd = os.pipe()
    one.let_go()
    dry.look()
    assert list(one.entry.kept()) == ["out_read", "out_second"]

    os.close(write_fd)
    dry.look()
    assert one.entry.kept() == {}


def test_those_whose_reader_is_busy_do_not_keep_others_from_being_looked_at(made: list[Ended]) -> None:
    dry = Dry()
    for _ in range(AT_ONCE + 1):
        ended(made, dry)
    made[-1].let_go()
    dry.look()
    assert made[-1].entry.kept() != {}
    dry.look()
    assert made[-1].entry.kept() == {}
    assert len(dry) == AT_ONCE


def test_the_socket_of_a_service_is_not_asked(made: list[Ended]) -> None:
    dry = Dry()
    one = ended(made, dry)
    one.entry.notify, write_fd = os.pipe()
    one.let_go()
    dry.look()
    os.close(write_fd)
    assert list(one.entry.kept()) == ["notify"]
