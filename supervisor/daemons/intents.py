"""`logs/state.json` of a running scheduler: read once, written at each change, never waited for.

It must survive everything, and nothing may fail because of it: one that can't be read is put aside.
"""

from __future__ import annotations

import _thread
import os

from supervisor.base.clock import iso
from supervisor.base.errors import FAILED, Problem
from supervisor.base.files import read_small, write_atomic
from supervisor.daemons.common import sync
from supervisor.model.event import WARNING
from supervisor.model.intent import Intent, NotReadable
from supervisor.model.wishes import Wishes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.base.clock import Clock
    from supervisor.events.bus import Bus
    from supervisor.model.home import Home

MAX_BYTES = 64 << 20  # a hundred thousand schedules


class Intents:
    """Which services a person has enabled or disabled."""

    def __init__(self, home: Home, bus: Bus, clock: Clock) -> None:
        self._home = home
        self._bus = bus
        self._clock = clock
        self._intent = Intent()

    def read(self) -> dict[str, bool]:
        path = self._home.intent_file
        try:
            self._intent = Intent.from_bytes(read_small(path, MAX_BYTES))
        except FileNotFoundError:
            self._intent = Intent()
        except OSError as error:
            self._complain(f"can't read {path}: {error.strerror}: services go by the settings alone")
        except NotReadable as error:
            self._put_aside(path, str(error))
        return self._intent.enabled()

    def _put_aside(self, path: str, why: str) -> None:
        folder, _, name = path.rpartition("/")
        aside = f"{folder}/.broken-{name}"
        try:
            os.rename(path, aside)
        except OSError as error:
            aside = f"its place ({error.strerror})"
        self._complain(f"{path} can't be used ({why}), it was moved to {aside}: services go by the settings alone")

    def _complain(self, text: str) -> None:
        self._bus.tell("intent.broken", text, level=WARNING)

    def set(self, names: list[str], *, enabled: bool, by: str, words: list[str] | None = None) -> list[str]:
        """Returns those for which that is new; a Problem when it can't be written, so that nobody relies on it.

        `words`: as they were given, where the name of a plugin means its instances to come as well.
        """
        at = iso(self._clock.wall())
        wanted = self._intent.copy()
        changed = wanted.choose(words or [], names, enabled=enabled, at=at, by=by)
        if wanted.enabled() != self._intent.enabled():
            self._write(wanted)
        return changed

    def _write(self, wanted: Intent) -> None:
        try:
            write_atomic(self._home.intent_file, wanted.to_bytes(), mode=0o644)
        except OSError as error:
            raise Problem(
                f"can't write {self._home.intent_file}",
                why=error.strerror or str(error),
                remedy="make room on the disk, then try again",
                code=FAILED,
            ) from None
        self._intent = wanted
        _thread.start_new_thread(sync, (self._home.intent_file,))  # the disk is not for the loop

    def wishes(self) -> Wishes:
        """Of schedules."""
        return self._intent.schedules.copy()

    def save_wishes(self, wishes: Wishes) -> None:
        """A Problem when they can't be written."""
        wanted = self._intent.copy()
        wanted.schedules = wishes.copy()
        self._write(wanted)

    def enabled(self) -> dict[str, bool]:
        return self._intent.enabled()
