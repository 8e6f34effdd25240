"""Which port a service could not have, and which service of this home has it.

Looked at once an exit, and only so far as that can't take long: the kernel lists what listens first, and only so many
descriptors of so many processes are looked at.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from supervisor.engine.service import Service

TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
TABLE_BYTES = 64 << 10  # some 400 that listen
MOST_FDS_EACH = 200  # what listens was opened early
MOST_FDS = 2000  # of all: some 15 ms
MOST_BELOW = 10  # processes of one service that are looked at beside its main one
LISTENS = b"0A"


def port_in_use(service: Service, said: int, others: Iterable[Service]) -> str:
    """In words. `said`: the port that its last words name, 0 where they name none.

    One that only its check names is told if somebody listens there: it may have wanted another one beside that.
    """
    port = said or _own_port(service)
    sockets = _listening(port) if port else set()
    if not port or not (said or sockets):
        return "its port is in use"
    holder = _holder(sockets, [other for other in others if other is not service and other.state.has_process])
    return f"port {port} is in use" + (f" by {holder.name} (pid {holder.pid})" if holder is not None else "")


def _own_port(service: Service) -> int:
    """The one at which it is to be found, if it is one."""
    checks = (service.spec.ready, service.spec.alive)
    ports = {check.port for check in checks if check is not None and check.port}
    return ports.pop() if len(ports) == 1 else 0


def _holder(sockets: set[str], others: list[Service]) -> Service | None:
    """Main processes first, then what they have started: behind a shell it is a child that listens."""
    left = MOST_FDS
    for processes in (_main, _below):
        for other in others if sockets else ():
            for pid in processes(other):
                seen, has_it = _look(pid, sockets, min(left, MOST_FDS_EACH))
                left -= seen
                if has_it:
                    return other
                if left <= 0:
                    return None
    return None


def _main(service: Service) -> Iterator[int]:
    yield service.pid


def _below(service: Service) -> Iterator[int]:
    todo, left = [service.pid], MOST_BELOW
    while todo and left > 0:
        for pid in _children(todo.pop())[:left]:
            left -= 1
            todo.append(pid)
            yield pid


def _children(pid: int) -> list[int]:
    """Where the kernel has them in a file; to look through all processes would take long."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", "rb") as file:
            return [int(word) for word in file.read(TABLE_BYTES).split()]
    except (OSError, ValueError):
        return []


def _listening(port: int) -> set[str]:
    """The sockets that listen at this port, as links of /proc/PID/fd name them."""
    wanted = b":%04X" % port
    found: set[str] = set()
    for table in TABLES:
        try:
            with open(table, "rb") as file:
                lines = file.read(TABLE_BYTES).split(b"\n")
        except OSError:
            continue
        for line in lines[1:]:
            words = line.split()
            if len(words) > 9 and words[3] == LISTENS and words[1].endswith(wanted):
                found.add(f"socket:[{words[9].decode()}]")
    return found


def _look(pid: int, sockets: set[str], at_most: int) -> tuple[int, bool]:
    """How many descriptors were looked at, and whether one is such a socket."""
    seen = 0
    try:
        with os.scandir(f"/proc/{pid}/fd") as entries:
            for entry in entries:
                if seen >= at_most:
                    break
                seen += 1
                if os.readlink(entry.path) in sockets:
                    return seen, True
    except OSError:  # it has just ended, or is another user's
        pass
    return seen, False
