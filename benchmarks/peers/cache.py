"""Where the peers are kept from one run to the next, and how what can't be had is told."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

INSTALL_S = 300.0


class Unavailable(Exception):
    """A peer that can't be had here; the text is the reason."""


def folder() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "sbctl-benchmarks"


def run(argv: list[str], cwd: Path | None = None) -> str:
    """What it printed; Unavailable with its last words if it fails."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=INSTALL_S, check=False, cwd=cwd)
    except (OSError, subprocess.SubprocessError) as error:
        raise Unavailable(str(error)) from error
    if done.returncode != 0:
        words = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise Unavailable(words[-1] if words else f"{argv[0]} ended with {done.returncode}")
    return done.stdout


def is_complete(place: Path, wanted: str) -> bool:
    """Whether all that is wanted was installed there; an installation that broke off has no stamp."""
    stamp = place / "complete"
    return stamp.exists() and stamp.read_text() == wanted


def set_complete(place: Path, wanted: str) -> None:
    (place / "complete").write_text(wanted)
