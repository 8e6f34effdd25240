"""Connections that go over to another program: what was asked is answered, by whoever is there then."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from supervisor.base.clock import SystemClock
from supervisor.base.files import socket_address
from supervisor.base.loop import Loop
from supervisor.base.wire import FrameReader, decode, frame
from supervisor.control.connection import Reply
from supervisor.control.server import ControlServer


class Program:
    """One that answers `ping` at once and keeps whoever asks to `settle` or to `upgrade` waiting."""

    def __init__(self, folder: Path, before: dict[str, Any] | None = None) -> None:
        self.waiting: list[tuple[str, Reply]] = []
        self.errors: list[BaseException] = []
        self.loop = Loop(SystemClock(), self.errors.append)
        verbs = {
            "ping": lambda _args, reply: reply.send({"pid": 1}),
            "settle": lambda _args, reply: self.waiting.append(("settle", reply)),
            "upgrade": lambda _args, reply: self.waiting.append(("upgrade", reply)),
        }
        door = None if before is None else socket.socket(fileno=before["fd"])
        self.server = ControlServer(self.loop, str(folder), "start.sock", verbs, door)
        self.asker = None if before is None else self.server.take_up(before["connections"])

    def turn(self) -> None:
        for _ in range(5):
            self.loop.turn(0.0)
        assert self.errors == []

    def become(self, folder: Path) -> Program:
        """The descriptors are all that is left of the old one, as after an exec."""
        asker = next(reply for verb, reply in self.waiting if verb == "upgrade")
        data = self.server.hand_on(asker)
        kept = {fd: os.dup(fd) for fd in (data["fd"], *(each["fd"] for each in data["connections"]))}
        data["fd"] = kept[data["fd"]]
        for each in data["connections"]:
            each["fd"] = kept[each["fd"]]
        for each in (self.server, *self.server._connections):
            each._sock.close()
        self.loop.close()
        programs.append(Program(folder, data))
        return programs[-1]


programs: list[Program] = []
clients: list[socket.socket] = []


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Program]:
    programs.append(Program(tmp_path))
    yield programs[-1]
    programs[-1].server.close()
    programs[-1].loop.close()
    for client in clients:
        client.close()
    programs.clear()
    clients.clear()


def ask(folder: Path, data: bytes) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    clients.append(sock)
    fd = os.open(folder, os.O_PATH)
    sock.connect(socket_address(fd, "start.sock"))
    os.close(fd)
    sock.setblocking(False)
    sock.sendall(data)
    return sock


def answers(sock: socket.socket) -> list[dict[str, Any]]:
    try:
        return [decode(each) for each in FrameReader().feed(sock.recv(65536))]
    except BlockingIOError:
        return []


def test_a_question_without_an_answer_is_asked_again_and_what_follows_it_comes_after(
    old: Program, tmp_path: Path
) -> None:
    waiting = ask(tmp_path, frame({"verb": "settle"}) + frame({"verb": "ping"}))
    asking = ask(tmp_path, frame({"verb": "upgrade", "python": "/p", "main": "/m"}))
    old.turn()

    new = old.become(tmp_path)
    new.turn()

    assert [verb for verb, _ in new.waiting] == ["settle"]
    assert answers(waiting) == []
    new.waiting[0][1].send({"settled": True})
    assert [set(each) - {"ok"} for each in answers(waiting)] == [{"settled"}, {"pid"}]
    assert new.asker is not None
    new.asker.send({"version": "2"})
    assert answers(asking) == [{"ok": True, "version": "2"}]


def test_half_a_request_is_completed_there(old: Program, tmp_path: Path) -> None:
    asking = ask(tmp_path, frame({"verb": "upgrade", "python": "/p", "main": "/m"}))
    half = ask(tmp_path, frame({"verb": "ping"})[:7])
    old.turn()

    new = old.become(tmp_path)
    half.sendall(frame({"verb": "ping"})[7:])
    new.turn()

    assert answers(half) == [{"ok": True, "pid": 1}]
    asking.close()
    new.turn()
    assert new.server.connections == 1


def test_whoever_comes_in_between_is_let_in(old: Program, tmp_path: Path) -> None:
    ask(tmp_path, frame({"verb": "upgrade", "python": "/p", "main": "/m"})).close()
    old.turn()
    later = ask(tmp_path, frame({"verb": "ping"}))

    new = old.become(tmp_path)
    new.turn()

    assert answers(later) == [{"ok": True, "pid": 1}]
