"""The journal: numbers, one line an event, and every way a disk can fail."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from supervisor.events.journal import Journal
from supervisor.model.event import Event

NASTY = [
    "two\nlines",
    "return\rand\x00null",
    "\x1b[31mred\x1b[0m \x7f \x85 next line",
    "\u2028 separators \u2029",
    "\u202eturned round",
    "no text: \udc80\udcff",
    "ümläut and 🐢",
    '"quotes" and \\ backslash',
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "scheduler.log"


def event(text: str, **more: Any) -> Event:
    return Event("tick", text, at=1_795_238_401.25, source="scheduler", **more)


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]


def texts(found: list[dict[str, Any]]) -> list[str]:
    return [record["text"] for record in found]


def test_one_line_an_event_with_iso_time_and_number(path: Path, clock: Any) -> None:
    journal = Journal(str(path), 7, clock=clock)
    first = event("one", service="x", data={"pid": 5})
    journal.write(first)
    journal.write(event("two"))

    found = records(path)
    assert [record["seq"] for record in found] == ["7.1", "7.2"]
    assert found[0]["at"] == "2026-11-21T05:20:01.250Z"
    assert found[0]["data"] == {"pid": 5}
    assert first.seq == "7.1"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("text", NASTY)
def test_one_event_is_one_printable_line_whatever_is_in_it(path: Path, clock: Any, text: str) -> None:
    Journal(str(path), 1, clock=clock).write(event(text, data={"words": [text]}))

    content = path.read_bytes().decode()
    assert content.endswith("\n")
    assert content[:-1].isprintable()
    assert records(path)[0]["text"] == text


def test_readable_text_stays_readable(path: Path, clock: Any) -> None:
    Journal(str(path), 1, clock=clock).write(event("Größe 🐢"))

    assert "Größe 🐢" in path.read_text()


def test_data_that_is_no_json_is_shown_somehow(path: Path, clock: Any) -> None:
    journal = Journal(str(path), 1, clock=clock)
    circle: dict[str, Any] = {}
    circle["self"] = circle
    for data in (circle, {"x": float("nan")}, {(1, 2): 3}, {"x": object()}):
        journal.write(event("odd", data=data))

    assert texts(records(path)) == ["odd"] * 4


def test_the_epoch_grows_even_when_the_clock_went_back(path: Path, clock: Any) -> None:
    Journal(str(path), 500, clock=clock).write(event("one"))
    again = Journal(str(path), 400, clock=clock)
    again.write(event("two"))

    assert [record["seq"] for record in records(path)] == ["500.1", "501.1"]


def test_the_epoch_grows_when_the_current_file_was_just_rotated(path: Path, clock: Any) -> None:
    Journal(str(path), 500, clock=clock).write(event("one"))
    os.rename(path, f"{path}.1")

    assert Journal(str(path), 400, clock=clock).epoch == 501


@pytest.mark.parametrize("torn", [b'{"seq":"1.2","ki', b"\0\0\0", b"x"])
def test_a_torn_last_line_costs_only_itself(path: Path, clock: Any, torn: bytes) -> None:
    Journal(str(path), 1, clock=clock).write(event("one"))
    with path.open("ab") as file:
        file.write(torn)

    journal = Journal(str(path), 2, clock=clock)
    journal.write(event("two"))

    assert path.read_bytes().count(b"\n") == 3
    assert texts(journal.tail()) == ["one", "two"]


def test_any_cut_of_the_file_leaves_whole_records_readable(path: Path, clock: Any) -> None:
    journal = Journal(str(path), 1, clock=clock)
    for number in range(3):
        journal.write(event(str(number)))
    journal.close()
    whole = path.read_bytes()
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        opened = Journal(str(path), 2, clock=clock)
        opened.write(event("new"))
        opened.close()
        kept = whole[:cut].count(b"\n")
        # Cut just before its line end, a record is whole.
        assert texts(opened.tail())[:kept] == ["0", "1", "2"][:kept]
        assert texts(opened.tail())[-1] == "new"


def test_it_rotates_by_size_and_keeps_that_many(path: Path, clock: Any) -> None:
    journal = Journal(str(path), 1, max_bytes=400, keep=2, clock=clock)
    for number in range(40):
        journal.write(event(str(number)))

    assert sorted(os.listdir(path.parent)) == ["scheduler.log", "scheduler.log.1", "scheduler.log.2"]
    assert all((path.parent / name).stat().st_size <= 400 for name in os.listdir(path.parent))
    found = texts(journal.read_since("", 100))
    assert found == [str(number) for number in range(40 - len(found), 40)]


def test_a_file_that_was_renamed_or_removed_is_made_again_within_a_second(path: Path, clock: Any) -> None:
    journal = Journal(str(path), 1, clock=clock)
    journal.write(event("one"))
    os.rename(path, path.parent / "aside")
    clock.pass_by(1.1)
    journal.write(event("two"))
    os.unlink(path)
    clock.pass_by(1.1)
    journal.write(event("three"))

    assert texts(records(path.parent / "aside")) == ["one"]
    assert texts(records(path)) == ["three"]


def test_a_removed_folder_is_made_again(path: Path, clock: Any) -> None:
    journal = Journal(str(path), 1, clock=clock)
    journal.write(event("one"))
    os.unlink(path)
    os.rmdir(path.parent)
    clock.pass_by(1.1)
    journal.write(event("two"))

    assert texts(records(path)) == ["two"]


def test_a_link_in_its_place_leads_nowhere(path: Path, tmp_path: Path, clock: Any) -> None:
    path.parent.mkdir()
    path.symlink_to(tmp_path / "elsewhere")
    journal = Journal(str(path), 1, clock=clock)

    journal.write(event("one"))

    assert journal.lost == 1
    assert not (tmp_path / "elsewhere").exists()


def test_a_full_disk_drops_counts_and_says_so_when_it_works_again(path: Path, clock: Any, full_disk: Any) -> None:
    journal = Journal(str(path), 1, clock=clock)
    with full_disk():
        for number in range(3):
            journal.write(event(str(number)))
    assert journal.lost == 3

    clock.pass_by(1.1)
    journal.write(event("works"))

    dropped, works = records(path)
    assert dropped["kind"] == "journal.dropped"
    assert dropped["text"] == "3 events were not written here: No space left on device"
    assert dropped["data"]["count"] == 3
    assert (dropped["seq"], works["seq"], works["text"]) == ("1.4", "1.5", "works")
    assert journal.lost == 0


def test_a_fifo_in_its_place_does_not_hang_it(path: Path, clock: Any) -> None:
    path.parent.mkdir()
    os.mkfifo(path)
    journal = Journal(str(path), 1, clock=clock)
    for number in range(2000):
        journal.write(event(str(number) * 20))

    assert journal.lost > 0


def test_a_folder_in_its_place_does_not_stop_it(path: Path, clock: Any) -> None:
    path.mkdir(parents=True)
    journal = Journal(str(path), 1, clock=clock)
    journal.write(event("one"))

    assert (journal.lost, journal.tail(), journal.last(5), journal.read_since("", 5)) == (1, [], [], [])


def test_what_the_disk_took_in_part_is_taken_back(path: Path, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(str(path), 1, clock=clock)
    journal.write(event("one"))
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[:20]))
    journal.write(event("two"))
    monkeypatch.undo()
    clock.pass_by(1.1)
    journal.write(event("three"))

    assert [record["kind"] for record in records(path)] == ["tick", "journal.dropped", "tick"]
