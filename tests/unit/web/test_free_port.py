"""A free port that is remembered."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from supervisor.base.errors import Problem
from supervisor.web.port import address_of, listen_anywhere

HOST = "127.0.0.1"


def take(memory: Path) -> tuple[socket.socket, int]:
    sock = listen_anywhere(HOST, str(memory))
    return sock, address_of(sock)[1]


def test_the_same_port_again(tmp_path: Path) -> None:
    memory = tmp_path / "port"
    sock, port = take(memory)
    sock.close()
    assert memory.read_text() == f"{port}\n"
    before = os.stat(memory)
    sock, again = take(memory)
    sock.close()
    assert again == port
    assert os.stat(memory).st_ino == before.st_ino  # and nothing was written


def test_another_one_when_somebody_has_it(tmp_path: Path) -> None:
    memory = tmp_path / "port"
    sock, port = take(memory)
    other, another = take(memory)
    sock.close()
    other.close()
    assert another != port
    assert memory.read_text() == f"{another}\n"


@pytest.mark.parametrize("text", ["", "none", "0", "-1", "99999", "80 80", "8" * 50, "\0"])
def test_what_is_no_port_is_not_believed(tmp_path: Path, text: str) -> None:
    memory = tmp_path / "port"
    memory.write_text(text)
    sock, port = take(memory)
    sock.close()
    assert memory.read_text() == f"{port}\n"


def test_it_need_not_be_remembered(tmp_path: Path) -> None:
    sock, port = take(tmp_path / "none" / "port")
    sock.close()
    assert port > 0


def test_an_address_that_is_not_ours(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="can't listen"):
        listen_anywhere("192.0.2.1", str(tmp_path / "port"))
