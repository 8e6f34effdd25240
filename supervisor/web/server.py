"""uvicorn with a main loop that sleeps, and an end that comes at once.

uvicorn's own wakes up ten times a second to look at a flag, and waits in steps of a tenth of a second at the
end. Here both wait for what they wait for.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Generator

import uvicorn
from starlette.types import ASGIApp

from supervisor.web.port import BACKLOG
from supervisor.web.protocol import IDLE_S, MAX_HEAD, LimitedProtocol

GRACE_S = 1.0  # for requests that are being answered
LAST_S = 0.1  # for them to say that we are going


class QuietServer(uvicorn.Server):
    """Serves until `stop` is set."""

    def __init__(self, app: ASGIApp, stop: asyncio.Event, on_ready: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=LimitedProtocol,
                ws="none",
                lifespan="off",
                loop="asyncio",
                interface="asgi3",
                log_config=None,
                access_log=False,
                proxy_headers=False,  # what such a header says is worth nothing here
                server_header=False,
                date_header=False,
                backlog=BACKLOG,
                timeout_keep_alive=int(IDLE_S),
                h11_max_incomplete_event_size=MAX_HEAD,
            )
        )
        self._stop = stop
        self._on_ready = on_ready

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield  # they are ours, and set `stop`

    async def main_loop(self) -> None:
        self._on_ready()
        await self._stop.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Idle connections are closed now; requests have a moment, then they are told that we go."""
        for server in self.servers:
            server.close()
        connections = self.server_state.connections
        for connection in list(connections):
            connection.shutdown()
        tasks = set(self.server_state.tasks)
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=GRACE_S)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=LAST_S)
        for connection in list(connections):
            connection.transport.close()
