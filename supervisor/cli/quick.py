"""The status of a running tree from its `rows` frames, without JSON: what the quick path and the full one share."""

from __future__ import annotations

import os
import time

from supervisor import __version__
from supervisor.base.errors import NOT_RUNNING, Problem
from supervisor.cli import early, table
from supervisor.cli.early import PATIENCE_S as PATIENCE_S  # which others take from here
from supervisor.cli.early import ROWS
from supervisor.cli.out import at_home
from supervisor.control.dial import dial, no_answer, seconds_left
from supervisor.model.rows import clean, overall

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket
    from collections.abc import Sequence

    from supervisor.cli.table import Head, Row, Style
    from supervisor.model.home import Home

# Exit codes of `status` alone (the LSB status set).
UP = 0
DEAD_WITH_PID_FILE = 1
STOPPED = 3
CANT_TELL = 4
SOMETHING_MISSING = 150

MAX_ANSWER = 16 << 20


class Snapshot:
    """One look at both daemons. `heard`: the scheduler answered; `complete`: it did, or is not to run.

    `whole`: all rows, where `rows` are only those that were asked for.
    """

    __slots__ = ("complete", "head", "heard", "rows", "whole")

    def __init__(
        self, head: Head, rows: list[Row], *, heard: bool, complete: bool, whole: list[Row] | None = None
    ) -> None:
        self.head = head
        self.rows = rows
        self.whole = rows if whole is None else whole
        self.heard = heard
        self.complete = complete

    @property
    def state(self) -> str:
        services = ((row.state, row.desired, row.is_unready) for row in self.whole)
        return overall(self.head.state, services, complete=self.complete)


def exchange(sock: _socket.socket, home: Home, role: str, body: bytes, timeout: float) -> bytes:
    """One frame there (none, when `body` is empty: it has been sent), one frame back."""
    until = time.monotonic() + timeout
    try:
        sock.settimeout(seconds_left(until))
        if body:
            sock.sendall(len(body).to_bytes(4, "big") + body)
        size = int.from_bytes(_exactly(sock, 4, until), "big")
        if size <= MAX_ANSWER:
            return _exactly(sock, size, until)
    except TimeoutError:
        raise no_answer(home, role) from None
    except OSError:
        raise Problem(f"{role} closed the connection", why="it has just ended", code=NOT_RUNNING) from None
    raise Problem(f"{role} answered something that is not our protocol")


def _exactly(sock: _socket.socket, size: int, until: float) -> bytes:
    chunks: list[bytes] = []
    while size:
        sock.settimeout(seconds_left(until))
        chunk = sock.recv(min(size, 1 << 16))
        if not chunk:
            raise ConnectionResetError
        chunks.append(chunk)
        size -= len(chunk)
    return b"".join(chunks)


def ask_rows(home: Home, role: str, asked: _socket.socket | None = None) -> tuple[Head, list[Row]]:
    """`asked`: beforehand, over this."""
    sock = asked or dial(home, role, PATIENCE_S)
    try:
        data = exchange(sock, home, role, b"" if asked else ROWS, PATIENCE_S)
    finally:
        sock.close()
    try:
        return table.parse_rows(data)
    except ValueError:
        raise Problem(f"{role} answered something that is not our protocol") from None


def snapshot(home: Home, asked: dict[str, _socket.socket] | None = None) -> Snapshot:
    """Both daemons' rows, or those of a scheduler alone; a Problem when there is nobody who can be asked."""
    asked = early.ask(home) if asked is None else asked
    try:
        head, rows = ask_rows(home, "start", asked.pop("start", None))
    except Problem as problem:
        for sock in asked.values():
            sock.close()
        if problem.code != NOT_RUNNING:
            raise
        from supervisor.cli import unreached  # looks at every process

        return unreached.snapshot(home, problem)
    try:
        scheduler, plugins = ask_rows(home, "scheduler", asked.pop("scheduler", None))
    except Problem:
        wanted = any(row.name == "scheduler" and row.desired == "up" for row in rows)
        return Snapshot(head, rows, heard=False, complete=not wanted)
    head.ticks, head.remarks = scheduler.ticks, scheduler.remarks
    return Snapshot(head, rows + plugins, heard=True, complete=True)


def status_lines(found: Snapshot, home: Home, style: Style) -> list[str]:
    """What `sbctl status` prints of a running tree."""
    lines = [table.header(__version__, found.head, found.state, home.path, style)]
    if found.head.role == "scheduler":
        lines.append(
            f"the scheduler runs alone (serve, pid {found.head.pid}): if it is killed, nobody keeps its services"
        )
    lines += table.table(found.rows, style)
    hints = table.hints(found.rows, style) + table.remarks(found.head, style) + table.settings_lines(found.head, style)
    lines += [at_home(line) for line in hints]
    if not found.complete:
        lines.append("scheduler does not answer: its services are shown as start keeps them")
    return lines


def first_row(found: Snapshot) -> int:
    """The number of its line among those: behind the head and the titles."""
    return 3 if found.head.role == "scheduler" else 2


def narrowed(found: Snapshot, names: Sequence[str]) -> Snapshot:
    """Only these services, in the order asked for."""
    if not names:
        return found
    by_name = {row.name: row for row in found.rows}
    for name in names:
        if name not in by_name:
            from supervisor.control.api import unknown_name

            problem = unknown_name(name, by_name)
            problem.code = CANT_TELL
            raise problem
    chosen = [by_name[name] for name in names]
    return Snapshot(found.head, chosen, heard=found.heard, complete=found.complete, whole=found.whole)


def without_answer(home: Home, problem: Problem) -> tuple[str, int]:
    """What to say when `start` can't be asked, and the exit code: stopped, died, starting, or no telling."""
    if problem.code != NOT_RUNNING:
        return problem.text(), CANT_TELL
    holder = lock_holder(home)
    if holder is not None:
        return f"sbctl is starting or ending (pid {holder}), home {home}", UP
    from supervisor.cli.left import left_of, named  # looks at every process

    left = left_of(home)
    if left and "scheduler" in left:
        return f"sbctl was killed; its services are still ending: {named(left)}, home {home}", DEAD_WITH_PID_FILE
    if left:
        text = f"sbctl was killed, and nobody is there any more who ends its services: {named(left)}, home {home}"
        return at_home(
            f"{text}\n  next: sbctl start, which ends them before it begins; or sbctl doctor --fix, which ends them"
        ), DEAD_WITH_PID_FILE
    if os.path.exists(home.pid_file("start")):
        text = f"sbctl is dead: it left {home.pid_file('start')} behind\n  next: sbctl start"
        return at_home(text), DEAD_WITH_PID_FILE
    from supervisor.cli.ended import ended_by

    why = ended_by(home)
    return f"sbctl is stopped, home {home}" + (f"\n  {clean(why)}" if why else ""), STOPPED


def lock_holder(home: Home) -> int | None:
    """The process that holds the home's lock, asked of the kernel.

    Not by trying to take the lock: for that moment a `start` that begins would find it taken.
    """
    from supervisor.base.proc import command_of

    try:
        inode = os.stat(home.lock_file).st_ino
        with open("/proc/locks", encoding="ascii") as file:
            lines = file.read().splitlines()
    except OSError:
        return None
    path = os.fsencode(home.path).decode("utf-8", "replace")  # as command_of tells it
    for line in lines:
        words = line.split()
        if len(words) < 6 or words[1] != "FLOCK" or words[5].rpartition(":")[2] != str(inode):
            continue
        # The device is not compared (on overlay file systems it differs from stat's), so the command must fit.
        if words[4].isdigit() and path in command_of(int(words[4])):
            return int(words[4])
    return None
