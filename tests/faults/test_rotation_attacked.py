"""R34 R33 R49: logs that are rotated at full speed, taken away and put in the way of; crash loops under a cap.

No line is lost or torn but those that had no file to go to, and these are counted.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import pytest
from support.children import child
from support.daemon import Daemon
from support.numbers import check_numbers, raw_files
from support.processes import resident_kib
from support.waiting import eventually

from supervisor.base.errors import Problem

MIB = 1 << 20

# R34: fifty megabytes a second


@pytest.mark.parametrize("seconds", [1, pytest.param(10, marks=[pytest.mark.slow, pytest.mark.timeout(180)])])
def test_fifty_megabytes_a_second(daemon: Daemon, seconds: int) -> None:
    """Two servers together, each rotated some times a second; every line once, whole and in order."""
    count, length = 25_000 * seconds, 1000
    daemon.home.settings["logs"] = {"maxMb": 5, "keep": 400, "gzip": False}
    daemon.home.write()
    for name in ("one", "two"):
        daemon.home.add_plugin(name, child("spew", count, 0, length, "stay"))
    daemon.start()
    for name in ("one", "two"):
        end = b"%010d" % (count - 1)
        eventually(lambda name=name, end=end: end in last_bytes(daemon, name, 2 * length), 60)
        files = raw_files(daemon.home, name)
        assert len(files) >= 4 * seconds
        for path in files:
            with path.open("rb") as file:
                file.seek(-1, os.SEEK_END)
                assert file.read() == b"\n", path
        assert check_numbers(daemon.home, name) == count
    assert "Traceback" not in (daemon.home.path / "logs" / "scheduler.out").read_text()


def last_bytes(daemon: Daemon, name: str, count: int) -> bytes:
    try:
        with (daemon.home.path / "logs" / name / "server.log").open("rb") as file:
            file.seek(max(file.seek(0, os.SEEK_END) - count, 0))
            return file.read()
    except FileNotFoundError:
        return b""


# R34: attacks


def slowly(value: object) -> object:
    """In `make faults` only."""
    return pytest.param(value, marks=pytest.mark.slow)


class Writer:
    """A server that writes numbered lines, and everything of its log that we have seen a name of."""

    RATE = 2000

    def __init__(self, daemon: Daemon, stack: ExitStack) -> None:
        self.daemon = daemon
        self.folder = daemon.home.path / "logs" / "writer"
        self.log = self.folder / "server.log"
        self.held: list[int] = []
        self._stack = stack

    def hold(self, path: Path | None = None) -> None:
        """What is in the file stays readable when it has no name any more."""
        fd = os.open(path or self.log, os.O_RDONLY)
        self._stack.callback(os.close, fd)
        self.held.append(fd)

    def lines(self) -> list[bytes]:
        """Of all files ever, without the last line, which may be on its way."""
        texts = [os.pread(fd, 1 << 30, 0) for fd in self.held]
        texts += [path.read_bytes() for path in raw_files(self.daemon.home, "writer")]
        assert texts
        found = [line for text in texts for line in text.split(b"\n")[:-1] if line != b"ready"]
        return sorted(set(found), key=lambda line: line[:10])

    def writes_again(self) -> None:
        def grown() -> bool:
            return self.log.is_file() and self.log.stat().st_size > 300

        eventually(grown, 6, "a new log is begun")
        size = self.log.stat().st_size
        eventually(lambda: self.log.is_file() and self.log.stat().st_size != size, 6)


def deleted(writer: Writer) -> None:
    writer.hold()
    writer.log.unlink()


def linked_and_deleted(writer: Writer) -> None:
    """It has another name, so that its links do not tell."""
    writer.hold()
    os.link(writer.log, writer.folder / "another")
    writer.log.unlink()


def folder_deleted(writer: Writer) -> None:
    gone = writer.daemon.home.path / "gone"
    writer.folder.rename(gone)  # else something new might be in there before it is empty
    for path in gone.glob("server.log*"):
        if path.suffix != ".idx":
            writer.hold(path)
    shutil.rmtree(gone)


def replaced_by_another(writer: Writer) -> None:
    writer.hold()
    (writer.folder / "new").write_bytes(b"")
    (writer.folder / "new").rename(writer.log)


def mode_000(writer: Writer) -> None:
    writer.log.chmod(0)


def mode_of_the_folder_000(writer: Writer) -> None:
    writer.folder.chmod(0)


HARMLESS = [deleted, folder_deleted, linked_and_deleted, replaced_by_another, mode_000, mode_of_the_folder_000]


def limit(daemon: Daemon, mib: float) -> None:
    daemon.home.settings["logs"] = {"maxMb": mib, "keep": 50, "gzip": False}
    daemon.home.write()


@pytest.fixture
def writer(daemon: Daemon) -> Iterator[Writer]:
    limit(daemon, 50)  # no rotation that would begin a new file anyway
    daemon.home.add_plugin("writer", child("spew", 0, Writer.RATE))
    with ExitStack() as stack:
        yield Writer(daemon, stack)


@pytest.mark.parametrize("harm", [*HARMLESS[:2], *map(slowly, HARMLESS[2:])])
def test_a_log_that_is_taken_away_costs_no_line(writer: Writer, harm: Callable[[Writer], None]) -> None:
    """What goes into a file without a name is in that file: whoever has it open reads on."""
    writer.daemon.start()
    pid = writer.daemon.row("writer")["pid"]
    eventually(lambda: writer.log.exists() and writer.log.stat().st_size > 10_000)
    harm(writer)
    writer.writes_again()
    row = writer.daemon.row("writer")
    assert (row["pid"], row["detail"]) == (pid, "")
    assert writer.daemon.stop() == 0
    writer.folder.chmod(0o755)
    numbers = [int(line[:10]) for line in writer.lines()]
    assert numbers == list(range(numbers[-1] + 1))
    assert all(len(line) == 99 for line in writer.lines()), "no line is torn"
    for role in ("start", "scheduler"):
        assert "Traceback" not in (writer.daemon.home.path / "logs" / f"{role}.out").read_text()


def swapped(writer: Writer, kind: str) -> None:
    """Something in its place that is no file. The writer may be quicker with a new one: then once more."""
    victim = writer.daemon.home.path / "victim"
    victim.write_text("untouched")

    def done() -> bool:
        try:
            writer.hold()
            writer.log.unlink()
            if kind == "folder":
                writer.log.mkdir()
            elif kind == "fifo":
                os.mkfifo(writer.log)
            else:
                writer.log.symlink_to(victim)
        except (FileExistsError, FileNotFoundError):
            return False
        return True

    eventually(done)


@pytest.mark.parametrize("kind", ["folder", slowly("fifo"), slowly("link")])
def test_what_had_no_file_to_go_to_is_counted(writer: Writer, kind: str) -> None:
    daemon = writer.daemon.start()
    pid = daemon.row("writer")["pid"]
    eventually(lambda: writer.log.exists() and writer.log.stat().st_size > 10_000)
    began = time.monotonic()
    swapped(writer, kind)
    eventually(lambda: daemon.events("writer", "log.failed"), 6)
    assert kind.replace("fifo", "pipe") in daemon.events("writer", "log.failed")[0]["text"]
    assert "dropped" in daemon.row("writer")["detail"]
    if kind == "folder":
        writer.log.rmdir()
    else:
        writer.log.unlink()
    (recovered,) = eventually(lambda: daemon.events("writer", "log.recovered"), 6)
    window = time.monotonic() - began
    writer.writes_again()
    assert daemon.row("writer")["pid"] == pid
    assert daemon.stop() == 0
    lines = writer.lines()
    whole = [line for line in lines if len(line) == 99]
    numbers = [int(line[:10]) for line in whole]
    lost = numbers[-1] + 1 - len(numbers)
    assert 0 < lost <= window * Writer.RATE * 1.5 + 200
    assert abs(lost * 100 - recovered["data"]["lost"]) <= 200, (lost, recovered)
    assert len(lines) - len(whole) <= 2, "only where the window begins and ends a line may be cut"
    gaps = [later - earlier for earlier, later in pairwise(numbers) if later != earlier + 1]
    assert len(gaps) == 1, "one window, one gap"
    if kind == "link":
        assert (daemon.home.path / "victim").read_text() == "untouched"


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_one_attack_after_the_other(writer: Writer) -> None:
    """While it is rotated all the time."""
    limit(writer.daemon, 0.1)
    writer.daemon.start()
    pid = writer.daemon.row("writer")["pid"]
    chance = random.Random(5)
    for _ in range(40):
        eventually(lambda: writer.log.exists() and writer.log.stat().st_size > 300)
        chance.choice(HARMLESS)(writer)
        writer.writes_again()
        writer.folder.chmod(0o755)
        (writer.folder / "another").unlink(missing_ok=True)
    assert writer.daemon.row("writer")["pid"] == pid
    assert writer.daemon.events("writer", "log.failed") == []


# R33: a crash loop that says a lot


def total(folder: Path) -> int:
    """What is on the disk, as far as it can be told while files come and go."""
    found = 0
    for path in folder.rglob("*"):
        try:
            found += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue
    return found


@pytest.mark.parametrize("starts", [12, pytest.param(120, marks=[pytest.mark.slow, pytest.mark.timeout(300)])])
def test_a_crash_loop_that_prints_five_megabytes_a_start(daemon: Daemon, starts: int) -> None:
    """Days of it, scaled: it never gives up, and the disk is never fuller than the cap and a file being written."""
    home = daemon.home
    home.settings["logs"] = {"maxMb": 2, "keep": 100, "totalBudgetMb": 12, "budgetMb": 10}
    home.supervision.update(delaysSeconds=[0.01], giveUpAfter=100_000, windowDeaths=100_000, fastCrashSeconds=0.001)
    home.write()
    home.add_plugin("loops", ["/bin/sh", "-c", "yes 'a line of a program in trouble' | head -c 5242880; exit 1"])
    daemon.start(wait=False)  # it never settles
    peak = 0

    def enough() -> bool:
        nonlocal peak
        peak = max(peak, total(home.path / "logs" / "loops"))
        try:
            return int(daemon.row("loops")["restarts"]) >= starts
        except Problem:  # not up yet, or a busy machine
            return False

    eventually(enough, 200)
    assert peak <= (10 + 2 + 2) * MIB, f"{peak / MIB:.1f} MiB"
    assert total(home.path / "logs") <= 20 * MIB


# R49: memory


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_days_of_ticks_lines_and_restarts_cost_no_memory(daemon: Daemon) -> None:
    """A million lines, and as many restarts and ticks as there is time for: a week has ten thousand ticks."""
    home = daemon.home
    home.settings["logs"] = {"maxMb": 1, "keep": 3}
    home.supervision.update(
        delaysSeconds=[0.001], giveUpAfter=1_000_000, windowDeaths=1_000_000, fastCrashSeconds=0.0001, tickSeconds=0.02,
        reconcileSeconds=0.1,
    )  # fmt: skip
    home.write()
    home.add_plugin("talks", child("spew", 0, 20_000))
    for number in range(4):
        home.add_plugin(f"dies{number}", ["/bin/true"])
    daemon.start(wait=False)  # they never settle

    def so_far(restarts: int) -> bool:
        rows = daemon.rows()
        return sum(rows[f"dies{number}"]["restarts"] for number in range(4)) >= restarts

    eventually(lambda: so_far(1500), 200)
    before = {role: resident_kib(daemon.pid(role)) for role in ("start", "scheduler")}
    eventually(lambda: so_far(10_000), 600)
    for role, kib in before.items():
        assert resident_kib(daemon.pid(role)) <= kib * 1.1, (role, kib, resident_kib(daemon.pid(role)))
    summary = daemon.ask("scheduler", "status")["summary"]
    assert summary["ticks"] > 1000
