"""How lines of output are shown: as text with names and colours, as JSON, or as the bytes they are."""

from __future__ import annotations

import functools
import zlib
from collections.abc import Iterable, Iterator

from supervisor.base.clock import iso, stamp
from supervisor.cli import out
from supervisor.cli.ansi import ODD, plain, visible
from supervisor.cli.json_text import encode
from supervisor.cli.masking import Mask
from supervisor.cli.sources import EVENT, Line

AT_ONCE = 500  # lines a block: masked and looked at together
MAX_BLOCK = 1 << 18
NAME_COLOURS = ("36", "33", "32", "35", "34", "96", "93", "92", "95", "94")


class TextView:
    """For people: `name | line`, with times where a time was asked for."""

    def __init__(self, mask: Mask, *, names: bool, times: bool, colour: bool) -> None:
        self._mask = mask
        self._names = names
        self._times = times
        self._colour = colour
        self._on_terminal = out.is_terminal()

    def show(self, lines: Iterable[Line]) -> None:
        for prefix, block in _blocks((self._prefix(line), line.text) for line in lines):
            out.show_bytes(self._render(prefix, block))

    def _prefix(self, line: Line) -> bytes:
        text = f"[{stamp(line.at)}] " if self._times or line.stream == EVENT else ""
        if self._names and line.service:
            text += self._name(line.service)
        return text.encode()

    def _name(self, name: str) -> str:
        """The same colour for a name each time."""
        if not self._colour:
            return f"{name} | "
        return f"\x1b[{NAME_COLOURS[zlib.crc32(name.encode()) % len(NAME_COLOURS)]}m{name} |\x1b[0m "

    def _render(self, prefix: bytes, lines: list[bytes]) -> bytes:
        block = self._masked(lines)
        if ODD.search(block) or (self._on_terminal and b"\t" in block):
            shown = (visible(line, colour=self._colour, expand=self._on_terminal) for line in block[:-1].split(b"\n"))
            block = ("\n".join(shown) + "\n").encode("utf-8", "backslashreplace")
        return prefix + block[:-1].replace(b"\n", b"\n" + prefix) + b"\n" if prefix else block

    def _masked(self, lines: list[bytes]) -> bytes:
        """Colours must not keep a secret from being found; a line that has one is shown without them."""
        block = b"\n".join(lines) + b"\n"
        if b"\x1b" not in block:
            return self._mask.hide(block)
        bare = [plain(line) for line in lines]
        hidden = [self._mask.hide(line) for line in bare]
        shown = (line if now == was else now for line, was, now in zip(lines, bare, hidden, strict=True))
        return b"\n".join(shown) + b"\n"


class JsonView:
    """One object a line, for programs: lines that have their level."""

    def __init__(self, mask: Mask) -> None:
        self._mask = mask

    def show(self, lines: Iterable[Line]) -> None:
        for chunk in _batched(lines):
            texts = self._mask.hide(b"\n".join(plain(line.text.rstrip(b"\r")) for line in chunk)).split(b"\n")
            objects = (_object(line, text) for line, text in zip(chunk, texts, strict=True))
            out.show_bytes("".join(objects).encode("utf-8", "backslashreplace"))


def _object(line: Line, text: bytes) -> str:
    record = {
        "at": _iso(line.at),
        "service": line.service,
        "stream": line.stream,
        "level": line.level,
        "text": text.decode("utf-8", "replace"),
    }
    return encode(record) + "\n"


_iso = functools.lru_cache(maxsize=64)(iso)  # neighbours have the same


class RawView:
    """The lines as the program wrote them, for where they had to be chosen or merged."""

    def show(self, lines: Iterable[Line]) -> None:
        for chunk in _batched(lines):
            out.show_bytes(b"".join(line.text + b"\n" for line in chunk))


View = TextView | JsonView | RawView


def _batched(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Some at a time: a bounded number, of bounded size."""
    chunk: list[Line] = []
    size = 0
    for line in lines:
        chunk.append(line)
        size += len(line.text)
        if len(chunk) >= AT_ONCE or size >= MAX_BLOCK:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _blocks(lines: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, list[bytes]]]:
    """Neighbours with the same prefix together, in blocks of bounded size."""
    block: list[bytes] = []
    size, of = 0, b""
    for prefix, text in lines:
        if block and (prefix != of or len(block) >= AT_ONCE or size >= MAX_BLOCK):
            yield of, block
            block, size = [], 0
        of = prefix
        block.append(text)
        size += len(text)
    if block:
        yield of, block
