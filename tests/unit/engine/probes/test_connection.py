"""Connecting without waiting: who is there, who is not, and who only seems to be."""

from __future__ import annotations

import os
import socket
from typing import Any

import pytest
from support.fakes import FakeLoop
from support.ports import free_port

from supervisor.engine.probes import connection
from supervisor.engine.probes.connection import Connection, is_itself

from .conftest import Answers


def test_whoever_listens_is_well(loop: FakeLoop, answers: Answers, listener: socket.socket) -> None:
    Connection(loop, listener.getsockname(), 5.0, answers)

    assert answers.wait() == (True, "took the connection")
    assert loop.next_due() is None


def test_nobody_there(loop: FakeLoop, answers: Answers, unix_path: str) -> None:
    Connection(loop, ("127.0.0.1", free_port()), 5.0, answers)
    assert answers.wait() == (False, "refused the connection")

    answers.told.clear()
    Connection(loop, unix_path, 5.0, answers)
    assert answers.wait() == (False, "is not there")


def test_the_answer_comes_never_from_within_the_question(loop: FakeLoop, answers: Answers, unix_path: str) -> None:
    Connection(loop, unix_path, 5.0, answers)

    assert answers.told == []


def test_a_unix_socket(loop: FakeLoop, answers: Answers, unix_path: str) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(unix_path)
        server.listen()
        Connection(loop, unix_path, 5.0, answers)

        assert answers.wait() == (True, "took the connection")


def test_a_full_queue_is_waited_for(loop: FakeLoop, answers: Answers, unix_path: str) -> None:
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as other:
        server.bind(unix_path)
        server.listen(0)
        other.connect(unix_path)
        Connection(loop, unix_path, 5.0, answers)
        loop.pass_time(1.0)
        assert answers.told == []

        server.accept()[0].close()
        loop.pass_time(0.1)

        assert answers.wait() == (True, "took the connection")


def test_a_full_queue_has_its_limit(loop: FakeLoop, answers: Answers, unix_path: str) -> None:
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as other:
        server.bind(unix_path)
        server.listen(0)
        other.connect(unix_path)
        Connection(loop, unix_path, 2.0, answers)
        loop.pass_time(3.0)

    assert answers.told == [(False, "did not take the connection within 2 s")]
    assert loop.next_due() is None


@pytest.mark.parametrize("host", ["localhost.", "example.com", "300.1.1.1", "::zz", ""])
def test_a_name_is_never_looked_up(loop: FakeLoop, answers: Answers, host: str) -> None:
    Connection(loop, (host, 80), 5.0, answers)

    ok, text = answers.wait()
    assert not ok
    assert "can't be asked" in text


def test_talking_to_oneself_is_no_proof(listener: socket.socket) -> None:
    """A port that nobody listens on may be the one that the kernel gives to our own end."""
    with socket.socket() as itself, socket.create_connection(listener.getsockname()) as other:
        port = free_port()
        itself.bind(("127.0.0.1", port))
        itself.connect(("127.0.0.1", port))

        assert is_itself(itself, itself.getpeername())
        assert not is_itself(other, other.getpeername())


def test_whoever_talks_to_oneself_was_refused(
    loop: FakeLoop, answers: Answers, listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel does this to us once in thousands of times, so here it is said that it did."""
    monkeypatch.setattr(connection, "is_itself", lambda _sock, _peer: True)
    Connection(loop, listener.getsockname(), 5.0, answers)

    assert answers.wait() == (False, "refused the connection")


class NotYet(Connection):
    """Is told that the connection is not there, so many times."""

    __slots__ = ("times",)

    def __init__(self, loop: FakeLoop, address: Any, done: Any, times: int) -> None:
        self.times = times
        super().__init__(loop, address, 5.0, done)

    def ask(self, sock: Any) -> bool:
        self.times -= 1
        return self.times < 0 and super().ask(sock)


def test_one_that_is_not_there_at_once_is_asked_when_it_is(
    loop: FakeLoop, answers: Answers, listener: socket.socket
) -> None:
    NotYet(loop, listener.getsockname(), answers, 1)

    assert answers.wait() == (True, "took the connection")
    assert loop.next_due() is None


def test_one_that_the_kernel_calls_there_and_that_is_not_ends_at_once(
    loop: FakeLoop, answers: Answers, listener: socket.socket
) -> None:
    """To watch on would be told of it again and again, all day long."""
    NotYet(loop, listener.getsockname(), answers, 1000)

    assert answers.wait() == (False, "broke off the connection")
    assert loop.next_due() is None


def test_whoever_cancels_hears_nothing(loop: FakeLoop, answers: Answers, listener: socket.socket) -> None:
    before = len(os.listdir("/proc/self/fd"))
    Connection(loop, listener.getsockname(), 5.0, answers).cancel()
    loop.pass_time(10.0)

    assert answers.told == []
    assert len(os.listdir("/proc/self/fd")) == before
