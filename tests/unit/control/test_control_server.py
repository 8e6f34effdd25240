"""The server against clients that misbehave."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.fake_daemon import FakeDaemon, row

from supervisor.base.clock import SystemClock
from supervisor.base.errors import FAILED, NO_PERMISSION, NOT_RUNNING, TIMED_OUT, Problem
from supervisor.base.files import socket_address
from supervisor.base.loop import Loop
from supervisor.base.wire import FrameReader, decode, frame
from supervisor.control import connection, server
from supervisor.control.client import connect
from supervisor.control.server import ControlServer
from supervisor.model.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(str(tmp_path))


class Bench:
    """A server and raw sockets in one thread: `turn` lets the server have its say."""

    def __init__(self, home: Home, handlers: dict[str, Any], **options: Any) -> None:
        self.errors: list[BaseException] = []
        self.home = home
        self.socks: list[socket.socket] = []
        self.loop = Loop(SystemClock(), self.errors.append)
        self.server = ControlServer(self.loop, home.run, "start.sock", handlers, **options)

    def raw(self) -> socket.socket:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socks.append(sock)
        sock.setblocking(False)
        folder = os.open(self.home.run, os.O_PATH)
        try:
            sock.connect(socket_address(folder, "start.sock"))
        finally:
            os.close(folder)
        return sock

    def turn(self, rounds: int = 5) -> None:
        for _ in range(rounds):
            self.loop.turn(0.0)

    def until(self, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 5
        while not true():
            assert time.monotonic() < deadline
            self.loop.turn(0.01)

    def answers(self, sock: socket.socket) -> tuple[list[dict[str, Any]], bool]:
        """What has come, and whether the server has hung up."""
        self.turn()
        reader, messages = FrameReader(), []
        while True:
            try:
                data = sock.recv(1 << 20)
            except BlockingIOError:
                return messages, False
            except ConnectionResetError:
                return messages, True
            if not data:
                return messages, True
            messages += [decode(body) for body in reader.feed(data)]


@pytest.fixture
def bench(home: Home) -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(handlers: dict[str, Any], **options: Any) -> Bench:
        made.append(Bench(home, handlers, **options))
        return made[-1]

    yield make
    for one in made:
        one.server.close()
        one.loop.close()
        for sock in one.socks:
            sock.close()


def echo(args: dict[str, Any], reply: Any) -> None:
    reply.send({"args": args})


def test_only_the_owner_can_reach_it(bench: Any, home: Home) -> None:
    bench({})
    assert stat.S_IMODE(os.stat(home.run).st_mode) == 0o700
    assert stat.S_IMODE(os.stat(home.join("logs", "run", "start.sock")).st_mode) == 0o600


def test_a_folder_left_open_is_closed(bench: Any, home: Home) -> None:
    os.makedirs(home.run, 0o777)
    os.chmod(home.run, 0o777)
    bench({})
    assert stat.S_IMODE(os.stat(home.run).st_mode) == 0o700


def test_another_user_is_told_why(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "peer_uid", lambda _sock: 12345)
    one = bench({"echo": echo})
    (answer,), closed = one.answers(one.raw())
    assert closed
    assert answer["error"]["code"] == NO_PERMISSION
    assert "12345" in answer["error"]["why"]


def test_answers_come_in_order_however_late(bench: Any) -> None:
    held: list[Any] = []
    one = bench({"later": lambda _args, reply: held.append(reply), "echo": echo})
    sock = one.raw()
    sock.send(frame({"verb": "later"}) + frame({"verb": "echo", "n": 2}))
    assert one.answers(sock) == ([], False)
    held[0].send({"n": 1})
    first, second = one.answers(sock)[0]
    assert (first["n"], second["args"]["n"]) == (1, 2)


def test_a_promise_is_answered_once_all_is_on_its_way(bench: Any) -> None:
    """The daemon may be killed as soon as the answer is there; a question that changes nothing waits for nothing."""
    waiting: list[Callable[[], None]] = []

    def stop(args: dict[str, Any], reply: Any) -> None:
        if args["names"] == ["wbe"]:
            raise Problem("there is no wbe", code=FAILED)
        reply.stream({"n": 1})
        reply.send({"accepted": args["names"]})

    one = bench({"stop": stop, "rows": echo}, when_said=waiting.append)
    asks, looks, goes = one.raw(), one.raw(), one.raw()
    asks.send(frame({"verb": "stop", "names": ["web"]}) + frame({"verb": "rows"}))
    looks.send(frame({"verb": "rows"}))
    goes.send(frame({"verb": "stop", "names": ["wbe"]}))
    assert one.answers(asks)[0] == [{"n": 1}], "neither it, nor what was asked after it"
    assert len(one.answers(looks)[0]) == 1
    assert one.answers(goes)[0] == []
    goes.close()
    one.turn()
    assert len(waiting) == 2
    for call in waiting:
        call()
    promised, after = one.answers(asks)[0]
    assert (promised["accepted"], after["ok"]) == (["web"], True)


def test_a_request_in_pieces(bench: Any) -> None:
    one = bench({"echo": echo})
    sock = one.raw()
    for byte in frame({"verb": "echo"}):
        sock.send(bytes([byte]))
        one.turn(1)
    assert len(one.answers(sock)[0]) == 1


def test_half_closed_clients_get_their_answers(bench: Any) -> None:
    held: list[Any] = []
    one = bench({"later": lambda _args, reply: held.append(reply)})
    sock = one.raw()
    sock.send(frame({"verb": "later"}))
    sock.shutdown(socket.SHUT_WR)
    one.turn()
    held[0].send({"n": 1})
    messages, closed = one.answers(sock)
    assert messages[0]["n"] == 1
    assert closed


def test_who_streams_hears_of_the_end(bench: Any) -> None:
    held: list[Any] = []
    gone: list[bool] = []
    one = bench({"events": lambda _args, reply: held.append(reply) or reply.on_closed(lambda: gone.append(True))})
    sock = one.raw()
    sock.send(frame({"verb": "events"}))
    one.turn()
    held[0].stream({"event": 1})
    sock.close()
    one.turn()
    assert gone == [True]
    held[0].stream({"event": 2})
    held[0].end()
    assert one.server.connections == 0


def test_unknown_verbs_are_answered_and_the_connection_lives(bench: Any) -> None:
    one = bench({"echo": echo})
    sock = one.raw()
    sock.send(frame({"verb": "ehco"}) + frame({"no": "verb"}) + frame({"verb": ["echo"]}) + frame({"verb": "echo"}))
    messages, closed = one.answers(sock)
    assert [m["ok"] for m in messages] == [False, False, False, True]
    assert "did you mean 'echo'" in messages[0]["error"]["remedy"]
    assert not closed


@pytest.mark.parametrize(
    "junk", [b"\xff\xff\xff\xff", b"GET / HTTP/1.1\r\n\r\n", b"\0\0\0\2[]", b"\0\0\0\3\xff\xff\xff"]
)
def test_bad_frames_are_answered_then_closed(bench: Any, junk: bytes) -> None:
    one = bench({"echo": echo})
    sock = one.raw()
    sock.send(junk)
    messages, closed = one.answers(sock)
    assert [m["ok"] for m in messages] == [False]
    assert closed


def test_a_defect_is_answered_and_reported(bench: Any) -> None:
    def broken(_args: dict[str, Any], _reply: Any) -> None:
        raise KeyError("oops")

    one = bench({"broken": broken, "echo": echo})
    sock = one.raw()
    sock.send(frame({"verb": "broken"}) + frame({"verb": "echo"}))
    messages, _ = one.answers(sock)
    assert [m["ok"] for m in messages] == [False, True]
    assert [repr(error) for error in one.errors] == ["KeyError('oops')"]


def test_a_reader_that_does_not_read_is_let_go(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MAX_BACKLOG", 1 << 20)
    held: list[Any] = []
    one = bench({"events": lambda _args, reply: held.append(reply), "echo": echo})
    slow, quick = one.raw(), one.raw()
    slow.send(frame({"verb": "events"}))
    one.turn()
    for _ in range(200):
        held[0].stream({"event": "x" * 20000})
    assert one.server.dropped == 1
    assert held[0].done
    quick.send(frame({"verb": "echo"}))
    assert len(one.answers(quick)[0]) == 1


def test_a_large_answer_arrives_whole(bench: Any) -> None:
    one = bench({"big": lambda _args, reply: reply.raw(b"x" * (8 << 20))})
    sock = one.raw()
    sock.send(frame({"verb": "big"}))
    one.turn()
    got = 0
    while got < (8 << 20) + 4:
        one.turn(1)
        try:
            got += len(sock.recv(1 << 20))
        except BlockingIOError:
            continue
    assert one.server.connections == 1


def fill(one: Any, request: bytes = b"") -> list[Any]:
    socks = []
    for _ in range(server.MAX_CONNECTIONS):
        socks.append(one.raw())
        if request:
            socks[-1].send(request)
        one.turn(1)
    one.until(lambda: one.server.connections == server.MAX_CONNECTIONS)
    return socks


def test_the_number_of_clients_is_bounded(bench: Any) -> None:
    one = bench({"later": lambda _args, reply: None})
    socks = fill(one, frame({"verb": "later"}))
    one.turn()
    (answer,), closed = one.answers(one.raw())
    assert closed
    assert "too many" in answer["error"]["what"]
    for sock in socks:
        sock.close()
    one.until(lambda: one.server.connections == 0)
    assert len(one.answers(one.raw())[0]) == 0


def test_of_silent_clients_the_one_that_is_silent_for_longest_makes_room(bench: Any) -> None:
    one = bench({"echo": echo})
    silent = fill(one)
    asks = one.raw()
    asks.send(frame({"verb": "echo"}))
    assert one.answers(asks)[0][0]["ok"]
    (answer,), closed = one.answers(silent[0])
    assert closed
    assert "too many" in answer["error"]["what"]
    assert one.server.connections == server.MAX_CONNECTIONS


def test_too_many_requests_ahead(bench: Any) -> None:
    gone: list[bool] = []
    one = bench({"later": lambda _args, reply: reply.on_closed(lambda: gone.append(True))})
    sock = one.raw()
    sock.send(frame({"verb": "later"}) * 100)
    messages, closed = one.answers(sock)
    assert "too many requests" in messages[0]["error"]["what"]
    assert closed
    assert gone == [True]


@pytest.mark.parametrize("seed", range(40))
def test_random_bytes_do_no_harm(bench: Any, seed: int) -> None:
    rng = random.Random(seed)
    one = bench({"echo": echo})
    sock = one.raw()
    for _ in range(30):
        good = frame({"verb": rng.choice(["echo", "x", ""]), "a": rng.random()})
        data = bytearray(rng.choice([good, rng.randbytes(rng.randrange(1, 300)), good * 3]))
        if rng.random() < 0.3:
            data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            sock.send(data)
        except (BrokenPipeError, ConnectionResetError):
            sock.close()
            sock = one.raw()
        one.turn(1)
    sock.close()
    assert one.errors == []
    fresh = one.raw()
    fresh.send(frame({"verb": "echo"}))
    assert one.answers(fresh)[0][0]["ok"] is True


def test_a_long_home_with_spaces(tmp_path: Path) -> None:
    long = tmp_path / ("a folder with spaces " * 4) / ("x" * 120)
    long.mkdir(parents=True)
    home = Home(str(long))
    with FakeDaemon(home, "start", [row("config")]), connect(home, "start") as client:
        assert client.request("ping")["pid"] == 4242


def test_the_socket_file_goes_with_its_server_only(bench: Any, home: Home) -> None:
    first = bench({})
    second = bench({"echo": echo})  # has taken the name over
    first.server.close()
    second.raw()
    second.server.close()
    assert not os.path.exists(os.path.join(home.run, "start.sock"))


def test_nobody_there(home: Home) -> None:
    with pytest.raises(Problem) as caught:
        connect(home, "start")
    assert caught.value.code == NOT_RUNNING


def test_a_stale_socket_is_nobody(home: Home) -> None:
    os.makedirs(home.run)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        folder = os.open(home.run, os.O_PATH)
        sock.bind(socket_address(folder, "start.sock"))
        os.close(folder)
    with pytest.raises(Problem) as caught:
        connect(home, "start")
    assert caught.value.code == NOT_RUNNING


def test_a_daemon_that_hangs_costs_no_more_than_the_limit(bench: Any, home: Home) -> None:
    bench({"echo": echo})  # its loop is not run
    with connect(home, "start") as client, pytest.raises(Problem) as caught:
        client.request("echo", limit=0.05)
    assert caught.value.code == TIMED_OUT


def test_a_full_queue_is_a_daemon_that_hangs(bench: Any, home: Home) -> None:
    one = bench({})
    with contextlib.suppress(BlockingIOError):
        while True:
            one.raw()
    with pytest.raises(Problem) as caught:
        connect(home, "start", 0.05)
    assert caught.value.code == TIMED_OUT
