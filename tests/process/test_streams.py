"""stdout and stderr apart: each in its file, over the deaths of those who read them; and nothing kept at all."""

from __future__ import annotations

import os
from pathlib import Path

from support.daemon import PYTHON, Daemon
from support.waiting import eventually

from supervisor.base.time_index import read_marks

# Numbers to both, each its own, and nothing between two writes that could order them.
BOTH = """
import os, select
for n in range(4000):
    os.write(1, b"out %06d\\n" % n)
    os.write(2, b"err %06d\\n" % n)
    if n % 50 == 0:
        select.select([], [], [], 0.02)
os.write(2, b"done\\n")
select.select([], [], [])
"""


def numbers(path: Path) -> list[bytes]:
    older = sorted(path.parent.glob(f"{path.name}.*[0-9]"), key=lambda file: -int(file.suffix[1:]))
    data = b"".join(file.read_bytes() for file in [*older, path] if file.exists())
    return data.replace(b"done\n", b"").splitlines()


def test_both_streams_are_exact_over_kills_and_rotations(daemon: Daemon) -> None:
    daemon.home.settings["logs"] = {"maxMb": 0.005, "keep": 100, "gzip": False}
    daemon.home.write()
    daemon.home.add_plugin("both", [PYTHON, "-I", "-S", "-c", BOTH], log={"stderr": "separate"})
    daemon.start()
    log = daemon.home.path / "logs" / "both" / "server.log"
    err = log.with_name("server.err.log")
    for _ in range(2):
        pid = daemon.pid("scheduler")
        daemon.kill_scheduler()
        eventually(lambda pid=pid: daemon.pid("scheduler") != pid)  # type: ignore[misc]

    eventually(lambda: len(numbers(err)) == len(numbers(log)) == 4000, 30)

    assert numbers(log) == [b"out %06d" % n for n in range(4000)]
    assert numbers(err) == [b"err %06d" % n for n in range(4000)]
    older = err.with_name("server.err.log.1")
    found = os.stat(older)
    assert read_marks(f"{older}.idx", found.st_ino, found.st_size), "its times have moved with it"


def test_last_words_are_those_of_stderr(daemon: Daemon) -> None:
    command = "echo chatter; echo broken >&2; sleep 0.3; echo more chatter; exit 3"
    daemon.home.add_plugin("sad", ["/bin/sh", "-c", command], restart="never", log={"stderr": "separate"})
    daemon.start()

    daemon.in_phase("sad", "failed")

    assert daemon.ask("scheduler", "why", name="sad")["words"] == ["broken"]


def test_nothing_is_kept_where_nothing_is_wanted(daemon: Daemon) -> None:
    daemon.home.add_plugin(
        "mute", ["/bin/sh", "-c", "echo words; echo words >&2; touch said; exec sleep 1000"], log="none"
    )
    daemon.start()

    eventually((daemon.home.path / "plugins" / "mute" / "said").exists)

    assert daemon.row("mute")["state"] == "running"
    assert not (daemon.home.path / "logs" / "mute" / "server.log").exists()


def test_files_that_a_person_changed_are_written_on_each_by_itself(daemon: Daemon) -> None:
    command = "while :; do echo out; echo err >&2; sleep 0.02; done"
    daemon.home.add_plugin("both", ["/bin/sh", "-c", command], log={"stderr": "separate"})
    daemon.start()
    log = daemon.home.path / "logs" / "both" / "server.log"
    err = log.with_name("server.err.log")
    eventually(lambda: log.stat().st_size > 8 and err.stat().st_size > 8)

    os.truncate(err, 0)
    log.rename(log.with_name("elsewhere"))

    eventually(lambda: log.exists() and log.stat().st_size > 8 and err.stat().st_size > 8)
    assert set(log.read_bytes().splitlines()[:-1]) == {b"out"}
    assert set(err.read_bytes().splitlines()[:-1]) == {b"err"}
    for path in (log, err):
        found = path.stat()
        marks = eventually(lambda path=path: read_marks(f"{path}.idx", path.stat().st_ino, 1 << 30))  # type: ignore[misc]
        assert marks[0][1] == 0
        assert marks[0][0] <= found.st_mtime + 1
