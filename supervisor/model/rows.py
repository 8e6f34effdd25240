"""The status rows as text lines that a client can print without a JSON parser (7 ms of import).

    line 1      state TAB pid TAB started_at (epoch) TAB now (epoch) TAB ticks TAB role TAB revision TAB problems
                TAB remark TAB remark ...
                (revision and problems: of the settings in force, and how many errors the files had; remarks: what else
                a person should know; all of these are later additions)
    line 2..    name TAB kind TAB state TAB desired TAB pid TAB uptime_s TAB restarts TAB ready TAB detail
                TAB cpu_percent TAB memory_bytes TAB threads TAB processes        (later additions too)

Nothing in a field can break the form or a terminal: control characters are shown escaped.
"""

from __future__ import annotations

from _operator import itemgetter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    Standing = tuple[str, str, bool]  # of one service: state, desired, and does it run without being ready?

FIELDS = ("name", "kind", "state", "desired", "pid", "uptime_s", "restarts", "ready", "detail")
USED = ("cpu_percent", "memory_bytes", "threads", "processes")  # unknown in the rows that `start` keeps
COLUMNS = FIELDS + USED
UP = ("running", "external")
_WORDS = {None: "", True: "yes", False: "no"}
_columns_of = itemgetter(*COLUMNS)


def clean(text: str) -> str:
    """Printable on one line whatever a program wrote: no escapes, no line ends, no direction marks."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escape(c) for c in text)


def _escape(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def encode_rows(role: str, summary: dict[str, Any], rows: list[dict[str, Any]]) -> bytes:
    head = [summary["state"], summary["pid"], summary["started"], summary["wall"], summary["ticks"], role]
    head += [summary.get("revision", ""), len(summary.get("settings_problems", ()))]
    head += [clean(remark) for remark in summary.get("remarks", ())]
    lines = ["\t".join(str(value) for value in head)]
    lines += [_line(row) for row in rows]
    return "\n".join(lines).encode("utf-8", "surrogateescape")


def is_missing(state: str, desired: str) -> bool:
    """Wanted, and neither there nor on its way."""
    return desired == "up" and state in ("backoff", "failed", "stopped")


def is_missed(state: str, desired: str, *, unready: bool) -> bool:
    """Wanted, and not there now, on its way or not; or there, without being able to do its work."""
    return desired == "up" and (state not in UP or (state == "running" and unready))


def overall(state: str, services: Iterable[Standing], *, complete: bool) -> str:
    """One word for the whole tree, from what `start` says of itself and from the services."""
    if state == "stopping":
        return state
    services = list(services)
    if not complete or any(unready or is_missing(phase, desired) for phase, desired, unready in services):
        return "degraded"
    if any(phase == "starting" for phase, _, _ in services):
        return "starting"
    # Nothing is on its way that it could be waiting for.
    return "degraded" if any(phase == "waiting" and desired == "up" for phase, desired, _ in services) else state


def _line(row: dict[str, Any]) -> str:
    """Mostly nothing is missing but what it says of itself, and nothing is to be escaped: that is done in one go, since
    there is one for each of many services.
    """
    try:
        values = _columns_of(row)
    except KeyError:  # what `start` keeps for the scheduler says less
        return _any_line(row)
    name, kind, state, desired, pid, up, restarts, ready, detail, cpu, memory, threads, processes = values
    if values.count(None) > (ready is None) or not (name.isprintable() and detail.isprintable()):
        return _any_line(row)
    return (
        f"{name}\t{kind}\t{state}\t{desired}\t{pid}\t{up}\t{restarts}\t{_WORDS[ready]}\t{detail}\t"
        f"{cpu}\t{memory}\t{threads}\t{processes}"
    )


def _any_line(row: dict[str, Any]) -> str:
    fields = ["" if (value := row.get(name)) is None else _text(value) for name in COLUMNS]
    return "\t".join([clean(field) for field in fields])


def _text(value: object) -> str:
    return _WORDS[value] if isinstance(value, bool) else str(value)
