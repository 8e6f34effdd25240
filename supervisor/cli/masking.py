"""Secrets are masked in what is printed: values that we know, and shapes that secrets have.

Masked is the value alone, so that the line still says what it is about. The raw files stay what the programs wrote.
A line costs a few searches for plain words; only where one is found the patterns look closer.
"""

from __future__ import annotations

import re

from supervisor.cli.masking_json import NAME, JsonMask, forms_of, is_json_itself, may_have_json
from supervisor.cli.masking_keys import KEY_BEGINS, KEY_IN_ONE_LINE, MASK, KeyLines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    # Words of which one must be there (in small letters), the pattern, what takes its place.
    Shape = tuple[tuple[bytes, ...], re.Pattern[bytes], bytes | Callable[[re.Match[bytes]], bytes]]

OF_NAMES = frozenset((b"authorization", b"cookie", b"passw", b"pwd"))  # the first word of their shapes
LEAST = 6  # a shorter value would mask words that only look like it
MAX_VALUE = 8 << 10
MAX_VALUES = 300
COMMON = frozenset(b"false none null true default enabled disabled localhost 127.0.0.1 development production".split())

# As written, or within a text of JSON, where each quote has a backslash before it (or three, seven, ...).
_QUOTE = rb"\\{0,7}[\"']?"
_IS = rb"[ \t]{0,3}(?::=|=>|={1,3}|:)[ \t]{0,3}"

# A quoted value ends at its quote and not at one that belongs to it; one without an end takes the rest of its line.
# No part can match what the next one begins with, so that nothing is ever tried in two ways.
_IN_JSON = rb"\\\"(?:[^\"\\\n]|\\\\\\\"|\\{4}|\\\\|\\[^\"\\\n]){1,2000}(?:\\\")?|\\{3,7}\"[^\"\n]{1,2000}(?:\")?"
_QUOTED = rb"\"(?:[^\"\\\n]|\\[^\n]){1,2000}\"?|'(?:[^'\\\n]|\\[^\n]|''){1,2000}'?"
# Without quotes it goes on over punctuation that a word follows, unless that is the next name (`;user=x`).
_BARE = (
    rb"[^\s\"',;&<>(){}\[\]\\](?:[^\s\"',;&<>(){}\[\]\\]"
    rb"|[,;&](?![\w.%\[\]-]{0,40}[=:])(?=[\w!-%*-/?@^~])|[<>(){}\[\]\"'](?=\w)|\\(?![nrt\"'\\])(?=\w)){0,2000}"
)
# A number or a word after a name of JSON: there the next name has its comma before it.
_PLAIN = (
    rb"(?:(?<=\":)|(?<=\": ))(?:-?\d[\d.eE+-]{0,40}|true|false|null)"
    rb"(?=[ \t]{0,3}(?:[}\]]|,[ \t]{0,3}\\{0,7}\"))"
)
_VALUE = rb"(?:" + _PLAIN + rb"|" + _IN_JSON + rb"|" + _QUOTED + rb"|" + _BARE + rb")"
_COOKIES = rb"(?:=\"[^\"\r\n]{0,4000}\"|[^\r\n\"'\\]){1,8000}"

_OPENING = re.compile(rb"\\{0,7}[\"']")
_JSON_NAME = re.compile(rb"(\\{0,7}\")[ \t]{0,3}:[ \t]{0,3}$")


def _instead(found: re.Match[bytes]) -> bytes:
    """The name and the mask in the quotes of the value, or of its JSON name: what was JSON can be read by a program."""
    before, value = found[1], found[2]
    if quote := _OPENING.match(value):
        is_closed = len(value) >= 2 * len(quote[0]) and value.endswith(quote[0])
        return before + quote[0] + MASK + (quote[0] if is_closed else b"")
    if name := _JSON_NAME.search(before):
        return before + name[1] + MASK + name[1]
    return before + MASK


_SHAPES: tuple[Shape, ...] = (
    (
        (b"authorization",),
        re.compile(
            rb"(?i)(authorization" + _QUOTE + _IS + _QUOTE + rb"(?:(?:basic|bearer|digest|negotiate|token|apikey)"
            rb"[ \t]{1,3})?)[^\s\"',\\]{1,4000}"
        ),
        rb"\1" + MASK,
    ),
    ((b"bearer",), re.compile(rb"(?i)(\bbearer[ \t]{1,3})[\w.~+/=-]{8,4000}"), rb"\1" + MASK),
    (
        (b"cookie",),
        re.compile(
            rb"(?i)((?:set-)?cookie"
            + _QUOTE
            + rb"[ \t]{0,3}:[ \t]{0,3}"
            + _QUOTE
            + rb")(?=[^\s=\"']{1,200}=)"
            + _COOKIES
        ),
        rb"\1" + MASK,
    ),
    (
        (b"://", b":\\/\\/"),  # or as some write it in JSON
        # A password may hold an @, and a slash where no port can be meant.
        re.compile(
            rb"(:\\?/\\?/[^\s/:@\"']{0,200}:)(?:[^\s/\"']{1,200}(?=@)|(?!\d{1,5}(?![^\s/?#,;)]))[^\s@\"']{1,200}(?=@))"
        ),
        rb"\1" + MASK,
    ),
    (
        (b"discord",),
        re.compile(rb"(?i)(discord(?:app)?\.com/api/(?:v\d{1,3}/)?webhooks/)\d{1,30}/[\w-]{1,200}"),
        rb"\1" + MASK,
    ),
    ((b"hooks.slack.com",), re.compile(rb"(?i)(hooks\.slack\.com/services/)[\w/]{10,200}"), rb"\1" + MASK),
    (
        (b"passw", b"passphrase", b"secret", b"token", b"key", b"credential"),
        re.compile(rb"(?i)(" + NAME + rb"[\w-]{0,20}" + _QUOTE + _IS + rb")(" + _VALUE + rb")"),
        _instead,
    ),
    (
        (b"pwd",),  # which is also a folder
        re.compile(rb"(?i)((?<![a-z])pwd" + _QUOTE + _IS + rb")(?!" + _QUOTE + rb"[/~.])(" + _VALUE + rb")"),
        _instead,
    ),
    (
        (b"--pass", b"--token", b"--secret", b"-token ", b"-key ", b"-secret ", b"-password "),
        re.compile(rb"(?i)(--[\w-]{0,30}(?:password|passwd|token|secret|key)[ \t]{1,3})(?!-)(" + _VALUE + rb")"),
        _instead,
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
    ((b"private key",), KEY_IN_ONE_LINE, rb"\1" + MASK),
)


class Mask:
    """Knows the values of one home; takes lines, also many at once."""

    def __init__(self, values: Iterable[bytes] = ()) -> None:
        parts = {part.strip() for value in values if len(value) <= MAX_VALUE for part in value.split(b"\n")}
        worth = [part for part in parts if len(part) >= LEAST and part.lower() not in COMMON]
        # The longest first: one may be a part of another.
        chosen = sorted(worth, key=lambda part: (-len(part), part))[:MAX_VALUES]
        self._values = [sorted(forms_of(part), key=len, reverse=True) for part in chosen]
        self._keys = KeyLines()

    def hide(self, data: bytes) -> bytes:
        """The same lines, with `••••` where a secret was."""
        low = data.lower()
        values = [form for forms in self._values if any(form in data for form in forms) for form in forms]
        shapes = [shape for shape in _SHAPES if any(word in low for word in shape[0])]
        return _hide(data, values, shapes, self._keys) if values or shapes else self._keys.hide(data)

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


def _hide(data: bytes, values: Sequence[bytes], shapes: Sequence[Shape], keys: KeyLines) -> bytes:
    """Of what may be in it. A key within a text of JSON does not go on in the next line."""
    json: JsonMask | None = None
    if may_have_json(data):
        low = data.lower()
        for value in values:
            if is_json_itself(value):
                data = data.replace(value, MASK)
        all_words = [word for shape in shapes for word in shape[0] if word in low]
        json = JsonMask(all_words, values, lambda text: _hide(text, values, shapes, KeyLines()))
        patterns = [shape[1] for shape in shapes if shape[0][0] not in OF_NAMES]
        names = len(patterns) < len(shapes)
        if b"PRIVATE KEY" in data:
            patterns.append(KEY_BEGINS)
        data = json.take_out(data, patterns, names=names)
        if json.is_all:
            return json.put_back(keys.hide(data))
    for value in values:
        data = data.replace(value, MASK)
    low = data.lower()
    for words, pattern, instead in shapes:
        if any(word in low for word in words):
            data = pattern.sub(instead, data)
    data = keys.hide(data)
    return json.put_back(data) if json else data
