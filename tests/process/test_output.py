"""R07, R34, R35: what servers write: every byte once in the raw file, whatever it is; nothing of it costs a daemon."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.children import child
from support.daemon import PYTHON, Daemon
from support.numbers import check_numbers, raw_files
from support.processes import resident_kib
from support.waiting import eventually

STAY = "\nimport signal\nwhile True: signal.pause()"
ODD = b"ready \xff\xfe\x80 nul \x00 esc \x1b[31m \xe2\x82\xac \r\n"


def raw(daemon: Daemon, name: str) -> bytes:
    try:
        return (daemon.home.path / "logs" / name / "server.log").read_bytes()
    except FileNotFoundError:
        return b""


def events(daemon: Daemon, kind: str) -> list[str]:
    return [event["service"] for event in daemon.home.events() if event["kind"] == kind]


def test_bytes_that_are_no_text_arrive_as_they_are(daemon: Daemon) -> None:
    daemon.home.add_plugin("odd", [PYTHON, "-c", f"import os; os.write(1, {ODD!r}){STAY}"])
    daemon.start()

    eventually(lambda: raw(daemon, "odd") == ODD)

    daily = next((daemon.home.path / "logs" / "scheduler").glob("*.log"))
    line = eventually(lambda: [line for line in daily.read_bytes().split(b"\n") if b"odd | " in line])[0]
    assert b"\x00" not in line
    assert b"\x1b" not in line
    line.decode("utf-8")
    assert len(daemon.ask("scheduler", "status")["rows"]) == 1


def test_ten_megabytes_without_a_line_end_do_not_grow_the_daemons(daemon: Daemon) -> None:
    daemon.home.settings["logs"] = {"maxMb": 30}
    daemon.home.write()
    size = 10 << 20
    text = f"import sys, signal\nsys.stdout.write('ready\\n'); sys.stdout.flush()\nsignal.pause()\n{STAY}"
    text = text.replace("signal.pause()\n", "signal.sigwait([signal.SIGUSR1])\n", 1)
    text = text.replace("import sys, signal\n", "import sys, signal\nsignal.pthread_sigmask(0, [signal.SIGUSR1])\n", 1)
    text = text.replace(STAY, f"sys.stdout.write('x' * {size}); sys.stdout.flush(){STAY}")
    daemon.home.add_plugin("endless", [PYTHON, "-c", text])
    daemon.start()
    eventually(lambda: raw(daemon, "endless") == b"ready\n")
    before = {role: resident_kib(daemon.pid(role)) for role in ("start", "scheduler")}

    os.kill(daemon.row("endless")["pid"], 10)

    eventually(lambda: len(raw(daemon, "endless")) == size + 6)
    for role, kib in before.items():
        assert resident_kib(daemon.pid(role)) - kib < 32 << 10, role


def test_rotation_at_full_speed_keeps_every_line_whole_and_once(daemon: Daemon) -> None:
    daemon.home.settings["logs"] = {"maxMb": 1, "keep": 60, "gzip": False}
    daemon.home.write()
    count = 400_000
    daemon.home.add_plugin("full", child("spew", count, 0, 100, "stay"))
    daemon.start()

    eventually(lambda: b"%010d" % (count - 1) in raw(daemon, "full")[-300:], 20)

    files = raw_files(daemon.home, "full")
    assert len(files) > 5
    assert all(path.read_bytes().endswith(b"\n") for path in files)
    assert check_numbers(daemon.home, "full") == count
    # A bounded overrun keeps a line whole; more would not be rotation by size.
    assert max(path.stat().st_size for path in files) <= (1 << 20) + (1 << 20) + 100


def test_no_more_rotated_files_are_kept_than_asked(daemon: Daemon) -> None:
    daemon.home.settings["logs"] = {"maxMb": 0.05, "keep": 3}
    daemon.home.write()
    daemon.home.add_plugin("writer", child("spew", 20_000, 0, 100, "stay"))
    daemon.start()

    eventually(lambda: b"0000019999" in raw(daemon, "writer")[-300:])

    assert [path.name for path in raw_files(daemon.home, "writer")] == [
        "server.log.3",
        "server.log.2",
        "server.log.1",
        "server.log",
    ]
    check_numbers(daemon.home, "writer", from_zero=False)


@pytest.fixture
def writer(daemon: Daemon) -> Daemon:
    daemon.home.add_plugin("writer", child("spew", 0, 200))
    daemon.start()
    eventually(lambda: raw(daemon, "writer").count(b"\n") > 5)
    return daemon


def test_a_log_that_is_deleted_is_begun_anew(writer: Daemon) -> None:
    path = writer.home.path / "logs" / "writer" / "server.log"
    path.unlink()

    eventually(lambda: raw(writer, "writer").count(b"\n") > 5)

    assert check_numbers(writer.home, "writer", from_zero=False, at_least=5)
    assert events(writer, "log.failed") == []


def test_a_log_that_is_moved_away_is_begun_anew_soon(writer: Daemon) -> None:
    path = writer.home.path / "logs" / "writer" / "server.log"
    path.rename(path.with_name("server.log.1"))

    eventually(lambda: raw(writer, "writer").count(b"\n") > 5)

    assert writer.stop() == 0
    check_numbers(writer.home, "writer", at_least=10)


def test_a_log_that_is_emptied_by_hand_goes_on_without_a_hole(writer: Daemon) -> None:
    path = writer.home.path / "logs" / "writer" / "server.log"
    os.truncate(path, 0)

    eventually(lambda: raw(writer, "writer").count(b"\n") > 5)

    assert b"\0" not in raw(writer, "writer")
    assert raw(writer, "writer").split(b"\n")[1][:10].isdigit()


def become_folder(path: Path) -> bool:
    """False: whoever writes there was quicker with a new file."""
    path.unlink(missing_ok=True)
    try:
        path.mkdir()
    except FileExistsError:
        return False
    return True


def test_a_folder_in_place_of_the_log_is_told_once_and_survived(writer: Daemon) -> None:
    path = writer.home.path / "logs" / "writer" / "server.log"
    pid = writer.row("writer")["pid"]
    eventually(lambda: become_folder(path))
    eventually(lambda: events(writer, "log.failed") == ["writer"])

    shutil.rmtree(path)

    eventually(lambda: events(writer, "log.recovered") == ["writer"])
    eventually(lambda: raw(writer, "writer").count(b"\n") > 2)
    assert writer.row("writer")["pid"] == pid
    assert events(writer, "log.failed") == ["writer"]


@pytest.fixture
def small_disk(daemon: Daemon) -> Iterator[Path]:
    """256 KiB for one server's logs."""
    folder = daemon.home.path / "logs" / "writer"
    folder.mkdir(parents=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder], check=False)
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    yield folder
    daemon.end()
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.root
def test_a_full_disk_stops_no_server_and_is_told_once(daemon: Daemon, small_disk: Path) -> None:
    daemon.home.add_plugin("writer", child("spew", 0, 5000))
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * (200 << 10))
    daemon.start()
    pid = daemon.row("writer")["pid"]
    eventually(lambda: events(daemon, "log.failed") == ["writer"])
    size = len(raw(daemon, "writer"))

    filler.unlink()

    eventually(lambda: events(daemon, "log.recovered") == ["writer"], 5)
    eventually(lambda: len(raw(daemon, "writer")) > size)
    assert daemon.row("writer")["pid"] == pid
    assert events(daemon, "log.failed")[:1] == ["writer"]
    assert "Traceback" not in (daemon.home.path / "logs" / "scheduler.out").read_text()


def test_the_log_of_start_does_not_grow_for_ever(daemon: Daemon) -> None:
    logs = daemon.home.path / "logs"
    logs.mkdir()
    (logs / "start.log").write_bytes(b"")
    os.truncate(logs / "start.log", 11 << 20)

    daemon.start()

    assert (logs / "start.log.1").stat().st_size > 10 << 20
    assert "start.began" in (logs / "start.log").read_text()
