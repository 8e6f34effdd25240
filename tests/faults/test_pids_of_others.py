"""R03 R04 R14: PID files and records that name somebody else: nobody is signalled on their word, and a start works.

Pids are really used again here, in a namespace of their own, where a test can say which one comes next.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.children import child
from support.daemon import Daemon
from support.damaging import cuts
from support.home import LAUNCHER, ROOT, TemporaryHome
from support.injecting import PidSpace, needs, own_pids
from support.processes import alive, kill
from support.waiting import eventually

NOBODY = 65534
WRAPPER = ROOT / "bin" / "run_automations.sh"


@pytest.fixture
def quiet(home: TemporaryHome) -> TemporaryHome:
    home.settings["config"] = {"enabled": False}
    home.write()
    home.add_plugin("web", child("ready"))
    return home


@pytest.fixture
def stranger() -> Iterator[int]:
    process = subprocess.Popen(["/bin/sleep", "1000"], start_new_session=True)
    yield process.pid
    process.kill()
    process.wait()


def pid_files(home: TemporaryHome) -> list[Path]:
    logs = home.path / "logs"
    return [logs / "start.pid", logs / "scheduler.pid", logs / "web" / "server.pid"]


# pids that are used again


@pytest.mark.root
def test_the_pids_of_a_killed_tree_belong_to_strangers_now(quiet: TemporaryHome) -> None:
    with own_pids() as space:
        pids = killed_tree(quiet, space)
        for pid in pids:
            space.stranger(pid)

        status = quiet.run(space.words([LAUNCHER, "status", "--json"]))
        assert status.json()["state"] == "stopped"
        assert quiet.run(space.words([LAUNCHER, "stop"])).out == "already stopped\n"
        assert quiet.run(space.words([WRAPPER, "stop"])).code == 0
        assert all(space.alive(pid) for pid in pids)

        # The records are still those of the killed tree: only start times tell.
        started = quiet.run(space.words([LAUNCHER, "start"]))
        assert (started.code, started.err) == (0, ""), started
        rows = quiet.run(space.words([LAUNCHER, "status", "--json"])).json()["services"]
        assert [row["state"] for row in rows] == ["running"] * 2
        assert not {row["pid"] for row in rows} & set(pids)
        assert quiet.run(space.words([LAUNCHER, "stop"])).code == 0
        assert all(space.alive(pid) for pid in pids)


def killed_tree(home: TemporaryHome, space: PidSpace) -> list[int]:
    """Start, scheduler and server, killed in one moment; their pids."""
    started = home.run(space.words([LAUNCHER, "start"]))
    assert started.code == 0, started
    pids = [int(path.read_text()) for path in pid_files(home)]
    space.run(["kill", "-STOP", *pids])
    space.run(["kill", "-KILL", *pids])
    eventually(lambda: not any(space.alive(pid) for pid in pids))
    assert [int(path.read_text()) for path in pid_files(home)] == pids, "they are stale now"
    return pids


# what may have the name of a PID file


def text(content: str) -> Callable[[Path, int], object]:
    return lambda path, stranger: path.write_text(content.format(pid=stranger, own=os.getpid()))


def binary(path: Path, _stranger: int) -> None:
    path.write_bytes(bytes(range(256)) * 40_000)


def link(path: Path, stranger: int) -> None:
    victim(path).write_text(f"{stranger}\n")
    path.symlink_to(victim(path))


def dangling(path: Path, _stranger: int) -> None:
    path.symlink_to(f"{victim(path)}-that-is-not-there")


def of_somebody_else(path: Path, stranger: int) -> None:
    path.write_text(f"{stranger}\n")
    if os.geteuid() == 0:
        os.chown(path, NOBODY, NOBODY)


def victim(path: Path) -> Path:
    return path.parents[path.parts[::-1].index("logs")] / f"victim-{path.name}"


ODDITIES: dict[str, Callable[[Path, int], object]] = {
    "stranger": text("{pid}\n"),
    "minus one": text("-1\n"),
    "zero": text("0\n"),
    "one": text("1\n"),
    "whoever asks": text("{own}\n"),
    "empty": text(""),
    "long": text("9" * 10_000_000),
    "binary": binary,
    "fifo": lambda path, _: os.mkfifo(path),
    "link": link,
    "dangling link": dangling,
    "somebody else's": of_somebody_else,
    "folder": lambda path, _: (path / "x").mkdir(parents=True),
}


NAMES = list(ODDITIES)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(0, len(NAMES), 3))
def test_pid_files_of_all_kinds(quiet: TemporaryHome, stranger: int, number: int) -> None:
    """Three kinds at a time, each for another file; before the start, and once more while it runs."""
    (quiet.path / "logs" / "web").mkdir(parents=True)
    kinds = [NAMES[(number + place) % len(NAMES)] for place in range(3)]
    make_odd(quiet, kinds, stranger)

    before = quiet.sbctl("status")
    assert before.code in (1, 3), before
    assert "Traceback" not in before.err
    assert quiet.sbctl("stop").out == "already stopped\n"
    started = quiet.sbctl("start")

    assert started.code == 0, started
    for path, kind in zip(pid_files(quiet), kinds, strict=True):
        if kind != "folder":
            assert int(path.read_text()) in quiet.pids(), kind
        assert not path.is_symlink()
        assert not victim(path).exists() or victim(path).read_text() == f"{stranger}\n"
        assert not Path(f"{victim(path)}-that-is-not-there").exists()
    make_odd(quiet, kinds, stranger)
    assert quiet.status()["state"] == "running"
    stopped = quiet.sbctl("stop")
    assert stopped.code == 0, stopped
    assert quiet.pids() == []
    assert alive(stranger)
    assert alive(os.getpid())


def make_odd(home: TemporaryHome, kinds: list[str], stranger: int) -> None:
    for path, kind in zip(pid_files(home), kinds, strict=True):
        if not path.is_dir():
            path.unlink(missing_ok=True)
            ODDITIES[kind](path, stranger)


# another user's processes


@pytest.mark.slow
@pytest.mark.root
def test_a_user_whose_pid_files_name_a_process_of_root(quiet: TemporaryHome, stranger: int) -> None:
    """`kill 0` answers EPERM to it, which does not mean that sbctl runs."""
    needs("setpriv")
    # It may read what root may, for the interpreter can be anywhere, and signal nobody.
    reads = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    as_user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *reads, "--"]
    subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", quiet.path], check=True)
    if quiet.run([*as_user, LAUNCHER, "version"]).code:
        pytest.skip("another user can't run the command from here")
    (quiet.path / "logs" / "web").mkdir(parents=True)
    for path in pid_files(quiet):
        path.write_text(f"{stranger}\n")
    subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", quiet.path], check=True)

    assert quiet.run([*as_user, LAUNCHER, "status", "--json"]).json()["state"] == "stopped"
    assert quiet.run([*as_user, LAUNCHER, "stop"]).out == "already stopped\n"
    started = quiet.run([*as_user, LAUNCHER, "start"])
    assert started.code == 0, started
    assert quiet.run([*as_user, LAUNCHER, "stop"]).code == 0
    assert alive(stranger)


# records that were cut


@pytest.mark.slow
def test_records_that_were_cut(daemon: Daemon, stranger: int) -> None:
    play(daemon, stranger, range(3, 16, 6))


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_records_cut_at_each_sixteenth(daemon: Daemon, stranger: int) -> None:
    play(daemon, stranger, range(16))


def play(daemon: Daemon, stranger: int, parts: range) -> None:
    """What is left is found by its marks, and nobody by a pid that has lost its last figures."""
    daemon.home.supervision["graceSeconds"] = 0.5
    daemon.home.write()
    for name in ("one", "two"):
        daemon.home.add_plugin(name, child("ready"))
    records = daemon.home.path / "logs" / "run" / "records"
    daemon.start()
    for part in parts:
        left = [row["pid"] for row in daemon.rows().values()]
        assert daemon.process is not None
        both = (daemon.process.pid, daemon.pid("scheduler"))
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in both:
                kill(pid, number)
        daemon.process.wait()
        name, data = list(cuts(records.read_bytes()))[part]
        records.write_bytes(data)

        daemon.start()

        eventually(lambda left=left: not any(alive(pid) for pid in left), message=name)  # type: ignore[misc]
        assert {row["state"] for row in daemon.rows().values()} == {"running"}, name
        assert alive(stranger)
    assert "Traceback" not in daemon.output()
