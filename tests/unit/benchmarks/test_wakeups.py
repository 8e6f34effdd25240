"""What strace has counted, read."""

from __future__ import annotations

from pathlib import Path

from benchmarks.wakeups import waits_of

COUNTED = """\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 80.00    0.000068          17        41           epoll_wait
 20.00    0.000017          17         3         1 poll
------ ----------- ----------- --------- --------- ----------------
100.00    0.000085          17        44         1 total
"""


def test_all_kinds_of_waits_are_added_up(tmp_path: Path) -> None:
    file = tmp_path / "counted"
    file.write_text(COUNTED)

    assert waits_of(file) == 44


def test_whoever_slept_all_the_time_has_no_table(tmp_path: Path) -> None:
    file = tmp_path / "counted"
    file.write_text("")

    assert waits_of(file) == 0
