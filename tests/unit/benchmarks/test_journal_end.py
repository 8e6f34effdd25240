"""Waiting for an event in the journal's file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.journal import JournalEnd
from benchmarks.procs import TookTooLong


def test_only_what_comes_later_and_is_whole_counts(tmp_path: Path) -> None:
    file = tmp_path / "logs" / "scheduler.log"
    file.parent.mkdir()
    file.write_text('{"kind":"scheduler.adopted","data":{"count":1}}\n')
    journal = JournalEnd(tmp_path)
    fd = os.open(file, os.O_WRONLY | os.O_APPEND)
    try:
        os.write(fd, b'{"kind":"tick"}\n{"kind":"scheduler.adopted","data":')
        with pytest.raises(TookTooLong):
            journal.wait_for("scheduler.adopted", 0.0)

        os.write(fd, b'{"count":7}}\n')
        assert journal.wait_for("scheduler.adopted", 5.0)["data"]["count"] == 7
    finally:
        os.close(fd)
        journal.close()
