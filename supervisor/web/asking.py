"""Blocking questions beside the event loop: at most one at a time, with a limit on the wait.

A daemon that hangs keeps one thread busy, not one for each request. The thread is a daemon thread, for
a pool's threads would be waited for at the exit.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any

LIMIT_S = 2.0

Status = dict[str, Any]


class Asker:
    """Callers that come while a question is on its way get that question's answer."""

    def __init__(self, ask: Callable[[], Status], limit: float = LIMIT_S) -> None:
        self._ask = ask
        self._limit = limit
        self._answer: asyncio.Future[Status] | None = None

    async def get(self) -> Status:
        """The answer; TimeoutError when there is none in time, or whatever asking raised."""
        answer = self._answer
        if answer is None or answer.done():
            loop = asyncio.get_running_loop()
            answer = self._answer = loop.create_future()
            answer.add_done_callback(_seen)
            threading.Thread(target=self._run, args=(loop, answer), name="status", daemon=True).start()
        async with asyncio.timeout(self._limit):
            return await asyncio.shield(answer)

    def _run(self, loop: asyncio.AbstractEventLoop, answer: asyncio.Future[Status]) -> None:
        try:
            value = self._ask()
        except Exception as error:
            self._deliver(loop, answer.set_exception, error)
        else:
            self._deliver(loop, answer.set_result, value)

    def _deliver(self, loop: asyncio.AbstractEventLoop, call: Callable[[Any], None], value: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended; so has everybody who waited
            loop.call_soon_threadsafe(call, value)


def _seen(answer: asyncio.Future[Status]) -> None:
    """Nobody may be waiting any more; without this asyncio would complain that nobody looked."""
    if not answer.cancelled():
        answer.exception()
