"""Output of programs on a terminal: their colours pass, everything else that a terminal would obey is shown. Pure."""

from __future__ import annotations

import re

from supervisor.model.rows import clean

TAB = 8
SGR = re.compile(r"\x1b\[([0-9;:]*)m")
SGR_BYTES = re.compile(rb"\x1b\[[0-9;:]*m")
RESET = "\x1b[0m"
CONCEALED = "8"
EXTENDED = ("38", "48", "58")  # followed by a colour of their own: 5;N or 2;R;G;B

# What makes a block of lines worth looking at: controls, and whatever may be no UTF-8.
ODD = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f-\xff]")


def visible(line: bytes, *, colour: bool, expand: bool) -> str:
    """One line, safe wherever it is shown. `colour`: colours pass, and end with the line; `expand`: tabs become blanks.

    What is no printable character, and what is no UTF-8, is shown as an escape.
    """
    text = line.rstrip(b"\r").decode("utf-8", "surrogateescape")
    parts: list[str] = []
    end = column = 0
    passed = False
    for found in SGR.finditer(text) if "\x1b" in text else ():
        parts.append(_clean(text[end : found.start()], column if expand else -1))
        column += len(parts[-1])
        end = found.end()
        if hides(found[1]):
            parts.append(clean(found[0]))
            column += len(parts[-1])
        elif colour:
            parts.append(found[0])
            passed = True
    parts.append(_clean(text[end:], column if expand else -1))
    return "".join(parts) + (RESET if passed else "")


def _clean(text: str, column: int) -> str:
    """From that column on. With -1 tabs stay: they neither move the cursor back nor end the line."""
    if column >= 0:
        text = without_tabs(text, column)
    return "\t".join(clean(part) for part in text.split("\t"))


def without_tabs(text: str, column: int) -> str:
    """With blanks instead, as a terminal would show it from that column on."""
    if "\t" not in text:
        return text
    before = column % TAB
    return (" " * before + text).expandtabs(TAB)[before:]


def hides(parameters: str) -> bool:
    """Would it make the text invisible? `8` does, but not as the number of a colour."""
    words = iter(re.split("[;:]", parameters))
    for word in words:
        if word.lstrip("0") == CONCEALED:
            return True
        if word in EXTENDED:
            kind = next(words, "")
            for _ in range({"5": 1, "2": 3}.get(kind, 0)):
                next(words, "")
    return False


def plain(line: bytes) -> bytes:
    """Without its colours, for those who look for words in it."""
    return SGR_BYTES.sub(b"", line) if b"\x1b" in line else line
