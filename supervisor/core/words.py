"""Reads a dead process's last words: what they say about why it could not be started or could not serve."""

from __future__ import annotations

from supervisor.model.cause import CauseKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# What we put in front of a command (the shim, the reader of files) complains under this name; so do our daemons.
SHIM = "sbctl: "
SETPRIV = "setpriv: "
PORT_TAKEN = "address already in use"
NOT_FOUND = ("not found", "no such file or directory")
NOT_EXECUTABLE = ("permission denied", "is a directory", "exec format error")


def last_line(words: Iterable[str]) -> str:
    """The last line that says anything."""
    last = ""
    for line in words:
        last = line.strip() or last
    return last


def start_trouble(code: int, line: str) -> tuple[CauseKind, str] | None:
    """Why it could not even be started, if `line`, its last one, says so."""
    if line.startswith(SETPRIV):
        return _setpriv_trouble(line.removeprefix(SETPRIV))
    if code not in (126, 127):
        return None
    complaint = line.removeprefix(SHIM)
    if complaint.startswith("cannot enter folder"):
        return CauseKind.BAD_FOLDER, complaint
    if complaint.startswith("cannot set limit"):
        return CauseKind.BAD_LIMIT, complaint
    complaint = _without_place(complaint)
    if complaint == "setpriv: not found":
        return CauseKind.BAD_USER, "cannot switch the user: setpriv is missing (package util-linux)"
    kind = _exec_trouble(complaint)
    if kind is None and line.startswith(SHIM):
        kind = CauseKind.NOT_FOUND if code == 127 else CauseKind.NOT_EXECUTABLE
    return (kind, f"cannot start: {complaint}") if kind else None


def settings_trouble(line: str) -> str | None:
    """What is wrong with its settings, if it is we who say so: in front of its command, or in a daemon of ours."""
    return line.removeprefix(SHIM) if line.startswith(SHIM) else None


def _setpriv_trouble(complaint: str) -> tuple[CauseKind, str]:
    """setpriv has either not switched the user, or not found what to start then."""
    start = "failed to execute "
    if complaint.startswith(start):
        complaint = complaint.removeprefix(start)
        return _exec_trouble(complaint) or CauseKind.NOT_EXECUTABLE, f"cannot start: {complaint}"
    return CauseKind.BAD_USER, f"cannot switch the user: {complaint}"


def _exec_trouble(complaint: str) -> CauseKind | None:
    lower = complaint.lower()
    if lower.endswith(NOT_FOUND):
        return CauseKind.NOT_FOUND
    if lower.endswith(NOT_EXECUTABLE):
        return CauseKind.NOT_EXECUTABLE
    return None


def _without_place(complaint: str) -> str:
    """`1: exec: serve: not found` (dash), `line 1: exec: serve: ...` (bash): what a person needs is the rest."""
    place, separator, rest = complaint.partition(": ")
    if separator and (place == "exec" or place.removeprefix("line ").isdecimal()):
        return _without_place(rest)
    return complaint


def taken_port(words: Iterable[str]) -> int | None:
    """The port it could not have; 0 when it could not have one but doesn't say which; None when all is well."""
    found = None
    for line in words:
        if PORT_TAKEN in line.lower():
            found = _port_in(line) or found or 0
    return found


def _port_in(line: str) -> int | None:
    """The last thing in the line that looks like a port: `:8080`, `host:8080`, `port 8080`, `('::', 8080, ...)`."""
    found = None
    before = ""
    for token in line.replace("=", ":").split():
        bare = token.lstrip("([{'\"`").rstrip(")]}'\"`.,;:")
        host, colon, digits = bare.rpartition(":")
        named = _ends_host(host) if colon else before.endswith(("',", '",')) or before.lower().rstrip(":") == "port"
        if named and digits.isascii() and digits.isdecimal() and len(digits) <= 5 and 0 < int(digits) < 1 << 16:
            found = int(digits)
        before = token
    return found


def _ends_host(host: str) -> bool:
    """Whether a port may follow: not a time of day, not a line number of a source file."""
    last = host.rpartition("/")[2].lower()  # tcp://0.0.0.0
    if last in ("", "*", "localhost", "port") or last.endswith(("]", ":")):
        return True
    return last.count(".") == 3 and last.replace(".", "").isdecimal()
