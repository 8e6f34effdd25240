"""Secrets in what is printed: known values and known shapes, and not what only looks like them."""

from __future__ import annotations

import json
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
        ('db_password: "with blanks in it", next', f'db_password: "{DOTS}", next'),
        ('{"api_key": "k-12345", "n": 1}', f'{{"api_key": "{DOTS}", "n": 1}}'),
        ("GET /x?token=abc&y=1", f"GET /x?token={DOTS}&y=1"),
        ("client_secret='abc'", f"client_secret='{DOTS}'"),
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
        (r'{"msg":"{\"password\":\"hunter2xyz\"}"}', rf'{{"msg":"{{\"password\":\"{DOTS}\"}}"}}'),
        (r'"{\"token\":\"ab\\\"cd\",\"n\":1}"', rf'"{{\"token\":\"{DOTS}\",\"n\":1}}"'),
        (r'{"password": "ab\"cd", "n": 1}', f'{{"password": "{DOTS}", "n": 1}}'),
        ("password='it''s' user='me'", f"password='{DOTS}' user='me'"),
        ('password="not closed', f'password="{DOTS}'),
        ("password=a,b;c d", f"password={DOTS} d"),
        ("password=pa,ss;word(1)", f"password={DOTS})"),
        ("Server=db;Password=x;Database=me", f"Server=db;Password={DOTS};Database=me"),
        ("{token: abc, user: me}", f"{{token: {DOTS}, user: me}}"),
        ("pwd=hunter22 PWD=/home/me OLDPWD=/tmp", f"pwd={DOTS} PWD=/home/me OLDPWD=/tmp"),
        ('"pwd": "/srv", "db_pwd": "x"', f'"pwd": "/srv", "db_pwd": "{DOTS}"'),
        ('secret => "abcdefg", :id => 1', f'secret => "{DOTS}", :id => 1'),
        ("password := hunter2", f"password := {DOTS}"),
        ("Cookie: sid=abc; theme=dark", f"Cookie: {DOTS}"),
        ("< Set-Cookie: sid=abc; Path=/", f"< Set-Cookie: {DOTS}"),
        ("curl -H 'Cookie: sid=abc' http://x", f"curl -H 'Cookie: {DOTS}' http://x"),
        ('{"cookie": "sid=abc; b=c", "n": 1}', f'{{"cookie": "{DOTS}", "n": 1}}'),
        ("the cookie: none was sent", "the cookie: none was sent"),
        ("postgres://u:p@ss@host/db", f"postgres://u:{DOTS}@host/db"),
        ("postgres://u:pa/ss@host/db", f"postgres://u:{DOTS}@host/db"),
        ("X-Dash-Key: abcdefgh", f"X-Dash-Key: {DOTS}"),
        ("the monkey took the keyboard", "the monkey took the keyboard"),
        ("high-risk-analysis-of-everything", "high-risk-analysis-of-everything"),
        ("listening on http://127.0.0.1:3456", "listening on http://127.0.0.1:3456"),
        ("", ""),
    ],
)
def test_shapes(line: str, shown: str) -> None:
    assert Mask().hide_text(line) == shown


@pytest.mark.parametrize("value", ["jsonsecret99", 'a"b\\', 123456, 1.5, True, None])
@pytest.mark.parametrize("name", ["password", "db_pwd", "token"])
def test_what_was_json_is_json_afterwards(name: str, value: object) -> None:
    record: object = {"level": "error", name: value, "more": [1]}
    hidden = {"level": "error", name: DOTS, "more": [1]}
    for depth in range(2 if value == 'a"b\\' else 3):
        for separators in ((",", ":"), (", ", ": ")):
            shown = json.loads(Mask().hide_text(json.dumps(record, separators=separators)))
            for _ in range(depth):
                shown = json.loads(shown["text"])
            assert shown == hidden
        record = {"text": json.dumps(record)}


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


BODY = "MIIEpAIBAAKCAQEA7bq98H5zWk1xQmJ3c0pTQzZlUjVkVGl3\n"
KEY = f"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n{BODY * 3}AbC0\n-----END RSA PRIVATE KEY-----\n"


def test_a_private_key_loses_its_content_and_none_of_its_lines() -> None:
    shown = Mask().hide_text(f"before\n{KEY}after\n")
    assert shown.split("\n") == [
        "before",
        "-----BEGIN RSA PRIVATE KEY-----",
        "Proc-Type: 4,ENCRYPTED",
        "",
        *[DOTS] * 4,
        "-----END RSA PRIVATE KEY-----",
        "after",
        "",
    ]


def test_a_private_key_in_parts_with_names_before_and_in_one_line() -> None:
    mask = Mask()
    shown = "".join(
        mask.hide_text(f"10:00:00 web | {line}\n") for line in [*KEY.split("\n"), "after 12345678901234567"]
    )
    assert "MIIE" not in shown
    assert shown.endswith("10:00:00 web | after 12345678901234567\n")
    assert "MIIE" not in Mask().hide_text(KEY[60:])  # from its middle on
    one = json.dumps({"key": KEY.replace("Proc-Type: 4,ENCRYPTED\n\n", ""), "n": 1})
    assert Mask().hide_text(one) == one.replace(BODY.strip(), "").replace("AbC0", "").replace("\\n" * 5, DOTS + "\\n")


def test_words_behind_the_mention_of_a_key_are_left_alone() -> None:
    text = "no -----BEGIN PRIVATE KEY----- in key.pem\nnext line\n"
    assert Mask().hide_text(text) == text


HOSTILE = [
    b"x",
    b"password",
    b"://a:",
    b"://a:1/@",
    b"token=",
    b"a.eyJ",
    b'password="',
    b"password='\\'",
    b'password:\\"\\\\',
    b"token=a,b",
    b"pwd=a&",
    b'cookie: a="',
    b"cookie: a=b",
    b"-----BEGIN PRIVATE KEY-----",
    b"-----BEGIN PRIVATE KEY-----\\n",
    b"-----BEGIN PRIVATE KEY-----\nAAAAAAAAAAAAAAAAAAAAAA\n",
    b"-----END PRIVATE KEY-----\n",
    b"-----BEGIN PRIVATE KEY-----" + b"A" * 1000,
    b"secret\\\\\\",
]


@pytest.mark.parametrize("part", HOSTILE)
@pytest.mark.parametrize("end", [b"", b"@"])
def test_a_megabyte_of_anything_is_masked_in_bounded_time(part: bytes, end: bytes) -> None:
    data = part * ((1 << 20) // len(part)) + end
    mask = Mask([b"value %06d" % number for number in range(300)])
    began = time.process_time()
    mask.hide(data)
    assert time.process_time() - began < 5
