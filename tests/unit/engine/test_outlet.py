"""Which pipes and readers a service gets, by where its output is to go."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest
from support.fakes import FakeLoop

from supervisor.engine.outlet import PipeOutlet, open_log
from supervisor.events.syslog import Syslog
from supervisor.model.launch import NONE, SYSLOG, Launch


def launch(folder: Path, **more: Any) -> Launch:
    return Launch(argv=("true",), cwd="/", log=str(folder / "server.log"), **more)


@pytest.mark.parametrize("separate", [False, True])
def test_a_copy_goes_to_syslog_and_the_daily_log_goes_on(tmp_path: Path, separate: bool) -> None:
    loop = FakeLoop()
    read: list[tuple[str, str, int, int]] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as daemon:
        daemon.bind(str(tmp_path / "log.sock"))
        daemon.setblocking(False)
        syslog = Syslog(loop.clock, lambda *_: None, str(tmp_path / "log.sock"))
        outlet = PipeOutlet(
            loop, lambda name, stream, _, start, end: read.append((name, stream, start, end)), copy=syslog
        )
        err_log = str(tmp_path / "server.err.log") if separate else ""
        ends, pumps = outlet.open("web", launch(tmp_path, sink=SYSLOG, err_log=err_log))
        os.write(ends.out_write, b"to stdout\n")
        if separate:
            os.write(ends.err_write, b"to stderr\n")

        pumps.drain()

        assert daemon.recv(1000).endswith(b" web: to stdout")
        if separate:
            assert daemon.recv(1000).startswith(b"<28>")
            assert Path(err_log).read_bytes() == b"to stderr\n"
        assert Path(tmp_path, "server.log").read_bytes() == b"to stdout\n"
        assert read == [("web", "out", 0, 10), ("web", "err", 0, 10)][: 1 + separate]
        pumps.close()
        os.close(ends.out_write)
        if separate:
            os.close(ends.err_write)
        syslog.close()
    loop.close()


def test_nothing_is_read_where_nothing_is_kept(tmp_path: Path) -> None:
    loop = FakeLoop()
    ends, pumps = PipeOutlet(loop).open("web", launch(tmp_path, sink=NONE))

    assert os.write(ends.out_write, b"into nowhere") == 12
    assert pumps.each() == []
    assert ends.out_read == ends.err_write == -1
    os.close(ends.out_write)
    loop.close()


def test_the_budget_of_a_service_is_for_both_its_streams(tmp_path: Path) -> None:
    loop = FakeLoop()
    given = launch(tmp_path, err_log=str(tmp_path / "server.err.log"), log_max=1000, log_keep=50, log_budget=6000)
    ends, pumps = PipeOutlet(loop).open("web", given)
    for number in range(40):
        os.write(ends.out_write, b"%03d" % number + b"." * 296 + b"\n")
        if number % 4 == 0:
            os.write(ends.err_write, b"%03d" % number + b"." * 296 + b"\n")
        pumps.drain()
        assert sum(path.stat().st_size for path in tmp_path.glob("server*.log*") if path.suffix != ".idx") <= 6300

    assert len(list(tmp_path.glob("server.err.log*"))) > 1
    pumps.close()
    os.close(ends.out_write)
    os.close(ends.err_write)
    loop.close()


def test_a_pipe_of_the_logs_name_is_not_waited_for(tmp_path: Path) -> None:
    its = launch(tmp_path)
    os.mkfifo(its.log)
    descriptors = [open_log(its), os.open(its.log, os.O_RDONLY | os.O_NONBLOCK), open_log(its)]
    assert [os.readlink(f"/proc/self/fd/{fd}") for fd in descriptors] == ["/dev/null", its.log, "/dev/null"]
    for fd in descriptors:
        os.close(fd)
