"""Who has the port."""

from __future__ import annotations

import os
import socket

import pytest
from support.ports import free_port

from supervisor.base.errors import Problem
from supervisor.web.port import address_of, holder_of, listen


def test_it_listens_on_loopback_only() -> None:
    port = free_port()
    with listen("127.0.0.1", port) as sock, socket.create_connection(("127.0.0.1", port)):
        assert sock.getsockname() == ("127.0.0.1", port)
        assert holder_of("127.0.0.1", port) == os.getpid()


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::"])
def test_a_taken_port_is_told_with_its_holder(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    port = free_port()
    with socket.socket(family) as other:
        other.bind((address, port))
        other.listen()
        with pytest.raises(Problem) as caught:
            listen("127.0.0.1", port)

    assert f"port {port} on 127.0.0.1 is in use by PID {os.getpid()} (" in caught.value.what
    assert "Address already in use" in caught.value.what


@pytest.mark.parametrize(
    ("host", "bound"), [("127.0.0.2", "127.0.0.2"), ("::1", "::1"), ("localhost", "127.0.0.1"), ("0:0::1", "::1")]
)
def test_it_listens_where_the_settings_say(host: str, bound: str) -> None:
    port = free_port()
    with listen(host, port) as sock, socket.create_connection((bound, port)):
        assert address_of(sock) == (bound, port)
        assert holder_of(bound, port) == os.getpid()
        others = {"127.0.0.1", "127.0.0.2", "::1"} - {bound}
        for other in others:
            assert holder_of(other, port) is None
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((other, port))


def test_a_taken_ipv6_port_is_told_with_its_holder() -> None:
    port = free_port()
    with listen("::1", port), pytest.raises(Problem, match=f"port {port} on ::1 is in use by PID {os.getpid()}"):
        listen("::1", port)


def test_an_address_that_this_machine_has_not() -> None:
    with pytest.raises(Problem, match=r"can't listen on port \d+ of 192\.0\.2\.1: "):
        listen("192.0.2.1", free_port())


def test_a_port_that_is_bound_but_not_listened_on_has_no_known_holder() -> None:
    port = free_port()
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        assert holder_of("127.0.0.1", port) is None
        with pytest.raises(Problem, match="in use: Address already in use"):
            listen("127.0.0.1", port)


def test_a_free_port_has_no_holder() -> None:
    assert holder_of("127.0.0.1", free_port()) is None
