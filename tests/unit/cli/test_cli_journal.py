"""What is new in the journal, over its rotation."""

from __future__ import annotations

from pathlib import Path

from supervisor.base.clock import SystemClock
from supervisor.cli.journal import JournalNews
from supervisor.events.journal import Journal
from supervisor.model.event import Event


def tell(journal: Journal, text: str) -> None:
    journal.write(Event("tick", text, at=SystemClock().wall()))


def test_each_event_once_over_rotation_and_restart(tmp_path: Path) -> None:
    path = str(tmp_path / "scheduler.log")
    journal = Journal(path, 1, max_bytes=2000, keep=3)
    tell(journal, "old")
    news = JournalNews(path)
    assert news.read() == []
    seen: list[str] = []
    for number in range(40):
        tell(journal, f"event {number}")
        if number == 20:
            journal.close()
            journal = Journal(path, 2, max_bytes=2000, keep=3)
        if number % 3 == 0:
            seen += [record["text"] for record in news.read()]
    seen += [record["text"] for record in news.read()]
    journal.close()
    assert seen == [f"event {number}" for number in range(40)]
    assert (tmp_path / "scheduler.log.1").exists()


def test_a_journal_that_comes_later(tmp_path: Path) -> None:
    path = str(tmp_path / "scheduler.log")
    news = JournalNews(path)
    assert news.read() == []
    journal = Journal(path, 1)
    tell(journal, "first")
    journal.close()
    assert [record["text"] for record in news.read()] == ["first"]


def test_after_a_number(tmp_path: Path) -> None:
    path = str(tmp_path / "scheduler.log")
    journal = Journal(path, 7)
    for number in range(3):
        tell(journal, f"event {number}")
    journal.close()
    assert [record["text"] for record in JournalNews(path, "7.2").read()] == ["event 2"]
