"""What s6 and runit have in common: run scripts, and rotated files that bear the time of their end."""

from __future__ import annotations

from pathlib import Path


def write_script(path: Path, line: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


def by_stamp(folder: Path) -> list[Path]:
    """@4000000069a1…, previous (of an s6-log that is just rotating), current: oldest first."""
    named = [folder / "previous", folder / "current"]
    return [*sorted(folder.glob("@*")), *(file for file in named if file.exists())]
