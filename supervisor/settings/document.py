"""One settings file, read: plain data, the place of each value, and everything that is wrong with it as text.

Nothing that a file holds gets past here as an exception: each is a finding.
"""

from __future__ import annotations

import os
import re
import stat
from typing import Any

from supervisor.base.files import MAX_SMALL_FILE, read_small
from supervisor.settings.findings import Finding, Level, Path, dotted, has_errors
from supervisor.settings.positions import Place, Positions

MAX_DEPTH = 50
MAX_FINDINGS = 100  # of one file; who has more mends these first

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class BadText(Exception):
    """The text as such can't be read on; raised by the readers, turned into a finding here."""

    def __init__(self, message: str, place: Place, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.place = place
        self.remedy = remedy


class Document:
    """`data` is None when the file is missing, empty or can't be read at all."""

    def __init__(self, file: str, kind: str = "json") -> None:
        self.file = file  # as messages show it
        self.kind = kind  # "json" or "yaml"
        self.raw: bytes | None = None  # as it is on the disk
        self.data: Any = None
        self.positions = Positions()
        self.findings: list[Finding] = []
        self._complained: set[tuple[Place, Path]] = set()

    @property
    def can_be_judged(self) -> bool:
        """Is there something for the schema to look at? (An empty YAML file is: it gives nothing.)"""
        return self.data is not None or not has_errors(self.findings)

    @property
    def is_full(self) -> bool:
        return len(self.findings) > MAX_FINDINGS

    def report(
        self, path: Path, message: str, remedy: str = "", *, level: Level = "error", at_key: bool = False
    ) -> None:
        place = self.positions.of_key(path) if at_key else self.positions.of(path)
        self.report_at(place, message, remedy, path=path, level=level)

    def report_at(
        self, place: Place, message: str, remedy: str = "", *, path: Path = (), level: Level = "error"
    ) -> None:
        if (place, path) in self._complained or self.is_full:  # one complaint about one value is enough
            return
        self._complained.add((place, path))
        if len(self.findings) == MAX_FINDINGS:
            message, remedy = "there are more problems than are shown", "mend these first"
        self.findings.append(Finding(self.file, *place, dotted(path), message, remedy, level))


def read_document(path: str, shown: str) -> Document:
    """The file at `path`; its ending says how it is read."""
    document = Document(shown, "json" if path.endswith(".json") else "yaml")
    try:
        if kind := _special(os.stat(path).st_mode):
            document.report((), f"is {kind}, not a file", _instead(document))
            return document
        raw = read_small(path)
    except OSError as error:
        _report_unreadable(document, error)
        return document
    document.raw = raw
    parse(document, raw)
    return document


def _report_unreadable(document: Document, error: OSError) -> None:
    if error.strerror and error.strerror.startswith("larger than"):
        document.report((), f"the file is larger than {MAX_SMALL_FILE} bytes", "remove what is not needed")
        return
    document.report((), f"can't be read: {error.strerror or error}", f"make {document.file} a file that you can read")


def _special(mode: int) -> str:
    """What must not even be opened: some devices act on that, and others (/dev/null) would pass for empty settings."""
    if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        return "a device"
    if stat.S_ISFIFO(mode):
        return "a FIFO"
    return "a socket" if stat.S_ISSOCK(mode) else ""


def _instead(document: Document) -> str:
    return f"remove it, and write {document.file} as a regular file"


def parse(document: Document, raw: bytes) -> None:
    """Fill `document` from the bytes of its file."""
    try:
        text = _decode(raw)
        _refuse_control_characters(text)
        if document.kind == "json":
            from supervisor.settings.json_text import read_json

            document.data = read_json(text, document)
        else:
            from supervisor.settings.yaml_text import read_yaml  # PyYAML costs 15 ms: only when there is YAML

            document.data = read_yaml(text, document)
    except BadText as error:
        document.data = None
        document.report_at(error.place, error.message, error.remedy)


def _decode(raw: bytes) -> str:
    if raw.startswith(_UTF16):
        raise BadText("the file is UTF-16", (1, 1), "save it as UTF-8")
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        before = raw[raw.rfind(b"\n", 0, error.start) + 1 : error.start]
        col = len(before.decode("utf-8", "replace")) + 1
        raise BadText(f"byte 0x{raw[error.start]:02x} is not UTF-8", (line, col), "save the file as UTF-8") from None


def _refuse_control_characters(text: str) -> None:
    found = _CONTROL.search(text)
    if found:
        start = found.start()
        place = text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start)
        raise BadText(f"control character 0x{ord(found.group()):02x} in the file", place, "remove it")


def check_string(document: Document, path: Path, value: str) -> None:
    """Escapes can write what no command line, path or environment can hold."""
    if "\0" in value:
        document.report(path, "holds a NUL character, which no program can be given", "remove the \\u0000")
    elif not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
        document.report(path, "holds half of a surrogate pair", "write the character itself")


def report_duplicate(document: Document, path: Path, place: Place) -> None:
    first = document.positions.keys.get(path)
    where = f"; it is first on line {first[0]}" if first else ""
    document.report_at(place, f"the key is given twice{where}", "keep one of the two", path=path)
