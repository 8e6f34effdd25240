"""JSON with places. `json` judges the text, then a walk over its tokens notes where each value stands.

libyaml would give places too, but refuses valid JSON (escaped astral characters, keys beyond 1024
letters, DEL in a string), so the walk is our own. It trusts that the text is valid.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from supervisor.settings.document import MAX_DEPTH, BadText, Document, check_string, report_duplicate
from supervisor.settings.findings import Path
from supervisor.settings.positions import Lines, Place

MAX_NUMBER = 300  # letters; Python itself refuses integers of more than 4300

# Possessive, and a string may lack its end: so no text makes this slower than linear.
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
_NOT_NUMBERS = {"NaN", "Infinity", "-Infinity"}


def read_json(text: str, document: Document) -> Any:
    if not text.strip():
        raise BadText("the file is empty", (1, 1), "write {} for no settings")
    _check_shape(text)
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise BadText(f"not JSON: {_in_words(error.msg)}", (error.lineno, error.colno), _remedy(text, error)) from None
    _Walk(text, document).run()
    return data


def _check_shape(text: str) -> None:
    """Refuse what a parser would answer with a crash: towers of brackets, endless numbers."""
    depth = 0
    for match in _TOKEN.finditer(text):
        token = match.group()
        if token in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise BadText(f"nested more than {MAX_DEPTH} deep", Lines(text).place(match.start()), "flatten it")
        elif token in "]}":
            depth -= 1
        elif len(token) > MAX_NUMBER and token[0] != '"':
            raise BadText("a word or number without an end", Lines(text).place(match.start()), "shorten it")


def _in_words(message: str) -> str:
    if message.startswith("Invalid control character"):  # Python's own sentence breaks off: its end is the position
        return "a control character inside a string"
    return message[:1].lower() + message[1:]


def _remedy(text: str, error: json.JSONDecodeError) -> str:
    rest = text[error.pos :].lstrip()
    before = text[: error.pos].rstrip()
    if error.msg.startswith("Illegal trailing comma") or (before.endswith(",") and rest[:1] in ("}", "]")):
        return "remove the comma before the closing bracket"
    if rest.startswith(("//", "/*", "#")):
        return "JSON has no comments; keys that begin with x- can hold notes"
    if rest.startswith("'"):
        return 'JSON wants double quotes (")'
    if not rest:
        return "the file ends too early; was it written completely?"
    if "delimiter" in error.msg:
        return "add the missing comma, colon or bracket"
    return "mend the text at this place"


class _Walk:
    """Over the tokens of a valid text, once, without recursion."""

    def __init__(self, text: str, document: Document) -> None:
        self._tokens = ((match.group(), match.start()) for match in _TOKEN.finditer(text))
        self._lines = Lines(text)
        self._document = document
        self._path: Path = ()
        self._in_map: list[bool] = []
        self._key_next = False

    def run(self) -> None:
        for token, offset in self._tokens:
            if token in "]}":
                self._in_map.pop()
                self._path = self._path[:-1]
                self._key_next = False
            elif token == ",":
                self._next_item()
            elif self._key_next:
                self._take_key(token, self._lines.place(offset))
            elif token != ":":
                self._take_value(token, self._lines.place(offset))

    def _next_item(self) -> None:
        self._key_next = self._in_map[-1]
        last = self._path[-1]
        if isinstance(last, int):
            self._path = (*self._path[:-1], last + 1)

    def _take_key(self, token: str, place: Place) -> None:
        path: Path = (*self._path[:-1], json.loads(token))
        if path in self._document.positions.keys:
            report_duplicate(self._document, path, place)
        self._document.positions.keys[path] = place
        self._path = path
        self._key_next = False

    def _take_value(self, token: str, place: Place) -> None:
        self._document.positions.values[self._path] = place
        if token in "[{":
            self._in_map.append(token == "{")
            self._key_next = token == "{"
            self._path = (*self._path, "" if token == "{" else 0)
        elif token[0] == '"':
            check_string(self._document, self._path, json.loads(token))
        elif token in _NOT_NUMBERS or (token[-1].isdigit() and math.isinf(float(token))):
            self._document.report(self._path, f"{token} is not a number that JSON can hold", "write a plain number")
