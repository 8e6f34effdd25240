"""One GET: what counts as an answer, and what others send instead."""

from __future__ import annotations

import contextlib
import os
import socket

import pytest
from support.fakes import FakeLoop

from supervisor.engine.probes import http
from supervisor.engine.probes.http import MAX_HEAD, MAX_REST, HttpConnection, request, status_of
from supervisor.model.check import HTTP, Check

from .conftest import Answers


def check(**values: object) -> Check:
    return Check(kind=HTTP, shown="http 127.0.0.1:1/", **values)  # type: ignore[arg-type]


def ask(loop: FakeLoop, listener: socket.socket, answers: Answers, **values: object) -> socket.socket:
    """A question under way: the server's end of it, with the request read."""
    HttpConnection(loop, listener.getsockname(), check(**values), answers)
    loop.turn(0.05)
    theirs, _ = listener.accept()
    theirs.settimeout(5)
    assert theirs.recv(4096).startswith(b"GET ")
    return theirs


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\n", (True, "answered 200")),
        (b"HTTP/1.0 302 Found\r\nLocation: /x\r\n\r\n", (True, "answered 302")),
        (b"HTTP/1.1 204\n", (True, "answered 204")),
        (b"HTTP/1.1 404 Not Found\r\n", (False, "answered 404")),
        (b"HTTP/1.1 500 \xff\xfe\r\n", (False, "answered 500")),
        (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n", (True, "answered 200")),
        (b"SSH-2.0-OpenSSH\r\n", (False, "answered with something that is not HTTP")),
        (b"\x16\x03\x01\x02", (False, "answered with something that is not HTTP")),
        (b"HTTP/1.1 OK\r\n", (False, "answered with something that is not HTTP")),
        (b"HTTP/1.1 2000 OK\r\n", (False, "answered with something that is not HTTP")),
        (b"HTTP/1.1 " + b"2" * (MAX_HEAD + 1), (False, "answered with something that is not HTTP")),
    ],
)
def test_the_status_is_the_answer(
    loop: FakeLoop, answers: Answers, listener: socket.socket, sent: bytes, expected: tuple[bool, str]
) -> None:
    with ask(loop, listener, answers) as theirs:
        theirs.sendall(sent)

        assert answers.wait() == expected


def test_whoever_reads_the_own_request_was_refused(
    loop: FakeLoop, answers: Answers, listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel may give to us the very port that is asked: that happens once in thousands of times."""
    monkeypatch.setattr(http, "is_itself", lambda _sock, _peer: True)
    with ask(loop, listener, answers) as theirs:
        theirs.sendall(request(listener.getsockname(), "/"))

        assert answers.wait() == (False, "refused the connection")


def test_a_line_may_come_in_pieces(loop: FakeLoop, answers: Answers, listener: socket.socket) -> None:
    with ask(loop, listener, answers, statuses=(204, 204)) as theirs:
        for byte in b"HTTP/1.1 204 No Content":
            theirs.sendall(bytes([byte]))
            loop.turn(0.05)
            assert answers.told == []
        theirs.sendall(b"\r\n")

        assert answers.wait() == (True, "answered 204")


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 20"])
def test_whoever_closes_without_a_status_has_not_answered(
    loop: FakeLoop, answers: Answers, listener: socket.socket, sent: bytes
) -> None:
    with ask(loop, listener, answers) as theirs:
        theirs.sendall(sent)

    ok, text = answers.wait()
    assert not ok
    assert ("closed" in text) is (sent == b"")


def test_silence_ends_at_the_limit(loop: FakeLoop, answers: Answers, listener: socket.socket) -> None:
    """Accepted or still in the queue: that is all the same to us."""
    HttpConnection(loop, listener.getsockname(), check(timeout=5.0), answers)
    loop.turn(0.05)
    loop.pass_time(4.9)
    assert answers.told == []

    loop.pass_time(0.2)

    assert answers.told == [(False, "did not answer within 5 s")]
    assert loop.next_due() is None


def test_drops_do_not_move_the_limit(loop: FakeLoop, answers: Answers, listener: socket.socket) -> None:
    with ask(loop, listener, answers, timeout=5.0) as theirs:
        for byte in b"HTTP/1.1 ":
            theirs.sendall(bytes([byte]))
            loop.pass_time(0.6)

        assert answers.told == [(False, "did not answer within 5 s")]


def test_the_rest_is_read_so_that_the_server_has_nothing_to_complain_of(
    loop: FakeLoop, answers: Answers, listener: socket.socket
) -> None:
    with ask(loop, listener, answers) as theirs:
        theirs.sendall(b"HTTP/1.1 200 OK\r\n")
        answers.wait()
        theirs.sendall(b"Content-Length: 2\r\n\r\nok")
        theirs.shutdown(socket.SHUT_WR)
        loop.turn(0.05)
        loop.turn(0.05)

        assert theirs.recv(1) == b""  # an orderly end, no reset
    assert len(answers.told) == 1
    assert loop.next_due() is None


def test_a_rest_without_end_is_not_read_for_ever(loop: FakeLoop, answers: Answers, listener: socket.socket) -> None:
    with ask(loop, listener, answers) as theirs:
        theirs.sendall(b"HTTP/1.1 200 OK\r\n")
        answers.wait()
        theirs.setblocking(False)

        def send_on() -> None:
            for _ in range(1000):
                with contextlib.suppress(BlockingIOError):
                    theirs.send(b"x" * (MAX_REST // 16))
                loop.turn(0)

        with pytest.raises(ConnectionError):
            send_on()
    assert len(answers.told) == 1


def test_a_rest_that_never_comes_ends_at_the_limit(loop: FakeLoop, answers: Answers, listener: socket.socket) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with ask(loop, listener, answers) as theirs:
        theirs.sendall(b"HTTP/1.1 200 OK\r\n")
        answers.wait()
        loop.pass_time(6.0)

        assert theirs.recv(1) == b""
    assert len(os.listdir("/proc/self/fd")) == before
    assert answers.told == [(True, "answered 200")]


def test_what_is_asked() -> None:
    lines = request(("::1", 8080), "/healthz?a=b").split(b"\r\n")
    assert lines[:2] == [b"GET /healthz?a=b HTTP/1.1", b"Host: [::1]:8080"]
    assert b"Connection: close" in lines
    assert lines[-2:] == [b"", b""]
    assert b"Host: localhost\r\n" in request("/run/web.sock", "/")


def test_an_announcement_alone_is_no_answer() -> None:
    assert status_of(b"HTTP/1.1 100 Continue\r\n\r\n") is None
    assert status_of(b"HTTP/1.1 100 Continue\r\nX: y\r\n") is None
    assert status_of(b"HTT") is None
    assert status_of(b"HTX") == 0
