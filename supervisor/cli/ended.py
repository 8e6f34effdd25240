"""What `start` wrote down last: why a tree that has stopped did so by itself (the end of a critical service), and
what it has told of a service that the journal may lack, since it is the scheduler that writes that."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.events.reading import Record
    from supervisor.model.home import Home

LOOK_BACK = 1 << 16
CRITICAL, BEGAN = "service.critical", "start.began"


def ended_by(home: Home) -> str:
    """In its words; "": nobody, or a person, has ended it."""
    if CRITICAL.encode() not in _tail(home.start_log):
        return ""
    told = [event for event in _told_since_it_began(home) if event.get("kind") == CRITICAL]
    return str(told[-1].get("text")) if told else ""


def with_told_by_start(home: Home, service: str, journal: list[Record]) -> list[Record]:
    """These events of that service, and those that the scheduler was not there any more to add."""
    known = {_what(event) for event in journal}
    told = [event for event in _told_since_it_began(home) if event.get("service") == service]
    missing = [event for event in told if _what(event) not in known]
    return sorted([*journal, *missing], key=lambda event: str(event.get("at"))) if missing else journal


def _what(event: Record) -> tuple[object, ...]:
    """It has a number in the journal only."""
    return event.get("at"), event.get("kind"), event.get("text")


def _told_since_it_began(home: Home) -> list[Record]:
    from supervisor.events import reading  # seldom needed

    events = reading.tail(home.start_log, LOOK_BACK)
    began = [place for place, event in enumerate(events) if event.get("kind") == BEGAN]
    return events[began[-1] :] if began else events


def _tail(path: str) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.pread(fd, LOOK_BACK, max(os.fstat(fd).st_size - LOOK_BACK, 0))
    except OSError:
        return b""
    finally:
        os.close(fd)
