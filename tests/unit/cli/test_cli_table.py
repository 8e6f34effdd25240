"""The status as text."""

from __future__ import annotations

import pytest
from support.fake_daemon import row

from supervisor.cli import table
from supervisor.cli.quick import Snapshot, narrowed
from supervisor.cli.table import Style
from supervisor.model.rows import encode_rows

HEAD = {"state": "running", "pid": 42, "started": 1000.0, "wall": 1000.0 + 3 * 86400 + 4 * 3600, "ticks": 9}
ROWS = [
    row("config", ready=True, detail="127.0.0.1:3456"),
    row("mail", "backoff", restarts=5, detail="exit code 1; crash 5 of 9"),
    row("web", "stopped"),
]


def parsed(rows: list[dict[str, object]] = ROWS) -> tuple[table.Head, list[table.Row]]:
    return table.parse_rows(encode_rows("start", HEAD, rows))


def test_rows_survive_their_frame() -> None:
    head, rows = parsed()
    assert (head.pid, head.role, head.ticks) == ("42", "start", "9")
    assert [(r.name, r.state, r.desired, r.restarts, r.ready) for r in rows] == [
        ("config", "running", "up", "0", "yes"),
        ("mail", "backoff", "up", "5", ""),
        ("web", "stopped", "down", "0", ""),
    ]


@pytest.mark.parametrize("data", [b"", b"{}", b"a\tb", b"a\tb\tc\td\te\tf", b"s\t1\t0\t0\t0\tstart\nname only"])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # whatever it says
        table.parse_rows(data)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0s"), (0.9, "0s"), (59, "59s"), (60, "1m 0s"), (3725, "1h 2m"), (3 * 86400 + 4 * 3600, "3d 4h")],
)
def test_durations(seconds: float, text: str) -> None:
    assert table.duration(seconds) == text


def test_the_table() -> None:
    _, rows = parsed()
    assert table.table(rows, Style()) == [
        "SERVICE  STATE      PID   UPTIME  CPU   MEM    RESTARTS  DETAIL",
        "config   ● running  4630  1h 2m   0.4%  38.1M  0         127.0.0.1:3456",
        "mail     ▲ backoff  -     -       -     -      5         exit code 1; crash 5 of 9",
        "web      ■ stopped  -     -       -     -      0",
    ]


def test_a_narrow_terminal_goes_without_what_each_takes() -> None:
    _, rows = parsed()
    wide, narrow = table.table(rows, Style(width=69)), table.table(rows, Style(width=68))
    assert wide[0].split() == ["SERVICE", "STATE", "PID", "UPTIME", "CPU", "MEM", "RESTARTS", "DETAIL"]
    assert narrow[0].split() == ["SERVICE", "STATE", "PID", "UPTIME", "RESTARTS", "DETAIL"]
    assert narrow[1] == "config   ● running  4630  1h 2m   0         127.0.0.1:3456"
    assert max(map(len, wide)) == 69


def test_rows_of_an_older_daemon_lack_what_each_takes() -> None:
    lines = encode_rows("start", HEAD, ROWS).split(b"\n")
    old = b"\n".join([lines[0], *(b"\t".join(line.split(b"\t")[:9]) for line in lines[1:])])
    head, rows = table.parse_rows(old)
    assert (head.pid, rows[0].name, rows[0].cpu_percent, rows[0].processes) == ("42", "config", "", "")
    assert table.table(rows, Style())[0] == "SERVICE  STATE      PID   UPTIME  RESTARTS  DETAIL"
    assert table.plain(rows)[0].split("\t")[6:] == ["127.0.0.1:3456", "", "", "", ""]


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0K"),
        (839 * 1024, "839K"),
        (1000 * 1024, "1.0M"),
        (38.16 * 1024**2, "38.2M"),
        (612 * 1024**2, "612M"),
        (1.5 * 1024**3, "1.5G"),
        (2000 * 1024**3, "2000G"),
    ],
)
def test_sizes_are_short(count: float, text: str) -> None:
    assert table.size(count) == text


@pytest.mark.parametrize(("value", "text"), [(0.0, "0.0%"), (9.94, "9.9%"), (12.5, "12%"), (400.0, "400%")])
def test_percentages_are_short(value: float, text: str) -> None:
    assert table.percent(value) == text


@pytest.mark.parametrize(("state", "sign"), [("waiting", "○"), ("external", "◇")])
def test_each_phase_has_a_sign(state: str, sign: str) -> None:
    _, rows = parsed([row("mail", state)])
    assert f"{sign} {state}" in table.table(rows, Style())[1]
    assert table.hints(rows, Style()) == []


def test_ascii_twins() -> None:
    _, rows = parsed()
    lines = table.table(rows, Style(utf8=False))
    assert "\n".join(lines).isascii()
    assert "!! backoff" in lines[2]


def test_colour_is_around_the_state_only() -> None:
    _, rows = parsed()
    painted = table.table(rows, Style(colour=True))
    assert "\x1b[33m▲ backoff\x1b[0m" in painted[2]
    bare = [line.replace("\x1b[0m", "") for line in painted]
    for code in ("1", "2", "32", "33"):
        bare = [line.replace(f"\x1b[{code}m", "") for line in bare]
    assert bare == table.table(rows, Style())


@pytest.mark.parametrize("width", [60, 80])
def test_details_end_at_the_edge(width: int) -> None:
    _, rows = parsed([row("mail", "backoff", detail="x" * 200)])
    assert [len(line) for line in table.table(rows, Style(width=width))[1:]] == [width]


def test_hints_name_the_first_problem() -> None:
    _, rows = parsed()
    assert table.hints(rows, Style()) == ["1 problem.  why: sbctl why mail    then: sbctl restart mail"]
    assert table.hints(rows[:1], Style()) == []


def test_plain_is_for_cut() -> None:
    _, rows = parsed()
    assert table.plain(rows)[1].split("\t") == [
        "mail",
        "backoff",
        "up",
        "",
        "",
        "5",
        "exit code 1; crash 5 of 9",
        *("", "", "", ""),
    ]
    assert table.plain(rows)[0].split("\t")[6:] == ["127.0.0.1:3456", "0.4", "40000000", "3", "2"]


def test_control_characters_can_not_break_a_line() -> None:
    _, rows = parsed([row("mail", detail="a\tb\x1b[31m\nc")])
    assert rows[0].detail == "a\\x09b\\x1b[31m\\x0ac"


@pytest.mark.parametrize(
    ("state", "rows", "complete", "word"),
    [
        ("running", [row("a")], True, "running"),
        ("running", [row("a"), row("b", "stopped")], True, "running"),
        ("running", [row("a"), row("b", "stopped", desired="up")], True, "degraded"),
        ("running", [row("a", "failed")], True, "degraded"),
        ("running", [row("a", ready=False)], True, "degraded"),
        ("running", [row("a", "starting", ready=False)], True, "starting"),
        ("starting", [row("a")], True, "starting"),
        ("stopping", [row("a", "failed")], True, "stopping"),
        ("running", [row("a")], False, "degraded"),
        ("running", [row("a", "external")], True, "running"),
        ("running", [row("a", "starting"), row("b", "waiting")], True, "starting"),
        ("running", [row("a"), row("b", "waiting")], True, "degraded"),
        ("running", [row("a", "failed"), row("b", "starting")], True, "degraded"),
    ],
)
def test_one_word_for_the_whole(state: str, rows: list[dict[str, object]], complete: bool, word: str) -> None:
    head, found = parsed(rows)
    head.state = state

    assert Snapshot(head, found, heard=complete, complete=complete).state == word


def test_the_header() -> None:
    head, _ = parsed()
    text = table.header("0.1.0", head, "running", "/srv/a home", Style())
    assert text == "sbctl 0.1.0 · running · up 3d 4h · pid 42 · /srv/a home"


def test_one_that_runs_and_is_not_ready_is_a_problem() -> None:
    _, rows = parsed([row("web", ready=False), row("num")])
    assert [each.is_missed for each in rows] == [True, False]
    assert table.hints(rows, Style())[0].startswith("1 problem.  why: sbctl why web")
    assert "▲ degraded" in table.table(rows, Style())[1]
    assert table.plain(rows)[0].split("\t")[1] == "running"  # its phase, for scripts


def test_the_head_is_that_of_the_whole_tree() -> None:
    head, rows = parsed()
    found = Snapshot(head, rows, heard=True, complete=True)
    assert (found.state, narrowed(found, ["config"]).state) == ("degraded", "degraded")
