"""The numbered lines of tests/children/spew.py: none lost, none twice, none out of order."""

from __future__ import annotations

from pathlib import Path

from .home import TemporaryHome


def raw_files(home: TemporaryHome, name: str) -> list[Path]:
    """A server's raw files, oldest first; the indexes of their times are none."""
    folder = home.path / "logs" / name
    older = sorted(folder.glob("server.log.*[0-9]"), key=lambda path: -int(path.suffix[1:]))
    return [path for path in (*older, folder / "server.log") if path.exists()]


def check_numbers(home: TemporaryHome, name: str, *, from_zero: bool = True, at_least: int = 100) -> int:
    """Every number once and in order, up to the line that a stop may have cut; returns how many."""
    lines = b"".join(path.read_bytes() for path in raw_files(home, name)).split(b"\n")[:-1]
    if lines[0] == b"ready":
        lines.pop(0)
    assert len(lines) >= at_least, (name, len(lines))
    first = int(lines[0][:10])
    assert first == 0 or not from_zero, f"{name} begins with {first}"
    for offset, line in enumerate(lines):
        assert line[:10] == b"%010d" % (first + offset), f"{name}: {first + offset} is not there but {line[:60]!r}"
    return len(lines)
