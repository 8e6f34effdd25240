"""Private keys lose their content, also where they come line by line."""

from __future__ import annotations

import re

MASK = "••••".encode()
LEAST_KEY_WORD = 16  # of a private key; only its last line is shorter
KEY_PATIENCE = 4  # headers, an empty line, lines of others between

_GAP = rb"(?:[ \t]|\\{1,4}[nrt]){0,20}"  # between the lines of a key that stands in one line
KEY_BEGINS = re.compile(rb"-----BEGIN ")
KEY_IN_ONE_LINE = re.compile(
    rb"(-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----)(?:" + _GAP + rb"[A-Za-z0-9+/=]{16,9000}){1,400}"
    rb"(?:" + _GAP + rb"[A-Za-z0-9+/=]{1,15}(?=" + _GAP + rb"-----END))?"
)

_BEGIN = re.compile(rb"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY")
_END = re.compile(rb"-----END [A-Z0-9 ]{0,40}PRIVATE KEY")
_KEY_LINE = re.compile(rb"[A-Za-z0-9+/]{16,1000}={0,2}|[A-Za-z0-9+/]{1,15}={1,2}")


class KeyLines:
    """Takes lines, one after the other or many at once, and knows whether a key has begun in them."""

    __slots__ = ("_in_key",)

    def __init__(self) -> None:
        self._in_key = 0  # within a private key: so many lines that are none of it may still come

    def hide(self, data: bytes) -> bytes:
        """The key may have begun in what was given before, or where it was not looked."""
        if not self._in_key and b"PRIVATE KEY" not in data:
            return data
        lines = data.split(b"\n")
        for number, line in enumerate(lines):
            if _BEGIN.search(line):
                self._in_key = 0 if _END.search(line) else KEY_PATIENCE
            elif _END.search(line):
                for before in range(number - 1, -1, -1):
                    if not _hide_last_word(lines, before, at_end=before == number - 1):
                        break
                self._in_key = 0
            elif self._in_key and line:
                self._in_key = KEY_PATIENCE if _hide_last_word(lines, number) else self._in_key - 1
        return b"\n".join(lines)


def _hide_last_word(lines: list[bytes], number: int, *, at_end: bool = False) -> bool:
    """The last one, because there may be a time and a name before it. False: it is none of a key."""
    words = lines[number].rsplit(None, 1)
    word = words[-1] if words else b""
    if word == MASK:
        return True
    if not _KEY_LINE.fullmatch(word) and not (at_end and len(word) < LEAST_KEY_WORD and word.isalnum()):
        return False
    start = lines[number].rindex(word)
    lines[number] = lines[number][:start] + MASK + lines[number][start + len(word) :]
    return True
