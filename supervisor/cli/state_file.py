"""logs/state.json while no scheduler runs: what people wish, written where the scheduler looks when it starts."""

from __future__ import annotations

import fcntl
import os

from supervisor.base.errors import NO_PERMISSION, Problem
from supervisor.base.files import read_small, write_atomic
from supervisor.cli.starting import make_folders
from supervisor.model.intent import Intent, NotReadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.model.home import Home


def change(home: Home, make: Callable[[Intent], bool]) -> None:
    """`make` says whether anything is new. One writer at a time; who reads sees the file as it was or as it is."""
    make_folders(home)
    try:
        lock = os.open(
            os.path.join(home.run, "state.lock"), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
        )
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            intent = read(home)
            if make(intent):
                write_atomic(home.intent_file, intent.to_bytes(), mode=0o644, durable=True)
        finally:
            os.close(lock)
    except OSError as error:
        raise Problem(f"can't write {home.intent_file}", why=error.strerror or str(error), code=NO_PERMISSION) from None


def read(home: Home) -> Intent:
    try:
        return Intent.from_bytes(read_small(home.intent_file))
    except FileNotFoundError:
        return Intent()
    except NotReadable as error:
        raise Problem(
            f"{home.intent_file} can't be read",
            why=str(error),
            remedy="mend it, or remove it: all services and schedules then go by their settings",
        ) from None
