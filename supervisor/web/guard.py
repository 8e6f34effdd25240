"""What stands before every route: Host, then method, then key. Denies by default.

A path that nobody has heard of is refused like one that exists, so that nothing can be learnt, and no odd
spelling of a path can slip past: only what is listed in OPEN_PATHS, byte for byte, needs no key.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
from typing import TYPE_CHECKING

from supervisor.base.address import in_url
from supervisor.web.problems import Headers, Refusal

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from supervisor.web.lockout import WrongKeys

KEY_HEADER = b"x-dash-key"
OPEN_PATHS = frozenset({b"/healthz"})
METHODS = ("GET", "HEAD", "OPTIONS")
ALLOW = ", ".join(METHODS).encode()
NAMES = ("127.0.0.1", "localhost", "[::1]")

SECURITY_HEADERS: Headers = [
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
]

_log = logging.getLogger("sbctl.web")


class Guard:
    """A middleware around all routes: refuses, adds the headers, and lets no error text out."""

    def __init__(self, app: ASGIApp, *, key: bytes, host: str, port: int, wrong_keys: WrongKeys) -> None:
        self._app = app
        self._key = _digest(key)
        self._names = list(dict.fromkeys((*NAMES, in_url(host))))
        self._hosts = {form.encode() for name in self._names for form in (name, f"{name}:{port}")}
        self._wrong_keys = wrong_keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        answer = _Answer(scope, send)
        try:
            refusal = self._wrong_host(scope) or self._wrong_method(scope) or await self._no_key(scope)
            if refusal is not None:
                await answer.refuse(refusal)
            elif scope["method"] == "OPTIONS":
                await answer.empty(204, [(b"allow", ALLOW)])
            else:
                # The server leaves out the body of an answer to HEAD, so routes need only know GET.
                method = "GET" if scope["method"] == "HEAD" else scope["method"]
                await self._app({**scope, "method": method}, receive, answer.send)
        except asyncio.CancelledError:
            await answer.refuse(Refusal(503, "the server is going down"))
        except Exception:
            refusal = Refusal(500, "an error of ours; the log has more under the correlation id")
            _log.exception("correlation id %s: %s", refusal.correlation_id, ascii(scope["path"]))
            await answer.refuse(refusal)

    def _wrong_host(self, scope: Scope) -> Refusal | None:
        """Against DNS rebinding: a page of another name that resolves to us sends that name."""
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        # A target that is no path names a host of its own (http://name/path), which would count.
        if len(hosts) == 1 and hosts[0].lower() in self._hosts and scope["raw_path"].startswith(b"/"):
            return None
        return Refusal(421, f"this server answers to {', '.join(self._names[:-1])} and {self._names[-1]} only")

    def _wrong_method(self, scope: Scope) -> Refusal | None:
        if scope["method"] in METHODS:
            return None
        return Refusal(405, "there is no such method here", headers=[(b"allow", ALLOW)])

    async def _no_key(self, scope: Scope) -> Refusal | None:
        if scope["raw_path"] in OPEN_PATHS:
            return None
        keys = [value for name, value in scope["headers"] if name == KEY_HEADER]
        if len(keys) == 1 and secrets.compare_digest(_digest(keys[0]), self._key):
            return None
        if keys and await self._wrong_keys.count():
            return Refusal(429, "too many wrong keys", headers=[(b"retry-after", b"60")])
        return Refusal(401, "send the key in the header X-Dash-Key", headers=[(b"www-authenticate", b"X-Dash-Key")])


class _Answer:
    """The way out: puts the security headers on whatever is sent."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self._started = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._started = True
            # Put by us alone: a route can't weaken them.
            ours = {name for name, _ in SECURITY_HEADERS}
            theirs = [(name, value) for name, value in message.get("headers", []) if name.lower() not in ours]
            message = {**message, "headers": theirs + SECURITY_HEADERS}
        await self._send(message)

    async def refuse(self, refusal: Refusal) -> None:
        """Send an error, unless an answer has begun: that one is broken off by the server."""
        if self._started:
            raise ConnectionAbortedError("the answer had begun")
        body = refusal.body(self._scope["path"] if refusal.status not in (401, 421) else "")
        await self.send({"type": "http.response.start", "status": refusal.status, "headers": refusal.headers(body)})
        await self.send({"type": "http.response.body", "body": body})

    async def empty(self, status: int, headers: Headers) -> None:
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": b""})


def _digest(key: bytes) -> bytes:
    """Equal lengths, so that not even the length of the key shows in the time of the comparison."""
    return hashlib.sha256(key).digest()
