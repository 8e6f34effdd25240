"""A line in the output says that it is ready: however it is cut, and wherever it was written meanwhile."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.fakes import FakeWorld, spec

from supervisor.base.rotation import shift
from supervisor.engine.probes.log_line import PIECE, LogLines, Search
from supervisor.model.check import LOG, Check
from supervisor.model.service import Launch


class Logged:
    """A service that writes to a raw file, as its pump would."""

    def __init__(self, world: FakeWorld, folder: Path) -> None:
        self.world = world
        self.log = folder / "server.log"
        self.err = folder / "server.err.log"
        self.lines = LogLines(world.engine)

    def start(self, *, own_err: bool = False, answer: bool = True) -> None:
        its = spec("web", wait_ready=True)
        its.launch = Launch(argv=("true",), cwd="/", log=str(self.log), err_log=str(self.err) if own_err else "")
        its.ready = Check(kind=LOG, shown="log", text="server is up")
        self.world.engine.load([its])
        self.world.loop.run_soon()
        if answer:
            self.world.engine.spawned("web.1", 41, 1)
            self.world.loop.run_soon()

    def write(self, data: bytes, *, tell: bool = True, stream: str = "out") -> None:
        path = self.log if stream == "out" else self.err
        with path.open("ab+") as file:
            start = file.tell()
            file.write(data)
            file.flush()
            if tell:
                self.lines.output("web", stream, file.fileno(), start, start + len(data))
        self.world.loop.run_soon()

    @property
    def phase(self) -> str:
        return self.world.phase("web")


@pytest.fixture
def logged(world: FakeWorld, tmp_path: Path) -> Logged:
    return Logged(world, tmp_path)


def test_the_line_makes_it_ready(logged: Logged) -> None:
    logged.start()
    logged.write(b"loading\n")
    assert logged.phase == "starting"

    logged.write(b"12:00 server is up on 8080\n")

    assert logged.phase == "running"


def test_a_text_cut_in_two_is_found(logged: Logged) -> None:
    logged.start()
    for byte in b"x server is up\n":
        assert logged.phase == "starting" or byte == ord("\n")
        logged.write(bytes([byte]))

    assert logged.phase == "running"


def test_words_before_the_answer_of_the_spawner_count(logged: Logged) -> None:
    logged.start(answer=False)
    logged.write(b"server is up\n")
    logged.world.engine.spawned("web.1", 41, 1)
    logged.world.loop.run_soon()

    assert logged.phase == "running"


def test_what_an_earlier_life_said_does_not_count(logged: Logged) -> None:
    logged.write(b"server is up\n", tell=False)
    logged.start()
    logged.write(b"loading\n")

    assert logged.phase == "starting"


def test_both_streams_are_read(logged: Logged) -> None:
    logged.start(own_err=True)
    logged.write(b"server is", stream="out")
    logged.write(b" up\n", stream="err")
    assert logged.phase == "starting"  # they are no one text

    logged.write(b"server is up\n", stream="err")

    assert logged.phase == "running"


def test_what_was_written_while_no_scheduler_looked_is_found(logged: Logged) -> None:
    logged.write(b"server is up\n" * 3, tell=False)  # of earlier lives
    logged.start(answer=False)
    logged.write(b"y" * (2 * PIECE) + b"server is up\n", tell=False)
    taken_over(logged)

    assert logged.phase == "running"


def test_the_seam_of_a_rotation_is_no_gap(logged: Logged) -> None:
    logged.write(b"old\n", tell=False)
    logged.start(answer=False)
    logged.write(b"z" * 100 + b"server", tell=False)
    shift(str(logged.log), 5)
    logged.write(b" is up\n", tell=False)
    taken_over(logged)

    assert logged.phase == "running"


def test_old_words_are_not_read_over_the_seam(logged: Logged) -> None:
    logged.write(b"server is up\n", tell=False)
    logged.start(answer=False)
    logged.write(b"loading\n", tell=False)
    shift(str(logged.log), 5)
    logged.write(b"still\n", tell=False)
    taken_over(logged)
    assert logged.phase == "starting"

    logged.write(b"server is up\n")

    assert logged.phase == "running"


def taken_over(logged: Logged) -> None:
    """A new scheduler knows what the note says, and looks at it anew."""
    engine = logged.world.engine
    service = engine.services["web"]
    logged.lines._watches.clear()
    engine.tell_changed(service, service.state.phase)
    engine.spawned("web.1", 41, 1)
    for _ in range(5):
        logged.world.loop.run_soon()


def test_nobody_looks_any_longer_once_it_is_ready(logged: Logged) -> None:
    before = len(os.listdir("/proc/self/fd"))
    logged.start()
    logged.write(b"server is up\n")

    assert logged.lines._watches == {}
    assert len(os.listdir("/proc/self/fd")) == before


def test_everything_is_forgotten_with_the_process(logged: Logged) -> None:
    logged.start()
    logged.world.engine.exited("web.1", 256, True)

    assert logged.lines._watches == {}


def test_only_the_end_of_what_was_seen_is_kept() -> None:
    search = Search("needle")
    assert not search.found(b"x" * 1000 + b"need")
    assert len(search._rest) == 5
    assert not Search("n").found(b"xxx")
    assert search.found(b"le")
