"""Raw log files as the daemons leave them, with the times of their lines."""

from __future__ import annotations

import os
from pathlib import Path

from supervisor.base.time_index import TimeIndex
from supervisor.model.home import Home

NOON = 1_795_262_400.0  # 2026-11-21 12:00:00 UTC


def home_with_logs(folder: Path) -> Home:
    """Of two plugins, that have not written anything."""
    home = Home(str(folder))
    for name in ("web", "mail"):
        os.makedirs(home.plugin(name))
        Path(home.plugin(name), "manifest.json").write_text("{}")
        os.makedirs(home.plugin_logs(name))
    return home


def write(path: str, *lines: tuple[float, str], index: bool = True) -> None:
    """A raw file whose lines were written at these times."""
    with open(path, "a+b", buffering=0) as file:
        marks = TimeIndex(f"{path}.idx")
        for wall, text in lines:
            if index:
                marks.mark(file.fileno(), NOON + wall, file.tell())
            file.write(text.encode() + b"\n")
    os.utime(path, (NOON + lines[-1][0],) * 2)


def texts(out: str) -> list[str]:
    return [line.partition(" | ")[2] or line for line in out.splitlines()]
