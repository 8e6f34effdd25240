"""Started on a disk that is full already: everything runs, and says what it can't write."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.children import child
from support.daemon import Daemon
from support.waiting import eventually


@pytest.fixture
def logs(daemon: Daemon) -> Iterator[Path]:
    """512 KiB for everything below logs/."""
    folder = daemon.home.path / "logs"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k,mode=755", "tmpfs", folder], check=False)
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    yield folder
    daemon.end()
    subprocess.run(["umount", "-l", folder], check=True)


def fill(folder: Path) -> Path:
    filler = folder / "filler"
    with open(filler, "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            return filler


@pytest.mark.root
def test_a_start_on_a_full_disk(daemon: Daemon, logs: Path) -> None:
    daemon.home.add_plugin("server", child("spew", 0, 200))
    (logs / "server").mkdir()
    daemon.compile()
    (logs / "run" / "records").touch()
    filler = fill(logs)

    daemon.start()

    row = daemon.row("server")
    assert row["state"] == "running"
    eventually(lambda: "output is dropped" in daemon.row("server")["detail"])
    filler.unlink()
    eventually(lambda: daemon.row("server")["detail"] == "")
    eventually(lambda: (logs / "server" / "server.log").stat().st_size > 0)
    assert daemon.row("server")["pid"] == row["pid"]
    assert daemon.stop() == 0
