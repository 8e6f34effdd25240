"""How grave a line of output is, guessed from the line itself. Pure.

Programs say it in a field of a JSON object, as `level=…`, as the first word of the message, in brackets, or in the
letter that klog begins with. Who says nothing means information.
"""

from __future__ import annotations

import json
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable

DEBUG, INFO, WARNING, ERROR, CRITICAL = "debug", "info", "warning", "error", "critical"
LEVELS = (DEBUG, INFO, WARNING, ERROR, CRITICAL)

LOOK = 160  # characters of a line in which its level is looked for: further on it is part of a message
MAX_JSON = 64 << 10

_WORDS = {
    DEBUG: "trace debug dbg verbose fine finer finest silly",
    INFO: "info information notice note log http",
    WARNING: "warn warning wrn",
    ERROR: "error err severe failure",
    CRITICAL: "critical crit fatal ftl emerg emergency alert panic",
}
LEVEL_OF = {word: level for level, words in _WORDS.items() for word in words.split()}
FIELDS = ("level", "severity", "lvl", "levelname", "log.level", "loglevel", "priority")
# Syslog's priorities, and the tens of bunyan and pino.
SYSLOG = (CRITICAL, CRITICAL, CRITICAL, ERROR, WARNING, INFO, INFO, DEBUG)

# Without any of these it can be nothing but information, whatever the patterns would find.
_HINTS = (
    *("trace", "debug", "dbg", "verbose", "fine", "silly", "warn", "wrn"),
    *("err", "severe", "fail", "crit", "fatal", "ftl", "emerg", "alert", "panic"),
)
_LOUD = "TRACE|DEBUG|VERBOSE|INFO|NOTICE|WARNING|WARN|WRN|ERROR|ERR|SEVERE|CRITICAL|CRIT|FATAL|EMERG|ALERT|PANIC"
_QUIET = "|".join(sorted(LEVEL_OF, key=len, reverse=True))
_PLACES = re.compile(
    rf"(?<![\w.\-/])(?P<loud>{_LOUD})(?![\w\-/])"  # a word in capitals, wherever it stands
    rf"|[\[(<|]\s?(?P<brackets>(?i:{_QUIET}))\s?[\])>|:]"  # [error], <warn>, |info|
    rf"|\b(?i:level|lvl|severity)\s?[=:]\s?[\"']?(?P<pair>(?i:{_QUIET}))\b"  # logfmt
    rf"|^\W{{0,3}}(?P<first>(?i:{_QUIET}))(?::|!|\s-\s|\s\||\[)"  # error: …, at the start of the line
)
_KLOG = re.compile(r"([IWEF])\d{4} \d\d:\d\d:\d\d")
_PRIORITY = re.compile(r"<(\d{1,3})>")
_TRACEBACK = re.compile(r"(?:\+ Exception Group )?Traceback \(most recent call last\)")
_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(?::|$)")  # the last line of a traceback
_PYTHON_ERROR = re.compile(rf"{_TRACEBACK.pattern}|(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception)(?::|$)")


def guess(line: str) -> str:
    """The level of one line, without its colours."""
    line = line.strip()
    if line.startswith("{") and (found := _of_json(line)):
        return found
    head = line[:LOOK]
    if found := _of_start(head):
        return found
    low = head.lower()
    if any(hint in low for hint in _HINTS) and (place := _PLACES.search(head)):
        return LEVEL_OF[place[place.lastgroup or 0].lower()]
    return ERROR if _PYTHON_ERROR.match(head) else INFO


class Levels:
    """Of the lines of several streams, each with what came before it: a traceback is an error from end to end."""

    def __init__(self) -> None:
        self._inside: set[Hashable] = set()  # streams whose last line was part of one

    def of(self, stream: Hashable, line: str) -> str:
        if stream in self._inside:
            if line[:1] in (" ", "\t"):
                return ERROR
            self._inside.discard(stream)
            if _EXCEPTION.match(line) and parse_level(line.partition(":")[0]) is None:
                return ERROR
        level = guess(line)
        if level == ERROR and _TRACEBACK.match(line.lstrip()):
            self._inside.add(stream)
        return level


def at_least(level: str) -> frozenset[str]:
    """That level and those above it."""
    return frozenset(LEVELS[LEVELS.index(level) :])


def parse_level(text: str) -> str | None:
    """The level that a person or a program calls so."""
    return LEVEL_OF.get(text.strip().lower())


def _of_start(head: str) -> str:
    if klog := _KLOG.match(head):
        return {"I": INFO, "W": WARNING, "E": ERROR, "F": CRITICAL}[klog[1]]
    if priority := _PRIORITY.match(head):
        return SYSLOG[int(priority[1]) & 7]
    return ""


def _of_json(line: str) -> str:
    """Of a line that is an object with a field for it; a number is pino's (30 information, 50 error) or syslog's."""
    if len(line) > MAX_JSON:
        return ""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return ""
    for name in FIELDS:
        value = record.get(name)
        if isinstance(value, dict):
            value = value.get("name") or value.get("level")
        if isinstance(value, str) and (found := parse_level(value)):
            return found
        if isinstance(value, int) and not isinstance(value, bool):
            return SYSLOG[value] if 0 <= value < len(SYSLOG) else _of_tens(value)
    return ""


def _of_tens(value: int) -> str:
    limits = ((30, DEBUG), (40, INFO), (50, WARNING), (60, ERROR))
    return next((level for limit, level in limits if value < limit), CRITICAL)
