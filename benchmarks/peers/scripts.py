"""The run scripts of s6 and runit."""

from __future__ import annotations

from pathlib import Path


def write_script(path: Path, line: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)
