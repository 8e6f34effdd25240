"""A copy to syslog: whole lines in its form, nothing waited for, what is lost counted and said."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from supervisor.events import syslog as syslogs
from supervisor.events.syslog import Syslog, tag_of


class Log:
    """A raw file that grows, and a syslog that listens."""

    def __init__(self, folder: Path, clock: Any) -> None:
        self.address = str(folder / "log.sock")
        self.file = os.open(folder / "raw", os.O_RDWR | os.O_CREAT | os.O_APPEND)
        self.losses: list[tuple[str, int, str, str]] = []
        self.clock = clock
        self.syslog = Syslog(clock, lambda *loss: self.losses.append(loss), self.address)
        self.copy = self.syslog.copy("web:1", "out")
        self.daemon: socket.socket | None = None

    def listen(self) -> None:
        self.daemon = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.daemon.bind(self.address)
        self.daemon.setblocking(False)

    def go(self) -> None:
        assert self.daemon is not None
        self.daemon.close()
        os.unlink(self.address)

    def write(self, data: bytes) -> None:
        start = os.fstat(self.file).st_size
        os.write(self.file, data)
        self.copy(self.file, start, start + len(data))

    def heard(self) -> list[bytes]:
        found: list[bytes] = []
        assert self.daemon is not None
        while True:
            try:
                found.append(self.daemon.recv(65536))
            except BlockingIOError:
                return found

    def texts(self) -> list[bytes]:
        return [message.partition(b": ")[2] for message in self.heard()]


@pytest.fixture
def log(tmp_path: Path, clock: Any) -> Iterator[Log]:
    log = Log(tmp_path, clock)
    yield log
    log.syslog.close()
    os.close(log.file)
    if log.daemon is not None:
        log.daemon.close()


def test_the_form(log: Log) -> None:
    log.listen()
    log.write(b"hello\n")
    log.syslog.copy("mail", "err")(log.file, 0, 6)

    first, second = log.heard()

    assert re.fullmatch(rb"<30>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d web-1: hello", first)
    assert re.fullmatch(rb"<28>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d mail: hello", second)


def test_lines_come_whole_long_ones_in_pieces_and_empty_ones_not_at_all(log: Log) -> None:
    log.listen()
    for data in (b"one\ntw", b"o\r\n\n\nnul \0.\n", b"x" * 20_000, b"\n"):
        log.write(data)

    texts = log.texts()

    assert texts[:3] == [b"one", b"two", b"nul \\x00."]
    assert b"".join(texts[3:]) == b"x" * 20_000
    assert max(map(len, texts)) <= syslogs.MAX_LINE


def test_without_a_syslog_lines_are_counted_and_said_now_and_then(log: Log) -> None:
    log.write(b"one\ntwo\n")
    log.write(b"three\n")
    assert [(name, count) for name, count, _, stream in log.losses if not stream] == [("web:1", 2)]
    assert log.address in log.losses[0][2]

    log.listen()
    log.clock.pass_by(1.5)
    log.write(b"four\n")
    assert log.texts() == [b"four"]
    log.clock.pass_by(60)
    log.syslog.tell_losses()
    assert [count for _, count, *_ in log.losses] == [2, 1]
    log.syslog.tell_losses()
    assert len(log.losses) == 2


def test_of_two_streams_it_is_said_which(log: Log) -> None:
    err = log.syslog.copy("web:1", "err")
    log.write(b"one\n")
    err(log.file, 0, 4)
    assert [(name, count, stream) for name, count, _, stream in log.losses] == [
        ("web:1", 1, "stdout"),
        ("web:1", 1, "stderr"),
    ]


def test_where_there_is_no_syslog_that_is_said_less_and_less_often(log: Log) -> None:
    for _ in range(24 * 60):
        log.clock.pass_by(60)
        log.write(b"line\n")

    assert 20 < len(log.losses) < 40  # once an hour, and at the start a little more often
    log.listen()
    log.clock.pass_by(60)
    log.write(b"through\n")
    assert log.copy.patience == syslogs.TELL_EVERY_S


def test_a_restarted_syslog_is_found_again_without_a_loss(log: Log) -> None:
    log.listen()
    log.write(b"one\n")
    assert log.texts() == [b"one"]
    log.go()
    log.listen()

    log.write(b"two\n")

    assert log.texts() == [b"two"]
    assert log.losses == []


def test_one_that_does_not_read_is_not_waited_for(log: Log) -> None:
    log.listen()

    for number in range(2000):
        log.write(b"line %d\n" % number)

    log.syslog.close()
    heard = len(log.heard())
    assert 0 < heard < 2000
    assert heard + sum(count for _, count, *_ in log.losses) == 2000


def test_a_flood_costs_a_bounded_number_of_messages(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syslogs, "LINES_PER_S", 3)
    log.listen()
    log.write(b"".join(b"%d\n" % number for number in range(10)))
    assert log.texts() == [b"0", b"1", b"2"]
    assert log.losses == [("web:1", 7, "more than 3 lines a second", "")]
    log.clock.pass_by(1.0)
    log.write(b"more\n")
    assert log.texts() == [b"more"]


@pytest.mark.parametrize(
    ("name", "tag"), [("web", b"web"), ("web:12", b"web-12"), ("a b[c]", b"a-b-c-"), ("x" * 99, b"x" * 32), ("é", b"-")]
)
def test_tags(name: str, tag: bytes) -> None:
    assert tag_of(name) == tag
