"""What must be so before a service is started: other services, files, ports, room on the disk."""

from __future__ import annotations

import enum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Condition(enum.StrEnum):
    """What is required of another service."""

    STARTED = "started"  # its process is there
    READY = "ready"  # it is ready; one that declares no readiness is ready when it runs
    FINISHED = "finished"  # it has done its work and ended well


class Need:
    """Another service that must be there."""

    __slots__ = ("condition", "name", "restart")

    def __init__(self, name: str, condition: Condition = Condition.READY, *, restart: bool = False) -> None:
        self.name = name
        self.condition = condition
        self.restart = restart  # restart whoever needs it when it has been restarted

    def as_dict(self) -> dict[str, Any]:
        return {"name": self.name, "condition": self.condition.value, "restart": self.restart}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Need:
        return cls(data["name"], Condition(data["condition"]), restart=data["restart"])


class Order:
    """Names are those of services: a plugin with instances has been written out."""

    __slots__ = ("after", "files", "free_bytes", "free_path", "neighbours", "ports", "requires")

    def __init__(
        self,
        *,
        after: tuple[str, ...] = (),
        requires: tuple[Need, ...] = (),
        files: tuple[str, ...] = (),
        ports: tuple[int, ...] = (),
        free_bytes: int = 0,
        free_path: str = "",
    ) -> None:
        self.after = after  # order only: wait while they are on their way up
        self.requires = requires  # wait until they are what is required, stop when they stop
        self.neighbours = (*after, *(need.name for need in requires))  # everybody it is ordered behind
        self.files = files  # absolute paths that must exist
        self.ports = ports  # TCP ports that must be free
        self.free_bytes = free_bytes  # room that must be free ...
        self.free_path = free_path  # ... on the disk of this path

    @property
    def has_surroundings(self) -> bool:
        """Whether anything but other services is asked for."""
        return bool(self.files or self.ports or self.free_bytes)

    def as_dict(self) -> dict[str, Any]:
        return {
            "after": list(self.after),
            "requires": [need.as_dict() for need in self.requires],
            "files": list(self.files),
            "ports": list(self.ports),
            "free_bytes": self.free_bytes,
            "free_path": self.free_path,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Order:
        return cls(
            after=tuple(data["after"]),
            requires=tuple(Need.from_dict(need) for need in data["requires"]),
            files=tuple(data["files"]),
            ports=tuple(data["ports"]),
            free_bytes=data["free_bytes"],
            free_path=data["free_path"],
        )
