"""What programs write, made safe: colours pass where they may, all else is shown."""

from __future__ import annotations

import pytest

from supervisor.cli.ansi import hides, plain, visible


def test_colours_pass_on_a_terminal_and_end_with_the_line() -> None:
    line = b"\x1b[1;31mred\x1b[39m plain \x1b[38;5;8mgrey"
    assert visible(line, colour=True, expand=True) == line.decode() + "\x1b[0m"
    assert visible(line, colour=False, expand=False) == "red plain grey"
    assert plain(line) == b"red plain grey"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (b"\x1b]0;title\x07x", "\\x1b]0;title\\x07x"),
        (b"\x1b[2Jgone", "\\x1b[2Jgone"),
        (b"\x1b[8mhidden", "\\x1b[8mhidden"),
        (b"a\x1b[31", "a\\x1b[31"),
        (b"\x1bc", "\\x1bc"),
        (b"nul \x00 \xff\xfe", "nul \\x00 \\xff\\xfe"),
        ("C1 \x9b31m, right to left \u202e".encode(), "C1 \\x9b31m, right to left \\u202e"),
        (b"50%\r100%\r", "50%\\x0d100%"),
        ("grün ●".encode(), "grün ●"),
        (b"", ""),
    ],
)
@pytest.mark.parametrize("colour", [True, False])
def test_everything_else_is_shown(line: bytes, shown: str, colour: bool) -> None:
    assert visible(line, colour=colour, expand=True) == shown


def test_tabs_stay_but_on_a_terminal() -> None:
    assert visible(b"a\tb", colour=False, expand=False) == "a\tb"
    assert visible(b"a\tb", colour=True, expand=True) == "a       b"


@pytest.mark.parametrize(
    ("parameters", "hidden"),
    [
        ("8", True),
        ("0;8", True),
        ("1;08", True),
        ("38;5;8", False),
        ("48;2;8;8;8", False),
        ("38;5;8;8", True),
        ("", False),
    ],
)
def test_invisible_text(parameters: str, hidden: bool) -> None:
    assert hides(parameters) is hidden


def test_a_line_of_a_megabyte_costs_no_more_than_it_must() -> None:
    assert len(visible(b"\x1b[" * (1 << 18), colour=True, expand=True)) == 5 * (1 << 18)
    assert visible(b"\x1b[1m" * (1 << 17), colour=False, expand=False) == ""
