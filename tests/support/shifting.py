"""Real daemons whose wall clock a test sets, by way of tests/children/shifted.py."""

from __future__ import annotations

import shlex
from pathlib import Path

from supervisor.base.where import role_command

from .children import child
from .daemon import Daemon


def set_clock(home: Path, by: float) -> None:
    """Off by so many seconds, from now on."""
    (home / "clock.new").write_text(str(by))
    (home / "clock.new").rename(home / "clock")


def start_shifted(daemon: Daemon) -> None:
    """The shell drops the command line of the plain `start` for that of ours."""
    made = daemon.compile()
    assert made["ok"], made
    plain = role_command("start", str(daemon.home.path))
    shifted = [*plain[:3], child("shifted")[-1], *plain[4:]]
    daemon.launch(through=["/bin/sh", "-c", "exec " + shlex.join(shifted)])
    daemon.settle()
