"""Files with values for a server's environment: read by a child, so that no file can stop `start`."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.children import child
from support.daemon import Daemon
from support.fakes import FakeLoop
from support.processes import alive
from support.waiting import eventually

from supervisor.base import proc
from supervisor.engine.entries import Ends, Entry
from supervisor.engine.records import RecordFile
from supervisor.engine.store import Store
from supervisor.model.service import Launch


class Listening:
    """A store in this process, and the ends it has told of."""

    def __init__(self, folder: Path) -> None:
        self.loop = FakeLoop()
        home_id = f"test-{os.getpid()}"
        self.records = RecordFile(str(folder / "records"), boot=proc.boot_id(), home_id=home_id)
        self.records.open()
        self.store = Store(self.loop, self.records, base_env=os.environ, home_id=home_id, open_files=64)

    def spawn(self, **values: str) -> Entry:
        launch = Launch(argv=tuple(child("ready")), cwd="/", log="/dev/null", **values)  # type: ignore[arg-type]
        write_fd = os.open("/dev/null", os.O_WRONLY | os.O_CLOEXEC)
        return self.store.spawn(self, "server.1", launch, ends=Ends(out_write=write_fd), stop=(15, 1.0))

    def gone(self, entry: Entry) -> bool:
        self.store.reap()
        return entry.empty

    def exited(self, entry: Entry) -> None: ...
    def emptied(self, entry: Entry) -> None: ...


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[Listening]:
    listening = Listening(tmp_path)
    yield listening
    listening.records.close()
    listening.loop.close()


def stands(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "TZ"


def test_a_reader_that_hangs_is_a_process_like_any_other(listening: Listening, tmp_path: Path) -> None:
    """It is spawned, known by its mark, and ends when it is told to."""
    (tmp_path / "env").write_text("A=1\n")
    for _ in range(10):  # on a busy machine it may be through before the signal comes
        entry = listening.spawn(env_file=str(tmp_path / "env"))
        listening.store.signal("server.1", signal.SIGSTOP)  # mostly long before it has got to the file
        eventually(lambda pid=entry.pid: stands(pid))  # type: ignore[misc]  # in the midst of its exec it says nothing
        if "--role env" in proc.command_of(entry.pid):
            break
        listening.store.drop("server.1")

    assert "--role env" in proc.command_of(entry.pid)
    eventually(lambda: proc.environment_of(entry.pid).get(b"SB_KEY") == b"server.1", 5)
    assert alive(entry.pid)
    listening.store.signal("server.1", signal.SIGTERM)
    listening.store.signal("server.1", signal.SIGCONT)
    eventually(lambda: listening.gone(entry))
    assert entry.status == signal.SIGTERM


def test_the_server_has_the_pid_that_its_reader_had(listening: Listening, tmp_path: Path) -> None:
    (tmp_path / "env").write_text("A=1\nSB_KEY=forged\n")
    entry = listening.spawn(env_file=str(tmp_path / "env"))

    eventually(lambda: "ready.py" in proc.command_of(entry.pid) and "--role" not in proc.command_of(entry.pid))
    env = proc.environment_of(entry.pid)
    listening.store.signal("server.1", signal.SIGKILL)
    eventually(lambda: listening.gone(entry))

    assert (env[b"A"], env[b"SB_KEY"]) == (b"1", b"server.1")


@pytest.mark.parametrize("with_writer", [True, False])
def test_a_fifo_in_place_of_a_file_is_that_servers_trouble_alone(daemon: Daemon, with_writer: bool) -> None:
    daemon.home.supervision["delaysSeconds"] = [0.01]
    daemon.home.write()
    daemon.home.add_plugin("server", child("ready"), manifest={"envFile": "pipe.env"})
    daemon.home.add_plugin("other", child("ready"))
    path = daemon.home.path / "plugins" / "server" / "pipe.env"
    os.mkfifo(path)
    writer = os.open(path, os.O_RDWR) if with_writer else -1
    try:
        daemon.start()
        row = daemon.in_phase("server", "failed")
    finally:
        if with_writer:
            os.close(writer)

    assert row["cause"] == f"can't read the environment file {path}: a FIFO, not a file"
    assert daemon.events("server", "service.exited")[-1]["data"]["cause"]["words"] == [f"sbctl: {row['cause']}"]
    assert daemon.row("other")["state"] == "running"
    assert daemon.stop() == 0
