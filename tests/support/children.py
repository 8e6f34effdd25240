"""The command lines of the programs in tests/children, each of which does one thing badly (or well)."""

from __future__ import annotations

import os
import sys

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "children")


def child(name: str, *arguments: object) -> list[str]:
    """The argv of `tests/children/<name>.py`: a bare interpreter, since its start is part of many a wait."""
    path = os.path.join(FOLDER, f"{name}.py")
    assert os.path.exists(path), f"no such child program: {path}"
    return [sys.executable, "-I", "-S", path, *map(str, arguments)]
