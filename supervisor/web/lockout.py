"""Slows down whoever tries keys.

It never shuts out the right key: through a tunnel anybody can send wrong ones, and the owner must not be
locked out by them. A wrong key is answered late once there were too many; a caller that tries many at once is
told so at once, for then waiting would only cost us.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable

LIMIT = 20
WINDOW_S = 60.0
DELAY_S = 1.0
MAX_DELAYED = 16

_log = logging.getLogger("sbctl.web")


class WrongKeys:
    """Counts wrong keys of all callers: on a loopback address they can't be told apart."""

    def __init__(self, now: Callable[[], float], *, delay: float = DELAY_S) -> None:
        self._now = now
        self._delay = delay
        self._times: deque[float] = deque(maxlen=LIMIT)
        self._delayed = 0
        self._told = -WINDOW_S

    @property
    def too_many(self) -> bool:
        return len(self._times) == LIMIT and self._now() - self._times[0] < WINDOW_S

    async def count(self) -> bool:
        """Note one; True when it is to be answered with 429, after a wait."""
        locked = self.too_many
        self._times.append(self._now())
        if not locked:
            return False
        self._tell()
        if self._delayed < MAX_DELAYED:
            self._delayed += 1
            try:
                await asyncio.sleep(self._delay)
            finally:
                self._delayed -= 1
        return True

    def _tell(self) -> None:
        if self._now() - self._told >= WINDOW_S:
            self._told = self._now()
            _log.warning("more than %d wrong keys within %d s: they are answered slowly now", LIMIT, WINDOW_S)
