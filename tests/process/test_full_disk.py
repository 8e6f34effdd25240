"""R10: started on a disk that is full already: everything runs, and says what it can't write."""

from __future__ import annotations

import itertools
import os
import re
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


@pytest.mark.root
def test_a_disk_that_fills_up_while_logs_rotate(daemon: Daemon, logs: Path) -> None:
    daemon.home.settings["logs"] = {"maxMb": 0.02, "keep": 3}
    daemon.home.write()
    daemon.home.add_plugin("server", child("spew", 0, 2000))
    (logs / "server").mkdir()
    daemon.start()
    pid = daemon.row("server")["pid"]
    eventually((logs / "server" / "server.log.2.gz").exists)

    filler = fill(logs)
    eventually(lambda: "output is dropped" in daemon.row("server")["detail"])
    filler.unlink()
    eventually(lambda: daemon.row("server")["detail"] == "")

    newest = logs / "server" / "server.log"
    eventually(lambda: newest.exists() and newest.read_bytes().count(b"\n") > 10)
    assert daemon.row("server")["pid"] == pid
    shown = daemon.home.sbctl("logs", "server", "--since", "1h", "--stdout", "--no-prefix")
    assert shown.code == 0
    numbers = [int(number) for number in re.findall(r"\] (\d{10})\.+$", shown.out, re.MULTILINE)]
    assert len(numbers) > 100
    torn = sum(later <= earlier for earlier, later in itertools.pairwise(numbers))
    assert torn <= 2, "but for the line that the disk cut, what was written is whole and in order"
    kinds = [event["kind"] for event in daemon.events("server")]
    assert kinds.count("log.recovered") <= kinds.count("log.failed") <= 3


@pytest.mark.root
@pytest.mark.slow
def test_what_is_over_the_budget_goes_when_the_disk_is_full(daemon: Daemon, logs: Path) -> None:
    daemon.home.settings["logs"] = {"maxMb": 0.02, "keep": 50, "totalBudgetMb": 0.05}
    daemon.home.write()
    daemon.home.add_plugin("server", child("spew", 0, 100))
    (logs / "server").mkdir()
    daemon.start()  # the server's first rotation, and with it the first look at budgets, is two seconds away
    old = [logs / "gone" / f"server.log.{number}" for number in range(2, 6)]  # of a server of yesterday
    old[0].parent.mkdir()
    for path in old:
        path.write_bytes(os.urandom(16 * 1024))
        os.utime(path, (0, 0))
    filler = fill(logs)
    os.truncate(filler, filler.stat().st_size - 24 * 1024)

    eventually(lambda: not any(path.exists() for path in old), 20)

    assert "stay as they are" not in " ".join(event["text"] for event in daemon.events("", "log.failed"))
    assert daemon.row("server")["state"] == "running"
