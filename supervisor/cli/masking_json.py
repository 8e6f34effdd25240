"""JSON is masked by what it says, names, values and texts, and not by how that looks: so it is JSON afterwards.

A pattern can't know whether a quote opens a value or closes a text; a parser does. What is JSON is taken out of the
lines, masked, and put back when the patterns have seen the rest.
"""

from __future__ import annotations

import functools
import json
import re

from supervisor.cli.masking_keys import KEY_IN_ONE_LINE, MASK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    Rule = Callable[[bytes], bytes | None]  # a value of JSON: what takes its place; None: it is like any other

NAME = (
    rb"(?:password|passwd|passphrase|secret|token(?!s)|api[_-]?key|access[_-]?key|private[_-]?key|credential"
    rb"|dash(?:board)?[_-]?key)s?"
)
HIDDEN = b'"' + MASK + b'"'
# Where the patterns of names find something, and a name of JSON whatever its value; in small letters, which is faster.
_NAMED = re.compile(rb"(?:" + NAME + rb"[\w-]{0,20}|pwd|cookie|authorization)\\{0,7}[\"']?[ \t]*[:=]")
PATIENCE = 8  # tries in a line to read what only begins like JSON

_SPACE = rb"[ \t\r]*"
_TEXT = rb"\"[^\"\\\n]*(?:\\.[^\"\\\n]*)*\""
_NUMBER = rb"-?\d[\d.eE+-]*"
_ONE = rb"(?:" + _TEXT + rb"|" + _NUMBER + rb"|true|false|null|NaN|-?Infinity)"
_COLON = _SPACE + rb":" + _SPACE

_START = re.compile(rb"\{(?=[ \t]*[\"}])|^[ \t]*\[")
_WHOLE = re.compile(rb"[ \t]*(?=[\"{\[]|-?\d[\d.eE+-]*[ \t]*,?[ \t\r]*$)")
_MEMBER = re.compile(_TEXT + _COLON)
_OPENED = re.compile(rb"[\[{]" + _SPACE)
_END = re.compile(_SPACE + rb",?" + _SPACE)
_ESCAPE = re.compile(rb"\\.")
_COLON_NEXT = re.compile(_COLON)
_WHOLE_NUMBER = re.compile(rb"[\d.eE+-]*")
_LIST = re.compile(rb"\[" + _SPACE)
_VALUE = re.compile(rb"(" + _ONE + rb")(" + _SPACE + rb"," + _SPACE + rb")?")

_SCHEME = re.compile(rb"(?i)\"(?:(?:basic|bearer|digest|negotiate|token|apikey)[ \t]{1,3}(?=[^\"]))?")
_COOKIES = re.compile(rb"\"[^\s=\"']{1,200}=")

# Begins JSON, an object or a line of it.
_LIKELY = re.compile(rb"\{[ \t]*[\"}]|\n[ \t]*(?:[\"\[]|-?\d[\d.eE+-]*[ \t]*,?[ \t\r]*(?=\n))")

_HELD = re.compile(rb"\{\x00(\d+)\x00\}")

# Numbers stay what is written: they may have more digits than Python likes to count with.
_decode = json.JSONDecoder(parse_int=str, parse_float=str).raw_decode
_encode = json.JSONEncoder(ensure_ascii=False).encode


class JsonMask:
    """For some lines: takes JSON out of them and puts it back."""

    __slots__ = ("_held", "_hide", "_values", "_words", "is_all")

    def __init__(self, words: Sequence[bytes], values: Sequence[bytes], hide: Callable[[bytes], bytes]) -> None:
        self._words = words  # without any of them (in small letters) or of the values nothing is secret
        self._values = values
        self._hide = hide  # secrets of the text within a value
        self._held: list[bytes] = []
        self.is_all = True  # what was looked at was JSON and nothing else

    def take_out(self, data: bytes, patterns: Iterable[re.Pattern[bytes]], *, names: bool) -> bytes:
        """The lines with marks in place of JSON, where one of the patterns or a secret name is found in them.

        A mark looks like an object: no value without quotes goes over it.
        """
        parts: list[bytes] = []
        done = 0
        searched = [(pattern, data) for pattern in patterns]
        if names:
            searched.append((_NAMED, data.lower()))
        for start, end in self._lines(data, searched):
            parts += data[done:start], self._without_json(data[start:end])
            done = end
        parts.append(data[done:])
        return b"".join(parts)

    def put_back(self, data: bytes) -> bytes:
        return _HELD.sub(lambda mark: self._held[int(mark[1])], data) if self._held else data

    def _lines(self, data: bytes, searched: list[tuple[re.Pattern[bytes], bytes]]) -> list[tuple[int, int]]:
        """Where a line begins and ends in which one of the patterns or a value is found."""
        lines: set[tuple[int, int]] = set()
        for pattern, where in searched:
            at = 0
            while found := pattern.search(where, at):
                lines.add(line := _line_at(data, found.start()))
                at = line[1]
        for value in self._values:
            at = data.find(value)
            while at >= 0:
                lines.add(line := _line_at(data, at))
                at = data.find(value, line[1])
        return sorted(lines)

    def _without_json(self, line: bytes) -> bytes:
        if b'"' not in line or b"{\x00" in line:
            self.is_all = False
            return line
        text = line.decode("latin-1")  # a character a byte; JSON's own are ASCII
        if _is_json(line, text):
            return self._hold(line)
        self.is_all = False
        parts: list[bytes] = []
        done = failures = 0
        found = _START.search(line)
        while found and failures < PATIENCE:
            start = found.end() - 1
            try:
                end = _decode(text, start)[1]
            except (ValueError, RecursionError):
                failures += 1
                found = _START.search(line, start + 1)
                continue
            parts += line[done:start], self._hold(line[start:end])
            found = _START.search(line, done := end)
        parts.append(line[done:])
        return b"".join(parts)

    def _hold(self, span: bytes) -> bytes:
        self._held.append(self._masked(span))
        return b"{\x00%d\x00}" % (len(self._held) - 1)

    def _masked(self, span: bytes) -> bytes:
        if b"PRIVATE KEY" in span:
            span = KEY_IN_ONE_LINE.sub(rb"\1" + MASK, span)
        bare = _ESCAPE.sub(b"..", span) if b"\\" in span else span  # each quote begins or ends a text
        parts: list[bytes] = []
        done = counted = quotes = 0
        for at in self._places(span):
            if at < done:
                continue
            quotes += bare.count(b'"', counted, at)
            counted = at
            start, end = _text_at(bare, at) if quotes % 2 else _number_at(bare, at)
            colon = _COLON_NEXT.match(span, end)
            rule = _rule_of(span[start:end]) if colon else None
            if colon and rule:
                if self._values:
                    parts += span[done:start], self._without_secrets(span[start:end])
                    done = end
                for begin, end, instead in self._of_name(span, colon.end(), rule):
                    parts += span[done:begin], instead
                    done = end
            elif start < end:
                parts += span[done:start], self._without_secrets(span[start:end])
                done = end
        parts.append(span[done:])
        return b"".join(parts)

    def _places(self, span: bytes) -> list[int]:
        """Of the words and the values in it."""
        low = span.lower()
        places: list[int] = []
        for texts, where in ((self._words, low), (self._values, span)):
            for text in texts:
                at = where.find(text)
                while at >= 0:
                    places.append(at)
                    at = where.find(text, at + 1)
        return sorted(places)

    def _of_name(self, span: bytes, at: int, rule: Rule) -> Iterator[tuple[int, int, bytes]]:
        """The value of a secret name, or those in a list of them: from where to where, and what takes its place."""
        opened = _LIST.match(span, at)
        if opened:
            at = opened.end()
        while value := _VALUE.match(span, at):
            yield value.start(1), value.end(1), rule(value[1]) or self._without_secrets(value[1])
            if not (opened and value[2]):
                return
            at = value.end()

    def _without_secrets(self, value: bytes) -> bytes:
        """A text with masks in it, or instead of a number a text."""
        if value[:1] != b'"':
            return HIDDEN if any(known in value for known in self._values) else value
        if b"\\" not in value:
            return b'"' + self._hide(value[1:-1]) + b'"'
        text = _decode(value.decode("utf-8", "surrogateescape"))[0]
        try:
            data = text.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:  # half a character, as an escape
            data = text.encode("utf-8", "replace")
        hidden = self._hide(data)
        if hidden == data:
            return value
        return _encode(hidden.decode("utf-8", "surrogateescape")).encode("utf-8", "backslashreplace")


def forms_of(value: bytes) -> set[bytes]:
    """A value as it is and as it may be written in JSON."""
    text = value.decode("utf-8", "surrogateescape")
    return {value} | {form[1:-1].encode("utf-8", "backslashreplace") for form in (_encode(text), json.dumps(text))}


def may_have_json(data: bytes) -> bool:
    return b'"' in data and _LIKELY.search(b"\n" + data + b"\n") is not None


def is_json_itself(value: bytes) -> bool:
    """With quotes that are no part of a text: it can only be hidden before it is taken for JSON."""
    return b'"' in value and b'\\"' not in value


def _line_at(data: bytes, at: int) -> tuple[int, int]:
    end = data.find(b"\n", at)
    return data.rfind(b"\n", 0, at) + 1, len(data) if end < 0 else end


def _text_at(bare: bytes, at: int) -> tuple[int, int]:
    """With its quotes."""
    return bare.rindex(b'"', 0, at), bare.index(b'"', at) + 1


def _number_at(span: bytes, at: int) -> tuple[int, int]:
    while at and span[at - 1] in b"0123456789.eE+-":
        at -= 1
    found = _WHOLE_NUMBER.match(span, at)
    return at, found.end() if found else at


def _is_json(line: bytes, text: str) -> bool:
    """From end to end; also one line of JSON that is printed over many."""
    begin = start = 0
    if line[:1] != b"{":
        whole = _WHOLE.match(line)
        if not whole:
            return False
        begin = start = whole.end()
    if text[start] == '"' and (name := _MEMBER.match(line, start)):
        start = name.end()
    try:
        if begin < start:
            _decode(text, begin)
            if _OPENED.fullmatch(line, start):
                return True
        end = _decode(text, start)[1]
    except (ValueError, RecursionError):
        return False
    return end == len(text) or _END.fullmatch(line, end) is not None


@functools.lru_cache(maxsize=512)
def _rule_of(name: bytes) -> Rule | None:
    """What to do with the value of that name; the name is in its quotes."""
    return next((rule for pattern, rule in _RULES if pattern.search(name)), None)


def _secret(value: bytes) -> bytes:
    return value if value == b'""' else HIDDEN


def _no_folder(value: bytes) -> bytes | None:
    return None if value[:2] in (b'"/', b'"~', b'".') else _secret(value)


def _authorization(value: bytes) -> bytes:
    scheme = _SCHEME.match(value)
    return scheme[0] + MASK + b'"' if scheme and value != b'""' else _secret(value)


def _cookies(value: bytes) -> bytes | None:
    return HIDDEN if _COOKIES.match(value) else None


_RULES: tuple[tuple[re.Pattern[bytes], Rule], ...] = (
    (re.compile(rb"(?i)authorization\"$"), _authorization),
    (re.compile(rb"(?i)" + NAME + rb"[\w-]{0,20}\"$"), _secret),
    (re.compile(rb"(?i)(?<![a-z])pwd\"$"), _no_folder),
    (re.compile(rb"(?i)cookie\"$"), _cookies),
)
