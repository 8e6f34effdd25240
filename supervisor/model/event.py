"""One frozen record of something that has happened; the only thing that is ever logged.

Filled at the moment of the change, because the service goes on changing. `text` is the sentence for
people; `data` is for programs. The scheduler's journal numbers them.
"""

from __future__ import annotations

from supervisor.base.clock import iso

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_FIELDS = ("seq", "at", "kind", "service", "level", "source", "text", "data")  # the order in the journal

INFO = "info"
WARNING = "warning"
ERROR = "error"


class Event:
    """What happened, to whom, when."""

    __slots__ = ("at", "data", "kind", "level", "seq", "service", "source", "text")

    def __init__(
        self,
        kind: str,
        text: str,
        *,
        at: float,
        service: str = "",
        level: str = INFO,
        source: str = "",
        seq: str = "",
        data: dict[str, Any] | None = None,
    ) -> None:
        self.kind = kind  # past tense with a dot: service.started, service.gave_up, settings.reloaded, tick
        self.text = text
        self.at = at  # wall time
        self.service = service  # "" = the whole
        self.level = level
        self.source = source  # start, scheduler, tunnel: who saw it
        self.seq = seq  # "epoch.number", given by the journal
        self.data = data or {}

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _FIELDS}

    def as_record(self) -> dict[str, Any]:
        """As the journal and the control interface show it: the time as text."""
        record = self.as_dict()
        record["at"] = iso(self.at)
        return record

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Event:
        return cls(
            data["kind"],
            data["text"],
            at=data["at"],
            service=data["service"],
            level=data["level"],
            source=data["source"],
            seq=data["seq"],
            data=data["data"],
        )
