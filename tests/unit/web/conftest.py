"""Requests to an ASGI app without a server: what comes out is what would be sent."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from supervisor.web.app import build_app
from supervisor.web.asking import Asker
from supervisor.web.lockout import WrongKeys

KEY = b"q7Zt-3Lm_9wXe2RkVb5NcA"
PORT = 3456

STATUS: dict[str, Any] = {
    "schema": 1,
    "state": "running",
    "now": "2026-11-21T05:20:01.000Z",
    "ticks": 3,
    "services": [{"name": "web", "state": "running", "uptime_s": 5.0, "pid": 7}],
}

Headers = list[tuple[bytes, bytes]]


class Reply:
    def __init__(self, messages: list[dict[str, Any]]) -> None:
        self.status: int = messages[0]["status"]
        self.headers = {name.decode().lower(): value.decode() for name, value in messages[0]["headers"]}
        self.body = b"".join(message.get("body", b"") for message in messages[1:])

    def json(self) -> Any:
        return json.loads(self.body)


class Site:
    """The real app with a make-believe status."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.status: Any = STATUS
        self.seconds = 1000.0
        self.wrong_keys = WrongKeys(lambda: self.seconds, delay=0.0)
        self.app = build_app(Asker(self._ask), key=KEY, host=host, port=PORT, wrong_keys=self.wrong_keys)

    def _ask(self) -> dict[str, Any]:
        if isinstance(self.status, Exception):
            raise self.status
        return dict(self.status)

    def get(self, path: str | bytes, **more: Any) -> Reply:
        return self.send("GET", path, **more)

    def send(
        self,
        method: str,
        path: str | bytes,
        *,
        key: bytes | None = KEY,
        host: bytes | None = b"127.0.0.1:3456",
        headers: Headers | None = None,
    ) -> Reply:
        every = list(headers or [])
        every += [(b"host", host)] if host is not None else []
        every += [(b"x-dash-key", key)] if key is not None else []
        return asyncio.run(self._send(method, path if isinstance(path, bytes) else path.encode(), every))

    async def _send(self, method: str, target: bytes, headers: Headers) -> Reply:
        raw, _, query = target.partition(b"?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": raw.decode("latin-1"),
            "raw_path": raw,
            "query_string": query,
            "root_path": "",
            "headers": headers,
            "client": ("127.0.0.1", 5),
            "server": ("127.0.0.1", PORT),
        }
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        return Reply(sent)


@pytest.fixture
def site() -> Site:
    return Site()
