"""R01: `start` and the scheduler are killed at once, also just as a record of what was spawned is being written.

The next `start` ends first what is proven to be left, by record or by mark: deaf servers, servers with children of
their own, steps of runs; and nobody who merely looks like one. Then there is one of each.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.children import child
from support.daemon import Daemon
from support.killing import kill_both
from support.processes import alive
from support.scheduling import Scheduling
from support.waiting import eventually

Cut = Callable[[bytes], bytes | None]

LAST = "z-last"  # spawned after all others, so that the last line is its own


def last_line_by_half(data: bytes) -> bytes:
    begin = data.rindex(b"\n", 0, -1) + 1
    return data[: begin + (len(data) - begin) // 2]


def last_line_but_its_end(data: bytes) -> bytes:
    return data[:-1]


def last_line(data: bytes) -> bytes:
    return data[: data.rindex(b"\n", 0, -1) + 1]


def all_but_half_the_head(data: bytes) -> bytes:
    return data[: data.index(b"\n") // 2]


def everything(_: bytes) -> bytes:
    return b""


def the_file(_: bytes) -> None:
    return None


@pytest.fixture
def alike(scheduling: Scheduling) -> Iterator[subprocess.Popen[bytes]]:
    """Of this user, with the command line of one of ours and the mark of another home."""
    env = {"SB_HOME_ID": "0" * 16, "SB_KEY": f"{LAST}.1"}
    process = subprocess.Popen(child("ready"), env=env, stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.mark.parametrize("cut", [last_line_by_half, last_line])
def test_a_record_that_was_cut_off_costs_nothing(
    scheduling: Scheduling, alike: subprocess.Popen[bytes], cut: Cut
) -> None:
    play(scheduling, cut)
    assert alike.poll() is None


@pytest.mark.slow
@pytest.mark.parametrize("cut", [last_line_but_its_end, all_but_half_the_head, everything, the_file])
def test_marks_alone_prove_enough(scheduling: Scheduling, alike: subprocess.Popen[bytes], cut: Cut) -> None:
    """A deaf one costs the default grace then: what was agreed with it is lost."""
    play(scheduling, cut)
    assert alike.poll() is None


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_at_any_byte(scheduling: Scheduling) -> None:
    """The last record ends at any of them."""
    prepare(scheduling)
    for cut in range(0, 80, 8):
        scheduling.start()
        kill_and_cut(scheduling, lambda data, cut=cut: data[: len(last_line(data)) + cut])  # type: ignore[misc]


def play(desk: Scheduling, cut: Cut) -> None:
    prepare(desk)
    desk.start()
    run = desk.run("job")
    eventually(lambda: [row for row in desk.runs("job") if "ready" in desk.log(row)])
    left = kill_and_cut(desk, cut)
    assert len(left) == 6

    desk.start()

    assert [pid for pid in left if alive(pid)] == []
    check_one_of_each(desk.daemon)
    assert desk.ended(run)["state"] == "lost"
    assert desk.daemon.stop() == 0
    assert desk.home.pids() == []


def prepare(desk: Scheduling) -> None:
    desk.home.supervision["graceSeconds"] = 0.3
    desk.home.write()
    desk.home.add_plugin("deaf", child("ignore_term"))
    desk.home.add_plugin("parent", child("grandchild", 0, "deaf"))
    desk.home.add_plugin("polite", child("ready"))
    desk.home.add_plugin(LAST, child("ready"))
    desk.job("job", child("leave", 0))


def kill_and_cut(desk: Scheduling, cut: Cut) -> list[int]:
    """Returns who was left alive by the kill: all of them."""
    home = desk.home
    for name in ("deaf", "parent", "polite", LAST):
        eventually(lambda name=name: "ready" in home.log(name))  # type: ignore[misc]
    left = [pid for key, pids in desk.daemon.marked().items() if not key.startswith("scheduler") for pid in pids]
    kill_both(desk.daemon)
    assert all(alive(pid) for pid in left)
    records = home.path / "logs" / "run" / "records"
    write(records, cut(records.read_bytes()))
    return left


def write(path: Path, data: bytes | None) -> None:
    if data is None:
        path.unlink()
    else:
        path.write_bytes(data)


def check_one_of_each(daemon: Daemon) -> None:
    names = [key.rpartition(".")[0] for key in daemon.marked() if not key.startswith("scheduler")]
    assert sorted(names) == ["deaf", "parent", "polite", LAST]
    assert {row["state"] for row in daemon.rows().values()} == {"running"}
