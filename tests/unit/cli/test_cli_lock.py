"""Who holds a home's lock, without touching it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from supervisor.cli.quick import lock_holder
from supervisor.model.home import Home

HOLD = "import fcntl, sys; file = open(sys.argv[1], 'w'); fcntl.flock(file, fcntl.LOCK_EX); print(flush=True); input()"


@pytest.mark.parametrize("name", ["plain", "with blanks", "ü", os.fsdecode(b"not \xff utf-8")])
def test_the_holder_is_found_in_a_home_of_any_name(tmp_path: Path, name: str) -> None:
    home = Home(str(tmp_path / name))
    os.makedirs(home.run)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, home.lock_file], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout
        holder.stdout.readline()

        assert lock_holder(home) == holder.pid
    finally:
        holder.communicate(b"\n", timeout=10)
    assert lock_holder(home) is None
