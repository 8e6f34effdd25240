"""Which port a service could not have, and which service of this home has it.

Looked at once an exit, and only so far as that can't take long: the kernel lists what listens first, and only the main
processes of services that run are asked.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from supervisor.engine.service import Service

TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
TABLE_BYTES = 64 << 10  # some 400 that listen
MOST_SERVICES = 200
LISTENS = b"0A"


def port_in_use(service: Service, said: int, others: Iterable[Service]) -> str:
    """In words. `said`: the port that its last words name, 0 where they name none."""
    port = said or _own_port(service)
    if not port:
        return "its port is in use"
    holder = _holder(port, [other for other in others if other is not service and other.state.has_process])
    return f"port {port} is in use" + (f" by {holder.name} (pid {holder.pid})" if holder is not None else "")


def _own_port(service: Service) -> int:
    """The one at which it is to be found, if it is one."""
    checks = (service.spec.ready, service.spec.alive)
    ports = {check.port for check in checks if check is not None and check.port}
    return ports.pop() if len(ports) == 1 else 0


def _holder(port: int, others: list[Service]) -> Service | None:
    sockets = _listening(port) if others else set()
    if not sockets:
        return None
    return next((other for other in others[:MOST_SERVICES] if _has_one_of(other.pid, sockets)), None)


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


def _has_one_of(pid: int, sockets: set[str]) -> bool:
    folder = f"/proc/{pid}/fd"
    try:
        return any(os.readlink(f"{folder}/{fd}") in sockets for fd in os.listdir(folder))
    except OSError:  # it has just ended, or is another user's
        return False
