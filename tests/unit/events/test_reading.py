"""Finding a place in the journal again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from supervisor.events import reading
from supervisor.runs.stories import stories_of

ENDS = frozenset({"run.succeeded"})


def line(epoch: int, number: int, service: str = "", text: str = "") -> bytes:
    record = {"seq": f"{epoch}.{number}", "kind": "tick", "service": service, "text": text}
    return json.dumps(record, separators=(",", ":")).encode() + b"\n"


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Three files, two epochs, 9,000 events, garbage in between; more than one block a file."""
    rows = [line(epoch, number, f"s{number % 50}", "x" * 60) for epoch in (9, 10) for number in range(1, 4501)]
    garbage = [b"garbage\n", b'{"seq": "10.', b"\n", b"\0\0\0\n", b"[1]\n", b"{}\n", b'{"kind":"no number"}\n']
    mixed = [part for index, row in enumerate(rows) for part in ((*garbage, row) if index % 500 == 0 else (row,))]
    third = len(mixed) // 3
    (tmp_path / "log.2").write_bytes(b"".join(mixed[:third]))
    (tmp_path / "log.1").write_bytes(b"".join(mixed[third : 2 * third]))
    (tmp_path / "log").write_bytes(b"".join(mixed[2 * third :]) + b'{"seq":"10.9999","kin')
    return str(tmp_path / "log")


def numbers(found: list[dict[str, str]]) -> list[str]:
    return [record["seq"] for record in found]


@pytest.mark.parametrize("after", ["9.1", "9.1499", "9.1500", "9.4499", "9.4500", "10.0", "10.1", "10.2500", "10.4497"])
def test_it_goes_on_after_any_number(path: str, after: str) -> None:
    epoch, number = map(int, after.split("."))
    following = [f"{epoch}.{number + n}" for n in range(1, 4) if number + n <= 4500]
    following += [f"10.{n}" for n in range(1, 4)] if epoch == 9 else []

    assert numbers(reading.read_since(path, after, 3)) == following[:3]


def test_paging_through_it_shows_everything_once(path: str) -> None:
    seen: list[str] = []
    while page := reading.read_since(path, seen[-1] if seen else "", 1000):
        assert len(page) <= 1000
        seen += numbers(page)

    assert seen == [f"{epoch}.{number}" for epoch in (9, 10) for number in range(1, 4501)]


def test_an_old_number_begins_at_the_oldest_and_a_future_one_finds_nothing(path: str) -> None:
    assert numbers(reading.read_since(path, "3.77", 1)) == ["9.1"]
    assert reading.read_since(path, "10.4500", 10) == []
    assert reading.read_since(path, "99.1", 10) == []


@pytest.mark.parametrize("seq", ["", "x", "1", "1.", ".1", "-1.2", "1.2.3", "9" * 60 + ".1", "²." + "1"])
def test_a_number_that_is_none_means_the_beginning(path: str, seq: str) -> None:
    assert numbers(reading.read_since(path, seq, 1)) == ["9.1"]


def test_the_last_of_all_and_of_one_service(path: str) -> None:
    assert numbers(reading.last(path, 2)) == ["10.4499", "10.4500"]
    assert numbers(reading.last(path, 2, "s7")) == ["10.4407", "10.4457"]
    found = reading.last(path, 200, "s7")
    assert len(found) == 180
    assert {record["service"] for record in found} == {"s7"}
    assert reading.last(path, 3, "nobody") == []


def test_the_tail_is_bounded_and_oldest_first(path: str) -> None:
    found = numbers(reading.tail(path, 10_000))

    assert found == [f"10.{number}" for number in range(4501 - len(found), 4501)]
    assert 50 < len(found) < 120


def test_the_tail_reaches_over_the_seam_of_a_rotation(tmp_path: Path) -> None:
    (tmp_path / "log.1").write_bytes(line(1, 1) + line(1, 2))
    (tmp_path / "log").write_bytes(line(1, 3))

    assert numbers(reading.tail(str(tmp_path / "log"))) == ["1.1", "1.2", "1.3"]


def test_a_huge_line_that_is_no_event_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(line(1, 1) + b"x" * (3 << 20) + b"\n" + line(1, 2))

    assert numbers(reading.read_since(str(path), "", 10)) == ["1.1", "1.2"]
    assert numbers(reading.read_since(str(path), "1.1", 10)) == ["1.2"]
    assert numbers(reading.last(str(path), 10)) == ["1.1", "1.2"]


def test_no_journal_is_an_empty_one(tmp_path: Path) -> None:
    path = str(tmp_path / "none")

    assert (reading.tail(path), reading.last(path, 3), reading.read_since(path, "", 3)) == ([], [], [])


def end(number: int, run: object, kind: str = "run.succeeded") -> bytes:
    record = {"seq": f"11.{number}", "kind": kind, "service": "job", "text": "", "data": {"run": run}}
    return json.dumps(record, separators=(",", ":")).encode() + b"\n"


def test_all_beginnings_of_a_burst_are_found(path: str) -> None:
    """They, and the ends after them, are more than a block: each that is missed would run again."""
    count = 2 * reading.BLOCK // len(end(1, "r1"))
    told = [end(number, f"r{number}", "run.started") for number in range(count)]
    noise = [b'{"kind":"service.started","data":{"run":"none"}}\n', b'{"kind":"run.started", torn\n']
    Path(path).write_bytes(b"".join([*noise, *told, end(count, "", "start.began"), *noise]))

    found = reading.past_of_runs(path, "start.began")

    assert [event["data"]["run"] for event in found] == [*(f"r{number}" for number in range(count)), ""]
    assert all(story.began for run, story in stories_of(found).items() if run)
    assert reading.past_of_runs(f"{path}.none", "start.began") == []


def test_the_end_of_a_run_is_found_however_much_was_told_after_it(path: str) -> None:
    """In a long lock of the history the journal grows by more than a block."""
    file = Path(path)
    older = [end(1, "old"), end(2, "began", "run.started"), end(3, ["no run"]), b'{"kind":"run.succeeded","data":7}\n']
    Path(f"{path}.1").write_bytes(b"".join(older) + Path(f"{path}.1").read_bytes())
    file.write_bytes(file.read_bytes() + b"\n" + end(4, "new") + end(5, "other"))
    assert file.stat().st_size > reading.BLOCK

    assert reading.told_runs(path, iter(["old", "new", "began", "never"]), ENDS) == {"old", "new"}
    assert reading.told_runs(path, [], ENDS) == set()
    assert reading.told_runs(f"{path}.none", ["old"], ENDS) == set()
