"""Reads JSON in which each element of a long list stands on a line of its own, one element at a time.

As a whole it would be many times as large as what is made of it, and while the two stand side by side there are holes
among what stays, which nobody gives back. It is JSON like any other to everybody else: a newline is never in a string.
"""

from __future__ import annotations

from supervisor.base import jsons

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

NEXT = ",\n"
BRACKETS = {"[": "]", "{": "}"}
_MARK = "\n"  # the name, in the place of such a list, of its number


class Rows:
    """The elements of one list, made anew whenever they are asked for."""

    __slots__ = ("_end", "_start", "_text")

    def __init__(self, text: str, start: int, end: int) -> None:
        self._text = text
        self._start = start
        self._end = end

    def __iter__(self) -> Iterator[Any]:
        return map(jsons.loads, self.lines())

    def lines(self) -> Iterator[str]:
        text, at, end = self._text, self._start, self._end
        while at < end:
            to = text.find(NEXT, at, end)
            if to < 0:
                to = end
            yield text[at:to]
            at = to + len(NEXT)


class NamedRows(Rows):
    """The same of an object: names and values."""

    __slots__ = ()

    def __iter__(self) -> Iterator[Any]:
        return (name for name, _ in self.items())

    def items(self) -> Iterator[tuple[str, Any]]:
        for line in self.lines():
            yield from jsons.loads(f"{{{line}}}").items()


def read_rows(text: str) -> Any:
    """All of it, with `Rows` and `NamedRows` for what has been written so (see `lines`). Raises ValueError."""
    found: list[Rows] = []
    rest: list[str] = []
    at = 0
    while (begin := text.find("\n", at)) > 0 and (bracket := text[begin - 1]) in BRACKETS:
        end = text.find(f"\n{BRACKETS[bracket]}", begin)
        if end < 0:
            raise ValueError("it ends in the middle of a list")
        rest += (text[at : begin - 1], f'{{"\\n":{len(found)}}}')
        found.append((Rows if bracket == "[" else NamedRows)(text, begin + 1, end))
        at = end + 2
    rest.append(text[at:])
    return jsons.loads_with("".join(rest), lambda each: found[each[_MARK]] if _MARK in each else each)


def lines(texts: list[str], brackets: str) -> str:
    """How such a list is written, of which there are these elements."""
    return f"{brackets[0]}\n{NEXT.join(texts)}\n{brackets[1]}" if texts else brackets
