"""Rotated logs of a running tree: packed, and removed for the budget, while it goes on writing."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

from support.children import child
from support.daemon import Daemon
from support.waiting import eventually

from supervisor.base.rotation import rotated


def test_old_logs_are_packed_and_no_line_is_lost(daemon: Daemon) -> None:
    daemon.home.settings["logs"] = {"maxMb": 0.02, "keep": 50}
    daemon.home.write()
    daemon.home.add_plugin("loud", child("spew", 6000, 3000, 50, "stay"))
    daemon.start()
    log = daemon.home.path / "logs" / "loud" / "server.log"
    for number in (2, 6):  # whatever was prepared just then is prepared again
        eventually(log.with_name(f"server.log.{number}.gz").exists, 20)
        daemon.kill_scheduler()

    def all_packed() -> list[Path]:
        newest = log if log.exists() and log.stat().st_size else log.with_name("server.log.1")
        assert b"\n0000005999" in newest.read_bytes()
        older = [Path(each.name) for each in rotated(str(log))]
        assert [path.name for path in older if path.suffix != ".gz"] == ["server.log.1"]
        assert len(older) > 5
        return older

    older = eventually(all_packed, 20)

    data = b"".join(
        gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes() for path in older[::-1]
    )
    numbers = [int(line[:10]) for line in (data + log.read_bytes()).split(b"\n") if line[:1].isdigit()]
    assert numbers == list(range(6000))
    assert not [name for name in os.listdir(log.parent) if name.startswith(".")]
    assert daemon.events("loud", "log.failed") == []


def test_a_plan_of_many_steps_arrives_whole(daemon: Daemon) -> None:
    daemon.home.settings["logs"] = {"maxMb": 0.02, "totalBudgetMb": 0.01}
    daemon.home.write()
    daemon.home.add_plugin("loud", child("spew", 600, 0, 100, "stay"))
    old = [daemon.home.path / "logs" / f"gone{number:02d}" / "server.log.2" for number in range(60)]
    for path in old:
        path.parent.mkdir(parents=True)
        path.write_bytes(os.urandom(4096))
        os.utime(path, (0, 0))

    daemon.start()

    event, *_ = eventually(lambda: daemon.events("", "log.removed"), 20)
    assert event["data"]["files"] >= len(old)
    eventually(lambda: not any(path.exists() for path in old))
    assert f"{event['data']['files']} old log files removed" in event["text"]
