"""What of a status is drawn on a terminal that has no room for all of it."""

from __future__ import annotations

import pytest
from support.fake_daemon import row

from supervisor.cli.fitting import fit
from supervisor.cli.table import Row, parse_rows
from supervisor.model.rows import encode_rows

HEAD = ["sbctl 0.1.0 · running", "SERVICE  STATE"]
TAIL = ["1 problem.  why: sbctl why s7", "settings: 1 problem"]


def services(count: int, failed: tuple[int, ...] = ()) -> list[Row]:
    facts = [row(f"s{number}", "failed" if number in failed else "running", desired="up") for number in range(count)]
    return parse_rows(encode_rows("", {"state": "", "pid": "", "started": 0, "wall": 0, "ticks": 0}, facts))[1]


def fitted(rows: list[Row], width: int, height: int) -> list[str]:
    lines = [*HEAD, *(f"{one.name}  {one.state}" for one in rows), *TAIL]
    return fit(lines, rows, len(HEAD), width, height, utf8=True)


@pytest.mark.parametrize("height", [0, 14, 30])
def test_what_fits_is_left_as_it_is(height: int) -> None:
    rows = services(10)
    assert fitted(rows, 0, height) == [*HEAD, *(f"{one.name}  running" for one in rows), *TAIL]


def test_the_head_stays_and_the_rest_is_counted() -> None:
    lines = fitted(services(10), 90, 9)
    assert lines == [*HEAD, "s0  running", "s1  running", "s2  running", "s3  running", "… and 6 more", *TAIL]


def test_who_is_in_trouble_stays_longest_and_in_its_place() -> None:
    assert fitted(services(10, failed=(7,)), 90, 8)[2:6] == [
        "s0  running",
        "s1  running",
        "s7  failed",
        "… and 7 more",
    ]
    assert fitted(services(10, failed=(2, 5, 7)), 90, 7)[2:5] == [
        "s2  failed",
        "s5  failed",
        "… and 8 more, 1 of them not running as wanted",
    ]


@pytest.mark.parametrize("height", [1, 2, 3, 4, 5, 6])
def test_of_a_very_low_terminal_the_head_is_left(height: int) -> None:
    lines = fitted(services(10, failed=(7,)), 90, height)
    assert len(lines) == height
    assert lines[:2] == HEAD[:height]
    assert height < 4 or "s7  failed" in lines


def test_no_line_is_wider_than_the_terminal_and_colours_end() -> None:
    line = "web  \x1b[31mfailed\x1b[0m  much more"
    assert fit([line], [], 1, 8, 5, utf8=True) == ["web  \x1b[31mfai\x1b[0m"]
    assert fit([line], [], 1, 0, 5, utf8=True) == [line]


def test_a_tab_takes_the_room_that_it_takes_on_the_terminal() -> None:
    assert fit(["web\trunning\t12"], [], 0, 20, 5, utf8=True) == ["web     running 12"]
    assert fit(["web\trunning\t12"], [], 0, 17, 5, utf8=True) == ["web     running 1"]
    assert fit(["a\x1b[31mb\tc\x1b[0m\td"], [], 0, 40, 5, utf8=True) == ["a\x1b[31mb      c\x1b[0m       d"]
    assert fit(["web\trunning"], [], 0, 0, 5, utf8=True) == ["web\trunning"]
