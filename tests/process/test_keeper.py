"""What `start` keeps while no scheduler is there: both streams of a service, and what it says of itself."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.fakes import FakeLoop
from support.processes import open_files
from support.waiting import eventually

from supervisor.base import proc
from supervisor.base.channel import AT_ONCE, TOGETHER, Channel, channel_pair
from supervisor.engine.entries import Ends, Entry
from supervisor.engine.keeper import Keeper
from supervisor.engine.making import Asked
from supervisor.engine.notify import open_socket
from supervisor.engine.oom import Counter, OomCounter
from supervisor.engine.records import RecordFile
from supervisor.engine.store import REAPED_AT_ONCE, Store
from supervisor.model.launch import Launch

SPEAKER = """
import os, socket, sys
sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
sock.connect(os.environ["NOTIFY_SOCKET"].replace("@", chr(0)))
for line in sys.stdin:
    pass
os.write(1, b"to stdout\\n")
os.write(2, b"to stderr\\n")
sock.send(b"STATUS=half way")
sock.send(b"READY=1\\nSTATUS=serving")
import signal
signal.pause()
"""


class Kept:
    """A keeper, its store, and whoever plays its scheduler."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.loop = FakeLoop()
        home_id = f"test-{os.getpid()}-{folder.name}"
        self.records = RecordFile(str(folder / "records"), boot=proc.boot_id(), home_id=home_id)
        self.records.open()
        base = {"PATH": os.environ["PATH"]}
        self.store = Store(self.loop, self.records, base_env=base, home_id=home_id, open_files=64)
        self.keeper = Keeper(self.loop, self.store, lambda message: None)
        self.scheduler: Channel | None = None
        self.heard: list[dict[str, Any]] = []
        self.fds: list[int] = []

    def connect(self) -> None:
        self.connect_later()
        self.ask({"verb": "hello"})

    def connect_later(self) -> None:
        ours, theirs = channel_pair()
        self.keeper.connect(ours)
        self.heard = []
        self.scheduler = Channel(theirs, self.loop, on_message=self._hear, on_closed=lambda: None)

    def _hear(self, message: dict[str, Any], fds: list[int]) -> None:
        self.heard.append(message)
        for fd in fds:
            os.close(fd)
        self.fds = fds or self.fds

    def ask(self, message: dict[str, Any], fds: list[int] | None = None) -> None:
        assert self.scheduler is not None
        self.scheduler.send(message, fds, close_fds=True)
        self.loop.run_soon()
        self.loop.run_soon()

    def lose_scheduler(self) -> None:
        assert self.scheduler is not None
        self.scheduler.close()
        self.keeper.scheduler_gone()

    def entry(self) -> dict[str, Any]:
        """As the scheduler was told of it when it connected."""
        (rows,) = [message["entries"] for message in self.heard if message["did"] == "entries"]
        return rows[0]

    def spawn(self) -> None:
        notify, address = open_socket(self.store.home_id, "web.1")
        ends = Ends(*os.pipe(), *os.pipe(), notify, address=address)
        argv = (sys.executable, "-I", "-S", "-c", SPEAKER)
        launch = Launch(argv=argv, cwd="/", log=str(self.folder / "out"), err_log=str(self.folder / "err"), notify=True)
        message = {"verb": "spawn", "key": "web.1", "replaces": "", "launch": launch.as_dict(), "stop": [15, 1.0]}
        self.ask({**message, "ends": list(ends.named()), "address": address}, list(ends.named().values()))


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    kept = Kept(tmp_path)
    yield kept
    for entry in list(kept.store.entries.values()):
        kept.store.signal_entry(entry, signal.SIGKILL)
        eventually(lambda entry=entry: (kept.store.reap(), entry.empty)[1])  # type: ignore[misc]
        kept.store.drop(entry.key)
    if kept.scheduler is not None:
        kept.scheduler.close()
    kept.keeper.scheduler_gone()
    kept.records.close()
    kept.loop.close()


def test_a_request_comes_before_the_rest_of_many_ends(kept: Kept) -> None:
    """Who is still to be signalled must not wait for the books of all who have gone."""
    kept.connect()
    many = 2 * REAPED_AT_ONCE
    gone = [
        kept.store.spawn(
            kept.keeper, f"gone.{number}", Launch(argv=("/bin/true",), cwd="/", log="/dev/null"),
            ends=Ends(out_write=os.open("/dev/null", os.O_WRONLY | os.O_CLOEXEC)), stop=(15, 1.0),
        )
        for number in range(many)
    ]  # fmt: skip
    kept.spawn()
    eventually(lambda: not any(proc.is_alive(entry.pid) for entry in gone))
    assert kept.scheduler is not None
    kept.scheduler.send({"verb": "signal", "key": "web.1", "number": signal.SIGKILL, "main": False})

    kept.store.reap()
    assert [entry.running for entry in gone].count(False) == REAPED_AT_ONCE
    assert not kept.store.entries["web.1"].signalled
    kept.loop.turn(0)
    assert kept.store.entries["web.1"].signalled == signal.SIGKILL
    assert not any(entry.running for entry in gone)


def test_what_is_written_and_said_in_the_gap_is_kept_and_handed_over(kept: Kept) -> None:
    kept.connect()
    kept.spawn()
    assert kept.heard[-1]["did"] == "spawned"

    kept.lose_scheduler()
    eventually(lambda: (kept.loop.turn(0.01), (kept.folder / "err").exists() and kept.keeper._heard)[1])
    eventually(lambda: (kept.loop.turn(0.01), kept.keeper._heard["web.1"].ready)[1])
    assert (kept.folder / "out").read_bytes() == b"to stdout\n"
    assert (kept.folder / "err").read_bytes() == b"to stderr\n"

    kept.connect()
    entry = kept.entry()
    assert (entry["ends"], len(kept.fds)) == (["out_read", "err_read", "notify"], 3)
    assert (entry["notified"]["ready"], entry["notified"]["status"]) == (True, "serving")


def test_what_was_heard_is_kept_until_a_scheduler_has_noted_what_follows(kept: Kept) -> None:
    kept.connect()
    kept.spawn()
    kept.lose_scheduler()
    eventually(lambda: (kept.loop.turn(0.01), kept.keeper._heard and kept.keeper._heard["web.1"].ready)[1])
    kept.connect()
    kept.lose_scheduler()  # killed before it wrote a note

    kept.connect()
    assert kept.entry()["notified"]["ready"]
    kept.ask({"verb": "note", "name": "web", "blob": {"key": "web.1"}})
    kept.lose_scheduler()
    kept.connect()

    assert kept.entry()["notified"] is None


def test_ends_that_were_lost_on_the_way_fail_the_spawn_and_leave_nothing_open(kept: Kept) -> None:
    kept.connect()
    before = open_files(os.getpid())
    launch = Launch(argv=("true",), cwd="/", log="/dev/null").as_dict()
    message = {"verb": "spawn", "key": "web.1", "replaces": "", "launch": launch, "stop": [15, 1.0], "address": ""}

    kept.ask({**message, "ends": ["out_read", "out_write", "notify"]}, list(os.pipe()))

    assert (kept.heard[-1]["did"], kept.heard[-1]["cause"]["kind"]) == ("failed", "system")
    assert kept.store.entries == {}
    assert open_files(os.getpid()) == before


def asking(key: str, replaces: str = "") -> tuple[dict[str, Any], list[int]]:
    launch = Launch(argv=("/bin/true",), cwd="/", log="/dev/null").as_dict()
    message = {"verb": "spawn", "key": key, "replaces": replaces, "launch": launch, "stop": [15, 1.0], "address": ""}
    return {**message, "ends": ["out_read", "out_write"]}, list(os.pipe())


def spawned(kept: Kept) -> list[str]:
    return [message["key"] for message in kept.heard if message["did"] == "spawned" and message["pid"]]


def test_the_first_is_made_at_once_those_that_follow_together(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    together: list[list[str]] = []
    real = kept.store.spawn_all

    def spawn_all(listener: Any, asked: list[Asked]) -> list[Entry]:
        together.append([each.key for each in asked])
        return real(listener, asked)

    monkeypatch.setattr(kept.store, "spawn_all", spawn_all)
    kept.connect()
    assert kept.scheduler is not None

    for number in range(TOGETHER + 3):
        kept.scheduler.send_with_next({"verb": "note", "name": f"n{number}", "blob": {}})
        kept.scheduler.send(*asking(f"a.{number}"), close_fds=True)
    kept.loop.run_soon()

    keys = [f"a.{number}" for number in range(TOGETHER + 3)]
    assert together == [keys[:1], keys[1 : TOGETHER + 1], keys[TOGETHER + 1 :]]
    eventually(lambda: (kept.loop.run_soon(), spawned(kept) == keys)[1])
    assert len(kept.keeper.notes) == TOGETHER + 3


def test_in_one_turn_few_are_made_so_that_ends_are_heard_of_in_between(kept: Kept) -> None:
    kept.connect()
    assert kept.scheduler is not None
    for number in range(2 * AT_ONCE):
        kept.scheduler.send(*asking(f"a.{number}"), close_fds=True)

    kept.loop.turn(0)
    assert 0 < len(kept.store.entries) <= AT_ONCE
    eventually(lambda: (kept.loop.turn(0), len(spawned(kept)) == 2 * AT_ONCE)[1])


def test_a_pipe_that_is_read_empty_of_a_run_is_closed_at_the_end_and_not_handed_over(kept: Kept) -> None:
    """The next scheduler has the end all the same."""
    kept.connect()
    kept.ask(*asking("run/r1/1-get.1"))
    entry = kept.store.entries["run/r1/1-get.1"]
    eventually(lambda: (kept.store.reap(), entry.empty)[1])

    assert entry.kept() == {}
    kept.lose_scheduler()
    kept.connect()
    kept.loop.run_soon()
    assert (kept.entry()["key"], kept.entry()["status"], kept.entry()["ends"]) == ("run/r1/1-get.1", 0, [])


def test_a_second_pipe_that_comes_when_the_first_is_closed_is_not_kept(kept: Kept) -> None:
    """Nobody would fill it, and a successor, or the pumps of here, would not know what to do with it."""
    kept.connect()
    kept.ask(*asking("run/r1/1-get.1"))
    entry = kept.store.entries["run/r1/1-get.1"]
    eventually(lambda: (kept.store.reap(), entry.kept() == {})[1])

    read_end, write_end = os.pipe()
    kept.ask({"verb": "keep", "key": "run/r1/1-get.1", "name": "out_second"}, [read_end])
    os.close(write_end)

    eventually(lambda: (kept.loop.run_soon(), kept.heard[-1]["did"] == "kept")[1])
    assert kept.heard[-1]["is_kept"] is False
    assert entry.kept() == {}


def test_what_is_asked_between_two_spawns_keeps_its_place(kept: Kept) -> None:
    kept.connect()
    assert kept.scheduler is not None
    for message, fds in (
        asking("a.1"),
        ({"verb": "drop", "key": "a.1"}, None),
        asking("b.1"),
        asking("b.2", "b.1"),
        asking("c.1"),
        ({"verb": "signal", "key": "c.1", "number": 9, "main": False}, None),
    ):
        kept.scheduler.send(message, fds, close_fds=True)

    eventually(lambda: (kept.loop.run_soon(), spawned(kept) == ["a.1", "b.1", "b.2", "c.1"])[1])
    assert list(kept.store.entries) == ["b.2", "c.1"]
    assert kept.store.entries["c.1"].signalled == 9
    eventually(lambda: (kept.store.reap(), not kept.store._by_pid)[1])


def test_a_scheduler_that_dies_has_what_it_asked_for(kept: Kept) -> None:
    """Its successor finds it."""
    kept.connect()
    assert kept.scheduler is not None
    kept.scheduler.send(*asking("a.1"), close_fds=True)
    kept.lose_scheduler()

    assert list(kept.store.entries) == ["a.1"]
    assert kept.store.entries["a.1"].pid


def quick(kept: Kept, number: int, path: str) -> None:
    ends = Ends(*os.pipe(), *os.pipe())
    launch = Launch(argv=("true",), cwd="/", log="/dev/null", err_log=path)
    kept.store.spawn(kept.keeper, f"web:{number}.1", launch, ends=ends, stop=(15, 1.0))


def handed(kept: Kept) -> list[str]:
    return [row["key"] for message in kept.heard if message["did"] == "entries" for row in message["entries"]]


def test_what_is_handed_over_is_cut_by_its_size(kept: Kept) -> None:
    for number in range(60):
        quick(kept, number, "/" + "x" * 4000)

    kept.connect()
    eventually(lambda: (kept.loop.run_soon(), kept.heard and kept.heard[-1]["did"] == "end")[1])

    assert handed(kept) == [f"web:{number}.1" for number in range(60)]


def test_without_descriptors_all_is_handed_over_later(kept: Kept) -> None:
    """And nothing before: a scheduler that knew of some only would start the others again."""
    for number in range(3):
        quick(kept, number, "/dev/null")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    filling: list[int] = []
    try:
        kept.connect_later()
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(open_numbers()) + 9, hard))
        with contextlib.suppress(OSError):
            while True:
                filling.append(os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC))
        for _ in range(3):
            os.close(filling.pop())  # room for some of six
        kept.ask({"verb": "hello"})
        kept.loop.pass_time(1.5)
        assert kept.heard == []
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for fd in filling:
            os.close(fd)
    before = len(open_numbers())
    kept.loop.pass_time(1.5)

    assert handed(kept) == ["web:0.1", "web:1.1", "web:2.1"]
    assert kept.heard[-1]["did"] == "end"
    assert len(open_numbers()) <= before


@pytest.mark.parametrize("killed", [1, 0])
def test_a_kill_for_want_of_memory_is_known_though_no_scheduler_saw_it(kept: Kept, killed: int) -> None:
    counted = kept.folder / "memory.events"
    counted.write_text("oom_kill 3\n")
    kept.keeper.oom = OomCounter()
    kept.keeper.oom._own = kept.keeper.oom._machine = Counter(str(counted))
    kept.connect()
    kept.spawn()
    kept.lose_scheduler()
    entry = kept.store.entries["web.1"]
    counted.write_text(f"oom_kill {3 + killed}\n")
    os.kill(entry.pid, signal.SIGKILL)
    eventually(lambda: (kept.store.reap(), entry.empty)[1])

    kept.connect()

    assert kept.entry()["oom"] is bool(killed)


def open_numbers() -> list[int]:
    return [int(name) for name in os.listdir("/proc/self/fd")]
