"""What a service says of itself: who is believed, what is understood, and that none of it costs more than it should."""

from __future__ import annotations

import array
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from support.fakes import FakeLoop
from support.processes import open_files
from support.waiting import eventually

from supervisor.base import proc
from supervisor.engine.notify import MAX_BYTES, Heard, Listener, Owner, open_socket

HOME, KEY = "0123456789abcdef", "web.1"
SEND = "import socket, sys; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'READY=1', chr(0) + sys.argv[1])"
WAIT = "; print(flush=True); sys.stdin.read()"


class Ear:
    """A listener of a service whose main process is this very one, and what it has told."""

    def __init__(self) -> None:
        self.loop = FakeLoop()
        fd, self.address = open_socket(HOME, KEY)
        self.told: list[Heard] = []
        self.owner = Owner(HOME, KEY, None, os.getpid())
        self.listener = Listener(self.loop, fd, self.owner, self.told.append)
        self.sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sender.connect(self.address.replace("@", "\0"))
        self.sender.setblocking(False)

    def say(self, *texts: str) -> Heard:
        for text in texts:
            self.sender.send(text.encode())
        self.told.clear()
        self.loop.turn(0)
        return self.told[0] if self.told else Heard()

    def close(self) -> None:
        self.sender.close()
        self.listener.close()
        self.loop.close()


@pytest.fixture
def ear() -> Iterator[Ear]:
    ear = Ear()
    yield ear
    ear.close()


@pytest.fixture
def speak(ear: Ear) -> Iterator[Callable[..., int]]:
    """Another process says READY=1 and lives on; says its pid."""
    started: list[subprocess.Popen[bytes]] = []

    def run(env: dict[str, str] | None = None, *, session: bool = True) -> int:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", SEND + WAIT, ear.address[1:]],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env or {}, start_new_session=session,
        )  # fmt: skip
        started.append(process)
        assert process.stdout is not None
        process.stdout.readline()
        return process.pid

    yield run
    for process in started:
        process.kill()
        process.communicate()


def test_what_is_said_in_one_turn_is_told_in_one_piece(ear: Ear) -> None:
    heard = ear.say("READY=1\nSTATUS=first", "WATCHDOG=1", "STATUS=now \x1b[31mred\nWATCHDOG=1", "MAINPID=1\nFOO")

    assert (heard.ready, heard.status, heard.pings, heard.trigger) == (True, "now \\x1b[31mred", 2, False)
    assert len(ear.told) == 1


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("2500000", 2.5), ("99999999999999999", 86400.0), ("-5", 0.0), ("1e9", 0.0), ("9" * 400, 0.0), ("²", 0.0)],
)
def test_more_time_is_a_number_of_sane_size(ear: Ear, text: str, seconds: float) -> None:
    assert ear.say(f"EXTEND_TIMEOUT_USEC={text}").extend == seconds


@pytest.mark.parametrize("text", ["READY=0", "READY", "", "=", "\n\n", "WATCHDOG=yes", "ready=1", "\0\0", "STOPPING=1"])
def test_what_is_not_understood_changes_nothing(ear: Ear, text: str) -> None:
    assert not ear.say(text)


def test_bytes_that_are_no_text_and_too_many_of_them(ear: Ear) -> None:
    ear.sender.send(b"STATUS=\xff\xfe\nWATCHDOG=1\n" + b"x" * MAX_BYTES)
    ear.sender.send(b"STATUS=" + b"y" * (2 * MAX_BYTES))
    ear.loop.turn(0)

    assert (ear.told[0].pings, ear.told[0].status) == (1, "\ufffd\ufffd")


def test_descriptors_that_come_along_are_closed(ear: Ear) -> None:
    read_fd, write_fd = os.pipe()
    before = open_files(os.getpid())
    ear.sender.sendmsg([b"BARRIER=1"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [write_fd] * 9))])
    os.close(write_fd)
    ear.loop.turn(0)

    assert open_files(os.getpid()) == before - 1
    assert os.read(read_fd, 1) == b"", "the sender's barrier has been lifted"
    os.close(read_fd)


def test_a_flood_is_read_in_turns_with_a_rest_between(ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.engine.notify.MAX_A_TURN", 3)
    for _ in range(8):
        ear.sender.send(b"WATCHDOG=1")

    assert ear.say().pings == 3
    assert ear.say().pings == 0, "it rests"
    ear.loop.pass_time(0.06)
    assert [heard.pings for heard in ear.told] == [3]
    ear.loop.pass_time(0.06)
    assert [heard.pings for heard in ear.told] == [3, 2]


def test_its_own_processes_are_believed_whatever_they_did(ear: Ear, speak: Callable[..., int]) -> None:
    speak()  # a child of it, in a session of its own
    ear.loop.turn(0)
    assert ear.told.pop().ready

    ear.owner.leader = 1 << 30  # from here on nobody descends from it
    speak({"SB_HOME_ID": HOME, "SB_KEY": KEY})
    ear.loop.turn(0)
    assert ear.told.pop().ready


def test_strangers_are_refused_and_named_once_a_minute(ear: Ear, speak: Callable[..., int]) -> None:
    ear.owner.leader = 1 << 30
    stranger = speak({"SB_HOME_ID": HOME, "SB_KEY": "other.1"})
    ear.loop.turn(0)
    speak({"SB_HOME_ID": "another home", "SB_KEY": KEY})
    ear.loop.turn(0)

    (heard,) = ear.told
    assert (heard.ready, heard.refused) == (False, stranger)
    ear.loop.pass_time(61)
    again = speak()
    ear.loop.turn(0)
    assert ear.told[-1].refused == again


@pytest.mark.root
def test_another_user_is_refused_and_the_services_own_is_not(ear: Ear) -> None:
    say_as_nobody(ear)
    assert ear.told.pop().refused

    ear.owner.uids.add(65534)
    say_as_nobody(ear)
    assert ear.told.pop().ready


def say_as_nobody(ear: Ear) -> None:
    """A fork, since not every user may run this Python. It is gone by the time it is heard."""
    pid = os.fork()
    if pid == 0:
        os.setuid(65534)
        ear.sender.send(b"READY=1")
        os._exit(0)
    os.waitpid(pid, 0)
    ear.loop.turn(0)


def test_one_that_has_gone_is_believed(ear: Ear) -> None:
    ear.owner.leader = 1 << 30
    subprocess.run([sys.executable, "-I", "-S", "-c", SEND, ear.address[1:]], check=True, env={})

    ear.loop.turn(0)
    assert ear.told.pop().ready


def test_what_was_said_before_the_end_is_heard_and_a_closed_ear_hears_no_more(ear: Ear) -> None:
    ear.sender.send(b"STATUS=bye")
    ear.listener.drain()
    assert ear.told.pop().status == "bye"

    ear.listener.close()
    ear.listener.drain()
    ear.loop.turn(0)
    assert ear.told == []


def test_the_name_is_new_each_time() -> None:
    (first, one), (second, other) = open_socket(HOME, "long" * 40 + ".1"), open_socket(HOME, "long" * 40 + ".1")
    os.close(first)
    os.close(second)

    assert one != other
    assert len(one) < 108


def test_several_are_added_up_and_survive_a_message() -> None:
    total, later = Heard(), Heard()
    total.add("READY=1\nSTATUS=one\nEXTEND_TIMEOUT_USEC=30000000", 100.0)
    later.add("STATUS=two\nWATCHDOG=trigger", 110.0)
    total.merge(later)

    again = Heard.from_dict(total.as_dict(112.0))

    assert (again.ready, again.status, again.trigger, again.extend) == (True, "two", True, 18.0)


def test_a_session_is_told_from_another() -> None:
    process = subprocess.Popen(["/bin/sleep", "1000"], start_new_session=True)
    try:
        eventually(lambda: proc.session_of(process.pid) == process.pid)
    finally:
        process.kill()
        process.wait()
    assert proc.session_of(process.pid) is None
