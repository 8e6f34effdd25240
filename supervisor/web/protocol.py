"""One HTTP connection with limits on time and number, which uvicorn leaves to a proxy.

A connection waits for its next request head for IDLE_S and no longer, however slowly bytes trickle in; a request
has REQUEST_S; and of too many connections the one that has been idle longest makes room. So a hundred half-open
connections cost a hundred sockets for a while, and nobody an answer.
"""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from supervisor.web.guard import SECURITY_HEADERS
from supervisor.web.problems import Refusal

IDLE_S = 15.0
REQUEST_S = 30.0
MAX_CONNECTIONS = 200
MAX_HEAD = 16 << 10


class LimitedProtocol(H11Protocol):
    """uvicorn's protocol with a deadline that a trickle of bytes does not move."""

    _deadline: asyncio.TimerHandle | None = None

    @property
    def busy(self) -> bool:
        """Is a request being answered?"""
        return self.cycle is not None and not self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._give(IDLE_S)
        if len(self.connections) > MAX_CONNECTIONS:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        super().connection_lost(exc)
        self._unset_keepalive_if_required()  # of one that was reset uvicorn forgets it, and keeps all of it in mind

    def data_received(self, data: bytes) -> None:
        was_busy = self.busy
        super().data_received(data)
        if self.busy and not was_busy:
            self._give(REQUEST_S)

    def on_response_complete(self) -> None:
        self._give(IDLE_S)
        super().on_response_complete()
        if self.busy:  # the next request was waiting already
            self._give(REQUEST_S)

    def send_400_response(self, msg: str) -> None:
        """Like any other error answer. One that has begun can only be broken off."""
        begun = self.busy and self.cycle.response_started
        if begun or self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.abort()
            return
        if self.busy:
            self.cycle.disconnected = True  # whatever the app still says goes nowhere
        refusal = Refusal(400, "this is no HTTP request that can be understood")
        body = refusal.body()
        headers = [*refusal.headers(body), *SECURITY_HEADERS, (b"connection", b"close")]
        for event in (
            h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _give(self, seconds: float) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        if not self.transport.is_closing():
            self._deadline = self.loop.call_later(seconds, self.transport.abort)

    def _make_room(self) -> None:
        idle = [
            other
            for other in self.connections
            if isinstance(other, LimitedProtocol) and not other.busy and not other.transport.is_closing()
        ]
        oldest = min(idle, key=lambda other: other._deadline.when() if other._deadline else 0.0)
        oldest.transport.abort()
