"""A copy of the files that a revision was made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Sources:
    """Contents by path relative to the home, byte for byte."""

    number: str  # of the revision
    at: str
    files: dict[str, bytes]

    def as_dict(self) -> dict[str, Any]:
        """As text, also where it is none: a byte that is not UTF-8 comes back as it was."""
        files = {name: data.decode("utf-8", "surrogateescape") for name, data in sorted(self.files.items())}
        return {"revision": self.number, "at": self.at, "files": files}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Sources:
        files = {name: text.encode("utf-8", "surrogateescape") for name, text in data["files"].items()}
        return cls(data["revision"], data["at"], files)
