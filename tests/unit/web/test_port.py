"""Who has the port."""

from __future__ import annotations

import os
import socket

import pytest
from support.ports import free_port

from supervisor.base.errors import Problem
from supervisor.web.port import holder_of, listen


def test_it_listens_on_loopback_only() -> None:
    port = free_port()
    with listen(port) as sock, socket.create_connection(("127.0.0.1", port)):
        assert sock.getsockname() == ("127.0.0.1", port)
        assert holder_of(port) == os.getpid()


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::"])
def test_a_taken_port_is_told_with_its_holder(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    port = free_port()
    with socket.socket(family) as other:
        other.bind((address, port))
        other.listen()
        with pytest.raises(Problem) as caught:
            listen(port)

    assert f"port {port} on 127.0.0.1 is in use by PID {os.getpid()} (" in caught.value.what
    assert "Address already in use" in caught.value.what


def test_a_port_that_is_bound_but_not_listened_on_has_no_known_holder() -> None:
    port = free_port()
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        assert holder_of(port) is None
        with pytest.raises(Problem, match="in use: Address already in use"):
            listen(port)


def test_a_free_port_has_no_holder() -> None:
    assert holder_of(free_port()) is None
