"""Secrets in what is printed: known values and known shapes, and not what only looks like them."""

from __future__ import annotations

import time

import pytest

from supervisor.cli.masking import Mask

DOTS = "••••"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("Authorization: Bearer abc.def-123", f"Authorization: Bearer {DOTS}"),
        ("authorization: Basic dXNlcjpwdw==", f"authorization: Basic {DOTS}"),
        ('{"Authorization": "Token 12345678"}', f'{{"Authorization": "Token {DOTS}"}}'),
        ("sent bearer abcdefgh12345", f"sent bearer {DOTS}"),
        ("postgres://app:hunter2@db:5432/x", f"postgres://app:{DOTS}@db:5432/x"),
        ("redis://:hunter2@cache", f"redis://:{DOTS}@cache"),
        ("http://host:8080/path@x", "http://host:8080/path@x"),
        ("password=hunter2&user=a", f"password={DOTS}&user=a"),
        ("PGPASSWORD=hunter2 psql", f"PGPASSWORD={DOTS} psql"),
        ('db_password: "with blanks in it", next', f"db_password: {DOTS}, next"),
        ('{"api_key": "k-12345", "n": 1}', f'{{"api_key": {DOTS}, "n": 1}}'),
        ("GET /x?token=abc&y=1", f"GET /x?token={DOTS}&y=1"),
        ("client_secret='abc'", f"client_secret={DOTS}"),
        ("max_tokens=4096", "max_tokens=4096"),
        ("mysqldump --password hunter2 db", f"mysqldump --password {DOTS} db"),
        ("run --token --verbose", "run --token --verbose"),
        ("ghp_" + "a" * 36, DOTS),
        ("key sk-proj-abcdefghijklmnop1234 used", f"key {DOTS} used"),
        ("xoxb-123456789012-abcdef", DOTS),
        ("AKIAABCDEFGHIJKLMNOP", DOTS),
        ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdefg", f"jwt {DOTS}"),
        ("https://discord.com/api/webhooks/123/abc-DEF_1", f"https://discord.com/api/webhooks/{DOTS}"),
        ("https://hooks.slack.com/services/T0/B0/abcdefgh", f"https://hooks.slack.com/services/{DOTS}"),
        ("the monkey took the keyboard", "the monkey took the keyboard"),
        ("high-risk-analysis-of-everything", "high-risk-analysis-of-everything"),
        ("listening on http://127.0.0.1:3456", "listening on http://127.0.0.1:3456"),
        ("", ""),
    ],
)
def test_shapes(line: str, shown: str) -> None:
    assert Mask().hide_text(line) == shown


def test_known_values_are_masked_wherever_they_stand() -> None:
    mask = Mask([b"correct horse", b"correct horse battery", b"line one of a key\nline two of a key", b"abc", b"true"])
    assert mask.hide_text("x=correct horse battery!") == f"x={DOTS}!"
    assert mask.hide_text("correct horses") == f"{DOTS}s"
    assert mask.hide_text("line two of a key") == DOTS
    assert mask.hide_text("abc is true") == "abc is true"


def test_lines_are_masked_one_by_one_though_many_at_once() -> None:
    assert (
        Mask().hide(b"password=\nnext line\ntoken: \n'open\nclose'\n")
        == b"password=\nnext line\ntoken: \n'open\nclose'\n"
    )


def test_all_texts_of_a_record() -> None:
    record = {"text": "token=abc", "data": {"words": ["password: x", 5, None]}, "password": "kept as a name only"}
    assert Mask().hide_in(record) == {
        "text": f"token={DOTS}",
        "data": {"words": [f"password: {DOTS}", 5, None]},
        "password": "kept as a name only",
    }


@pytest.mark.parametrize(
    "data", [b"x" * (1 << 20), b"password" * 130_000, b"://a:" * 200_000, b"token=" * 170_000, b"eyJ" + b"a." * 500_000]
)
def test_a_megabyte_of_anything_is_masked_in_bounded_time(data: bytes) -> None:
    mask = Mask([b"value %06d" % number for number in range(300)])
    began = time.monotonic()
    mask.hide(data)
    assert time.monotonic() - began < 5
