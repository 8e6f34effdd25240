"""Output of steps: all of it while it is little, head and tail of it when it is not; and who may write where."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import stat
import tempfile
import time
from pathlib import Path

import pytest
from support.daemon import Daemon
from support.home import TemporaryHome
from support.scheduling import Scheduling
from support.waiting import eventually

MIB = 1 << 20


def size_of(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # rotated just now
            found = path.stat()
            total += found.st_size if stat.S_ISREG(found.st_mode) else 0
    return total


def test_a_step_that_talks_without_end_costs_no_disk_and_no_answer(scheduling: Scheduling) -> None:
    desk = scheduling
    talks = "echo the first line; exec yes 0123456789012345678901234567890123456789"
    desk.job("loud", talks, outputMaxMb=1, stepTimeoutMinutes=0.02)
    desk.start()

    run = desk.run("loud")
    took: list[float] = []

    def asked() -> bool:
        begun = time.monotonic()
        desk.ask("schedules")
        took.append(time.monotonic() - begun)
        return len(took) == 20

    eventually(asked, 30)
    most = size_of(desk.home.path / "logs" / "loud")
    row = desk.ended(run)

    assert row["state"] == "timed_out"
    assert max(took) < 1.0
    kept = size_of(desk.home.path / "logs" / "loud")
    assert max(most, kept) < 1.5 * MIB, (most, kept)
    assert kept > MIB / 3
    files = sorted((desk.home.path / "logs" / "loud" / "runs").iterdir())
    assert any("the first line" in path.read_text(errors="replace") for path in files), "its head is kept"
    assert row["words"][-1].startswith("0123456789"), "its tail is kept"
    daily = size_of(desk.home.path / "logs" / "scheduler")
    assert daily < 2 * MIB


def test_all_of_what_a_step_says_is_there_in_order(scheduling: Scheduling) -> None:
    desk = scheduling
    count = 20_000
    desk.job("writer", f"seq 1 {count}; printf 'no newline at the end'")
    desk.start()

    row = desk.done("writer")

    lines = desk.log(row).splitlines()[1:]
    assert lines[:-1] == [str(number) for number in range(1, count + 1)]
    assert lines[-1] == "no newline at the end"


def test_each_step_and_try_has_a_line_of_its_own_in_front(scheduling: Scheduling) -> None:
    desk = scheduling
    desk.plugin("two", get="printf one", push="echo x >>tries; echo pushed; test $(wc -l <tries) -ge 2")
    desk.task("two", retry={"times": 1, "delaySeconds": 0.02})
    desk.start()

    row = desk.done("two")

    heads = [line for line in desk.log(row).splitlines() if line.startswith("=== ")]
    assert [head.split(":")[0] for head in heads] == ["=== get", "=== push", "=== push, try 2"], desk.log(row)


def test_the_last_words_of_a_step_are_its_own_also_without_a_line_end(scheduling: Scheduling) -> None:
    """In the daily log they were kept for the first line of the next run."""
    desk = scheduling
    desk.job("talker", "echo begin; printf end")
    desk.start()
    for _ in range(2):
        assert desk.done("talker")["state"] == "succeeded"

    said = [line.partition(" | ")[2] for line in desk.daily().splitlines() if "talker/get | " in line]
    assert said[-4:] == ["begin", "end", "begin", "end"]


def test_odd_bytes_do_no_harm(scheduling: Scheduling) -> None:
    desk = scheduling
    odd = "printf '\\000\\377\\033[2J\\r\\n'; head -c 300000 /dev/urandom; printf '%0200000d' 1; exit 3"
    desk.job("odd", odd)
    desk.start()

    row = desk.done("odd")

    assert (row["state"], row["exit_code"]) == ("failed", 3)
    assert os.path.getsize(row["log"]) > 500_000
    assert sum(len(line) for line in row["words"]) < 100_000
    shown = desk.home.sbctl("show", row["id"])
    assert (shown.code, "\x1b[2J" in shown.out) == (0, False), shown.err


@pytest.mark.root
def test_another_user_may_write_where_it_is_told_to() -> None:
    if shutil.which("setpriv") is None:
        pytest.skip("there is no setpriv")
    with tempfile.TemporaryDirectory(prefix="sbctl-other-user-") as folder:  # pytest's own are root's alone
        os.chmod(folder, 0o755)
        desk = Scheduling(Daemon(TemporaryHome(Path(folder) / "home")))
        command = 'id -u; echo x >"$SB_WORK_DIR/file" && echo \'{"data": 7}\' >"$SB_RESULT_FILE"'
        desk.job("other", command, manifest={"user": "nobody"})
        try:
            row = desk.start().done("other")

            assert (row["state"], row["cause"]) == ("succeeded", None), desk.log(row)
            assert str(pwd.getpwnam("nobody").pw_uid) in desk.log(row).splitlines()
            assert "7" in str(row["metrics"])
            eventually(lambda: not os.path.exists(desk.daemon.model.run_work("other", row["id"])), 5)
        finally:
            desk.daemon.end()


def test_many_at_once_each_have_their_own_output(scheduling: Scheduling) -> None:
    desk = scheduling
    names = [f"job{number}" for number in range(30)]
    for name in names:
        desk.job(name, f"for i in 1 2 3; do echo {name} $i; done")
    desk.start()

    runs = [desk.run(name) for name in names]
    rows = [desk.ended(run) for run in runs]

    for name, row in zip(names, rows, strict=True):
        assert desk.log(row).splitlines()[1:] == [f"{name} {number}" for number in (1, 2, 3)]
