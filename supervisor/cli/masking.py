"""Secrets are masked in what is printed: values that we know, and shapes that secrets have.

Masked is the value alone, so that the line still says what it is about. The raw files stay what the programs wrote.
A line costs a few searches for plain words; only where one is found the patterns look closer.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

MASK = "••••".encode()
LEAST = 6  # a shorter value would mask words that only look like it
MAX_VALUE = 8 << 10
MAX_VALUES = 300
COMMON = frozenset(b"false none null true default enabled disabled localhost 127.0.0.1 development production".split())

_VALUE = rb"\"[^\"\n]{1,2000}\"|'[^'\n]{1,2000}'|[^\s\"',;&<>(){}\[\]\\]{1,2000}"
_NAME = rb"(?:password|passwd|passphrase|secret|token(?!s)|api[_-]?key|access[_-]?key|private[_-]?key|credential)s?"

# Words that must be there (in small letters), the pattern, what takes its place.
_SHAPES: tuple[tuple[tuple[bytes, ...], re.Pattern[bytes], bytes], ...] = (
    (
        (b"authorization",),
        re.compile(
            rb"(?i)(authorization[\"']?[ \t]{0,3}[:=][ \t]{0,3}[\"']?"
            rb"(?:(?:basic|bearer|digest|negotiate|token|apikey)[ \t]{1,3})?)[^\s\"',]{1,4000}"
        ),
        rb"\1" + MASK,
    ),
    ((b"bearer",), re.compile(rb"(?i)(\bbearer[ \t]{1,3})[\w.~+/=-]{8,4000}"), rb"\1" + MASK),
    ((b"://",), re.compile(rb"(://[^\s/:@\"']{0,200}:)[^\s/@\"']{1,400}(?=@)"), rb"\1" + MASK),
    (
        (b"discord",),
        re.compile(rb"(?i)(discord(?:app)?\.com/api/(?:v\d{1,3}/)?webhooks/)\d{1,30}/[\w-]{1,200}"),
        rb"\1" + MASK,
    ),
    ((b"hooks.slack.com",), re.compile(rb"(?i)(hooks\.slack\.com/services/)[\w/]{10,200}"), rb"\1" + MASK),
    (
        (b"passw", b"passphrase", b"secret", b"token", b"key", b"credential"),
        re.compile(rb"(?i)(" + _NAME + rb"[\w-]{0,20}[\"']?[ \t]{0,3}[=:][ \t]{0,3})(" + _VALUE + rb")"),
        rb"\1" + MASK,
    ),
    (
        (b"--pass", b"--token", b"--secret", b"-token ", b"-key ", b"-secret ", b"-password "),
        re.compile(rb"(?i)(--[\w-]{0,30}(?:password|passwd|token|secret|key)[ \t]{1,3})(?!-)(" + _VALUE + rb")"),
        rb"\1" + MASK,
    ),
    (
        (b"gh", b"glpat-", b"sk-", b"sk_", b"rk_", b"xox", b"akia", b"asia", b"eyj", b"aiza", b"npm_", b"pypi-"),
        re.compile(
            rb"\b(?:gh[pousr]_\w{20,255}|github_pat_\w{20,255}|glpat-[\w-]{16,255}|sk-[\w-]{16,255}"
            rb"|[sr]k_(?:live|test)_\w{10,255}|xox[abeoprs]-[\w-]{10,255}|(?:AKIA|ASIA)[0-9A-Z]{16}"
            rb"|eyJ[\w-]{10,2000}\.[\w-]{10,4000}\.[\w-]{5,2000}|AIza[\w-]{30,100}|npm_\w{30,100}|pypi-[\w-]{30,400})"
        ),
        MASK,
    ),
)


class Mask:
    """Knows the values of one home; takes lines, also many at once."""

    def __init__(self, values: Iterable[bytes] = ()) -> None:
        parts = {part.strip() for value in values if len(value) <= MAX_VALUE for part in value.split(b"\n")}
        worth = [part for part in parts if len(part) >= LEAST and part.lower() not in COMMON]
        # The longest first: one may be a part of another.
        self._values = sorted(worth, key=lambda part: (-len(part), part))[:MAX_VALUES]

    def hide(self, data: bytes) -> bytes:
        """The same lines, with `••••` where a secret was."""
        for value in self._values:
            if value in data:
                data = data.replace(value, MASK)
        low = data.lower()
        for words, pattern, instead in _SHAPES:
            if any(word in low for word in words):
                data = pattern.sub(instead, data)
        return data

    def hide_text(self, text: str) -> str:
        return self.hide(text.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")

    def hide_in(self, value: Any) -> Any:
        """In all texts of a JSON value; names stay."""
        if isinstance(value, str):
            return self.hide_text(value)
        if isinstance(value, list):
            return [self.hide_in(each) for each in value]
        if isinstance(value, dict):
            return {name: self.hide_in(each) for name, each in value.items()}
        return value
