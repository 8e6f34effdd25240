"""The daily log: form, cap, midnight, disk."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from supervisor.events.daily import DailyLog
from supervisor.events.output import Output
from supervisor.model.event import Event

STAMP = "[2026-11-21 05:20:01 UTC] "
MORE = "more lines (sbctl logs web)"


@pytest.fixture
def log(tmp_path: Path, clock: Any) -> DailyLog:
    return DailyLog(str(tmp_path / "scheduler"), clock)


def lines(tmp_path: Path, day: str = "2026-11-21") -> list[str]:
    return (tmp_path / "scheduler" / f"{day}.log").read_text().split("\n")[:-1]


def test_an_event_is_its_sentence(tmp_path: Path, clock: Any, log: DailyLog) -> None:
    log.event(Event("service.started", "web started (pid 7)", at=clock.wall()))

    assert lines(tmp_path) == [STAMP + "web started (pid 7)"]


def test_details_are_indented_and_nothing_can_forge_a_line(tmp_path: Path, clock: Any, log: DailyLog) -> None:
    data = {"words": ["Traceback:", "\x1b[31mKeyError\n[2026-11-21 05:20:01 UTC] forged"]}
    log.event(Event("service.exited", "web exited\nwith more", at=clock.wall(), data=data))

    assert lines(tmp_path) == [
        STAMP + "web exited",
        STAMP + "    with more",
        STAMP + "    Traceback:",
        STAMP + "    \\x1b[31mKeyError\\x0a[2026-11-21 05:20:01 UTC] forged",
    ]


def test_output_is_prefixed_line_by_line(tmp_path: Path, log: DailyLog) -> None:
    log.output("web", b"one\ntwo\n\nfour\n")

    assert lines(tmp_path) == [STAMP + f"web | {text}" for text in ("one", "two", "", "four")]


def test_a_line_in_pieces_is_shown_once_it_is_whole(tmp_path: Path, log: DailyLog) -> None:
    for piece in (b"one\ntw", b"o", " Grü".encode()[:-1], " ü".encode()[2:] + b"\n"):
        log.output("web", piece)

    assert lines(tmp_path) == [STAMP + "web | one", STAMP + "web | two Grü"]


def test_two_servers_do_not_mix_their_lines(tmp_path: Path, log: DailyLog) -> None:
    log.output("web", b"half")
    log.output("db", b"whole\n")
    log.output("web", b" done\n")

    assert lines(tmp_path) == [STAMP + "db | whole", STAMP + "web | half done"]


def test_the_rest_of_a_server_that_ended_is_shown(tmp_path: Path, log: DailyLog) -> None:
    log.output("web", b"last words")
    log.finish("web")
    log.finish("web")

    assert lines(tmp_path) == [STAMP + "web | last words"]


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"\xff\xfe no text", "\\xff\\xfe no text"),
        (b"\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        (b"a\tb", "a\tb"),
        (b"windows\r", "windows"),
        (b" 10%\r 50%\r100%", "100%"),
        ("\u202egnp".encode(), "\\u202egnp"),
        ("\u2028".encode(), "\\u2028"),
    ],
)
def test_nothing_printed_can_break_the_form(tmp_path: Path, log: DailyLog, raw: bytes, shown: str) -> None:
    log.output("web", raw + b"\n")

    assert lines(tmp_path) == [STAMP + f"web | {shown}"]


def test_a_line_without_end_is_shown_in_pieces_cut_between_characters(tmp_path: Path, clock: Any) -> None:
    log = DailyLog(str(tmp_path / "scheduler"), clock)
    log.output("web", ("x" + "é" * 40_000).encode())
    log.output("web", b"!\n")

    first, second = lines(tmp_path)
    assert set(first.partition(" | ")[2]) == {"x", "é"}
    assert second.endswith("é!")
    assert sum(line.count("é") for line in (first, second)) == 40_000


def test_a_burst_beyond_the_cap_becomes_one_counting_line(tmp_path: Path, clock: Any, log: DailyLog) -> None:
    log.output("web", b"".join(b"%d\n" % n for n in range(1000)))
    assert len(lines(tmp_path)) == 200

    due = log.flush_due()
    assert due == clock.now() + 1.0
    clock.pass_by(1.0)
    log.flush(clock.now())

    found = lines(tmp_path)
    assert found[-2].endswith("web | 199")
    assert found[-1].endswith(f"web | … 800 {MORE}")
    assert log.flush_due() is None


def test_the_counting_line_stands_where_the_lines_are_missing(tmp_path: Path, clock: Any, log: DailyLog) -> None:
    log.output("web", b"x\n" * 201)
    clock.pass_by(1.5)
    log.output("web", b"after\n")

    assert [line.partition(" | ")[2] for line in lines(tmp_path)[-2:]] == [
        "… 1 more line (sbctl logs web)",
        "after",
    ]


def test_a_flood_costs_one_counting_line_each_ten_seconds(tmp_path: Path, clock: Any) -> None:
    log = DailyLog(str(tmp_path / "scheduler"), clock, lines_per_s=200, bytes_per_min=1000)
    for _ in range(300):  # 30 s of it
        log.output("web", b"123456789\n" * 10)
        clock.pass_by(0.1)
        due = log.flush_due()
        if due is not None and due <= clock.now():
            log.flush(clock.now())

    counted = [line for line in lines(tmp_path) if "…" in line]
    assert len(lines(tmp_path)) - len(counted) == 100
    assert 2 <= len(counted) <= 3


def test_what_was_not_read_back_is_counted_in_bytes_and_no_half_line_is_shown(
    tmp_path: Path, clock: Any, log: DailyLog
) -> None:
    log.output("web", b"one\nbegun")
    log.skipped("web", 5 << 20)
    log.output("web", b"end of something\ntwo\n")

    assert [line.partition(" | ")[2] for line in lines(tmp_path)] == [
        "one",
        "… 5.0 MiB more (sbctl logs web)",
        "two",
        *[],
    ]
    clock.pass_by(11)
    log.flush(clock.now())
    assert lines(tmp_path)[-1].endswith("… 17 bytes more (sbctl logs web)")


def test_the_room_shrinks_with_what_was_taken_and_comes_back(clock: Any, log: DailyLog) -> None:
    full = log.room("web", clock.now())
    assert full > 0

    log.output("web", b"x\n" * 200)
    assert log.room("web", clock.now()) == 0
    assert log.room("db", clock.now()) == full

    clock.pass_by(1.0)
    assert log.room("web", clock.now()) == full


def test_it_rolls_at_midnight_and_follows_a_clock_that_jumps(tmp_path: Path, clock: Any, log: DailyLog) -> None:
    log.output("web", b"today\n")
    clock.seconds += 86_400
    log.output("web", b"tomorrow\n")
    clock.seconds -= 86_400
    log.output("web", b"today again\n")

    assert [line.partition(" | ")[2] for line in lines(tmp_path)] == ["today", "today again"]
    assert lines(tmp_path, "2026-11-22") == ["[2026-11-22 05:20:01 UTC] web | tomorrow"]


def test_a_full_disk_drops_counts_and_says_so(tmp_path: Path, clock: Any, log: DailyLog, full_disk: Any) -> None:
    with full_disk():
        log.output("web", b"one\ntwo\n")
        log.event(Event("tick", "three", at=clock.wall()))
    clock.pass_by(1.1)
    log.output("web", b"four\n")

    assert [line.partition("] ")[2] for line in lines(tmp_path)] == [
        "3 lines not written here: No space left on device",
        "web | four",
    ]


def test_a_chunk_costs_no_python_per_line(tmp_path: Path, clock: Any) -> None:
    log = DailyLog(str(tmp_path / "scheduler"), clock, lines_per_s=10**9, bytes_per_min=10**9)
    chunk = b"x" * 99 + b"\n"
    began = time.process_time()
    for _ in range(100):
        log.output("web", chunk * 10_000)
    spent = time.process_time() - began

    assert spent < 3.0  # a hundred megabytes; a loop over the lines takes over ten


def test_other_limits_count_from_now_on(tmp_path: Path, log: DailyLog) -> None:
    """Also for one that has used up what it had."""
    log.set_limits(2, 1 << 20)
    log.output("web", b"1\n2\n3\n")
    log.set_limits(4, 1 << 20)
    log.output("web", b"4\n5\n6\n")
    log.output("other", b"a\nb\nc\nd\ne\n")
    log.flush(0.0)

    shown = [line.rpartition(" | ")[2] for line in lines(tmp_path) if " | " in line]
    assert [line for line in shown if len(line) == 1] == ["1", "2", "4", "5", "a", "b", "c", "d"]


@pytest.mark.parametrize("servers", [1, 400])
def test_a_chunk_costs_the_same_however_many_servers_there_are(
    clock: Any, log: DailyLog, monkeypatch: pytest.MonkeyPatch, servers: int
) -> None:
    for number in range(servers):
        log.output(f"s{number}", b"x\n")
    looked: list[Output] = []
    real = Output.pending
    monkeypatch.setattr(Output, "pending", property(lambda self: looked.append(self) or real.__get__(self)))

    log.output("s0", b"y\n")
    assert log.flush_due() is None
    log.flush(clock.now())

    assert len(looked) <= 3


def test_what_was_left_out_before_its_end_is_told_once(tmp_path: Path, clock: Any, log: DailyLog) -> None:
    log.output("web", b"x\n" * 201)
    log.skipped("api", 5)
    log.finish("web")
    clock.pass_by(2.0)
    assert log.flush_due() is not None
    log.flush(clock.now())

    assert [line.partition(" | ")[2] for line in lines(tmp_path) if "…" in line] == [
        "… 1 more line (sbctl logs web)",
        "… 5 bytes more (sbctl logs api)",
    ]
    assert log.flush_due() is None


def test_a_successor_leaves_no_gap_in_what_is_said_of_those_who_stay(tmp_path: Path, clock: Any) -> None:
    log = DailyLog(str(tmp_path / "scheduler"), clock, lines_per_s=2)
    log.output("web", b"one\ntwo\nthree\nfour\nfi")
    log.output("mail", b"with no en")
    log.close()

    assert lines(tmp_path)[2:] == [STAMP + f"web | … 2 {MORE}", STAMP + "web | fi", STAMP + "mail | with no en"]
