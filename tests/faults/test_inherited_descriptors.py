"""R06: what the caller left open, the lock and the listening sockets are inherited by no process of the tree."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
from pathlib import Path

from support.children import child
from support.daemon import Daemon
from support.home import TemporaryHome
from support.processes import alive, kill
from support.scheduling import add_steps, add_task
from support.waiting import eventually


def descriptors(pid: int) -> dict[int, str]:
    folder = Path(f"/proc/{pid}/fd")
    return {int(path.name): os.readlink(path) for path in folder.iterdir()}


def test_an_open_pipe_reaches_nobody(daemon: Daemon) -> None:
    """Descriptor 9 of whoever calls: neither daemons nor servers nor steps nor commands beside them have it."""
    home = daemon.home
    home.settings["config"] = {"port": home.port}
    home.write()
    home.add_plugin("web", child("ready"), alive={"exec": "sleep 1000", "intervalSeconds": 1, "timeoutSeconds": 60})
    add_steps(home, "job", get="sleep 1000")
    add_task(home, "job", intervalHours=1, runAtStart=False)
    read_end, write_end = os.pipe()
    high = fcntl.fcntl(write_end, fcntl.F_DUPFD, 900)
    try:
        assert daemon.compile()["ok"]
        daemon.launch(pass_fds=(write_end, high))
        os.close(write_end)
        os.close(high)
        write_end = high = -1
        daemon.settle()
        daemon.ask("scheduler", "run", name="job")
        eventually(lambda: sum("sleep" in key or "/" in key for key in daemon.marked()) >= 2)
        eventually(lambda: daemon.rows()["config"]["ready"])
        pipe = os.readlink(f"/proc/self/fd/{read_end}")

        os.set_blocking(read_end, False)
        assert os.read(read_end, 1) == b"", "whoever reads sees the end"

        daemons = {daemon.pid(role) for role in ("start", "scheduler", "config")}
        for pid in home.pids():
            found = descriptors(pid)
            assert pipe not in found.values(), f"{pid}: {found}"
            if pid not in daemons:
                assert set(found) <= {0, 1, 2}, f"{pid}: {found}"
    finally:
        for fd in (read_end, write_end, high):
            if fd >= 0:
                os.close(fd)


def test_a_server_that_is_left_holds_neither_lock_nor_port(home: TemporaryHome) -> None:
    """All but it are killed in one moment; the next start has the lock, the port and the sockets at once."""
    home.add_plugin("web", child("ready"))
    assert home.sbctl("start").code == 0
    left = home.status("web")["services"][0]["pid"]
    daemons = [home.pid(role) for role in ("start", "scheduler", "config")]
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in daemons:
            assert pid is not None
            kill(pid, number)
    # One that is ending has lost its name before its descriptors: only a zombie holds nothing.
    eventually(lambda: not any(alive(pid) for pid in daemons if pid))
    assert home.pids() == [left]

    with socket.create_server(("127.0.0.1", home.port)):
        pass
    fd = os.open(home.path / "logs" / "run" / "start.lock", os.O_RDWR)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(fd)
    started = home.sbctl("start")

    assert (started.code, started.err) == (0, ""), started
    assert {row["state"] for row in home.status()["services"]} == {"running"}
    with socket.create_connection(("127.0.0.1", home.port), 3):
        pass
