"""Times of the journal, as the differences that tests are about."""

from __future__ import annotations

from datetime import datetime
from typing import Any


def moment(event: dict[str, Any]) -> float:
    return datetime.fromisoformat(event["at"]).timestamp()


def pauses(events: list[dict[str, Any]]) -> list[float]:
    """From each end of a service to the start that followed it."""
    found: list[float] = []
    ended = None
    for event in events:
        if event["kind"] == "service.exited":
            ended = moment(event)
        elif event["kind"] == "service.started" and ended is not None:
            found.append(moment(event) - ended)
            ended = None
    return found
