"""The server's end, and the time limits of a connection, with the limits shortened."""

from __future__ import annotations

import asyncio
import gc
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from supervisor.web import protocol, server
from supervisor.web.guard import Guard
from supervisor.web.lockout import WrongKeys
from supervisor.web.port import listen
from supervisor.web.server import QuietServer

GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"

Caller = Callable[[int, asyncio.Event], Awaitable[Any]]


async def hang(_scope: Any, _receive: Any, _send: Any) -> None:
    await asyncio.Event().wait()


async def hang_in_the_middle(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"begun", "more_body": True})
    await asyncio.Event().wait()


async def answer(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


def serve(app: Any, call: Caller) -> Any:
    """Run the app on a real socket while `call(port, stop)` talks to it, then stop it."""

    async def both() -> Any:
        stop, ready = asyncio.Event(), asyncio.Event()
        with listen("127.0.0.1", 0) as sock:
            port: int = sock.getsockname()[1]
            guard = Guard(app, key=b"k" * 20, host="127.0.0.1", port=port, wrong_keys=WrongKeys(lambda: 0.0))
            running = asyncio.ensure_future(QuietServer(guard, stop, ready.set).serve([sock]))
            await ready.wait()
            try:
                return await asyncio.wait_for(call(port, stop), 10)
            finally:
                stop.set()
                await asyncio.wait_for(running, 10)

    return asyncio.run(both())


async def talk(port: int, data: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    await writer.drain()
    return reader, writer


async def rest(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """All that comes until the server closes."""
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "GRACE_S", 0.1)
    monkeypatch.setattr(protocol, "IDLE_S", 0.2)
    monkeypatch.setattr(protocol, "REQUEST_S", 0.2)


def test_a_request_that_hangs_is_told_that_the_server_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "REQUEST_S", 60.0)

    async def call(port: int, stop: asyncio.Event) -> bytes:
        caller = asyncio.ensure_future(rest(*await talk(port, GET)))
        asyncio.get_running_loop().call_later(0.05, stop.set)
        return await caller

    reply = serve(hang, call)
    assert reply.startswith(b"HTTP/1.1 503")
    assert b"going down" in reply


def test_an_answer_in_the_middle_is_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "REQUEST_S", 60.0)

    async def call(port: int, stop: asyncio.Event) -> bytes:
        caller = asyncio.ensure_future(rest(*await talk(port, GET)))
        asyncio.get_running_loop().call_later(0.05, stop.set)
        return await caller

    reply = serve(hang_in_the_middle, call)
    assert reply.startswith(b"HTTP/1.1 200")
    assert not reply.endswith(b"0\r\n\r\n")


def test_nothing_is_kept_of_a_connection_that_was_reset() -> None:
    """As by a browser that has enough: it closes without having read the answer."""

    async def call(port: int, stop: asyncio.Event) -> int:
        reader, writer = await talk(port, GET)
        await reader.readuntil(b"ok")
        never = asyncio.ensure_future(stop.wait())
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        for _ in range(100):  # not so long as uvicorn would keep it: 15 s
            await asyncio.wait([never], timeout=0.02)
            gc.collect()
            if not (kept := sum(isinstance(one, protocol.LimitedProtocol) for one in gc.get_objects())):
                break
        never.cancel()
        return kept

    assert serve(answer, call) == 0


def test_a_head_that_trickles_in_is_not_waited_for() -> None:
    async def call(port: int, _stop: asyncio.Event) -> float:
        loop = asyncio.get_running_loop()
        reader, writer = await talk(port, GET[:20])
        began = loop.time()
        trickle = loop.call_later(0.05, writer.write, b"X: y\r\n")
        again = loop.call_later(0.15, writer.write, b"X: y\r\n")
        assert await rest(reader, writer) == b""
        trickle.cancel()
        again.cancel()
        return loop.time() - began

    assert 0.1 < serve(answer, call) < 1.0


def test_an_idle_connection_is_closed_in_its_time() -> None:
    async def call(port: int, _stop: asyncio.Event) -> bytes:
        return await rest(*await talk(port, GET))

    assert serve(answer, call).endswith(b"ok")


def test_a_request_has_its_time_and_no_more() -> None:
    async def call(port: int, _stop: asyncio.Event) -> bytes:
        return await rest(*await talk(port, GET))

    assert serve(hang, call) == b""


def test_a_body_that_nobody_wants_does_not_keep_a_connection() -> None:
    async def call(port: int, _stop: asyncio.Event) -> bytes:
        return await rest(*await talk(port, GET.replace(b"\r\n\r\n", b"\r\nContent-Length: 999\r\n\r\nx")))

    assert serve(answer, call).startswith(b"HTTP/1.1 200")


def test_a_caller_that_does_not_read_is_let_go() -> None:
    let_go = asyncio.Event()

    async def flood(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(1000):  # more than any socket buffer takes
            await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
        let_go.set()

    async def call(port: int, _stop: asyncio.Event) -> bool:
        with socket.create_connection(("127.0.0.1", port)) as sock:
            sock.sendall(GET)
            return await let_go.wait()

    assert serve(flood, call)
