"""What must be so before a start and is no service: files, room on a disk, free ports.

A disk that is dead would hang whoever asks it, so a child asks. A port is tried here: that can't take long.
"""

from __future__ import annotations

import _socket
import errno

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from supervisor.base.loop import Timer
    from supervisor.engine.engine import Engine
    from supervisor.engine.jobs import Job
    from supervisor.engine.service import Service

LOOK_AGAIN_S = 2.0
LOOK_LIMIT_S = 5.0
LOOK = "look"
MISSING = 3  # exit code of the script: its last line says what is not there

# $1 KiB that must be free, $2 where, then files. The number before the percentage is what is free: names before and
# after it may hold blanks.
SCRIPT = (
    'need=$1 where=$2; shift 2; for file in "$@"; do [ -e "$file" ] || { echo "file $file"; exit 3; }; done; '
    '[ "$need" -gt 0 ] || exit 0; '
    'df -Pk "$where" | { read -r _; read -r line; set -f; free=0; '
    "for word in $line; do case $word in *%) break;; esac; free=$word; done; "
    '[ "$free" -ge "$need" ] || { echo "$((need / 1024)) MiB free at $where ($((free / 1024)) MiB are)"; exit 3; }; }'
)


class Surroundings:
    """Of one service that waits: looked at every two seconds, from `begin` to `cancel`."""

    __slots__ = ("_changed", "_engine", "_job", "_service", "_timer", "missing")

    def __init__(self, engine: Engine, service: Service, changed: Callable[[], None]) -> None:
        self._engine = engine
        self._service = service
        self._changed = changed
        self._job: Job | None = None
        self._timer: Timer | None = None
        self.missing: str | None = None  # what is not as it must be; "": all is well; None: not known yet

    @property
    def begun(self) -> bool:
        return self._job is not None or self._timer is not None or self.missing is not None

    def look(self) -> None:
        self._timer = None
        order = self._service.spec.order
        if not order.files and not order.free_bytes:
            self._found("")
            return
        need = -(-order.free_bytes // 1024)
        words = ("/bin/sh", "-c", SCRIPT, "sbctl", str(need), order.free_path or "/", *order.files)
        self._job = self._engine.jobs.run(self._service, LOOK, words, LOOK_LIMIT_S, self._seen, bare=True)

    def _seen(self, ok: bool, text: str) -> None:
        job, self._job = self._job, None
        if job is not None and job.code == MISSING:
            self._found(text.partition(": ")[2])
        elif job is not None and job.signalled and not ok:
            self._found(f"an answer of its disk ({text})")
        else:
            self._found("")  # a look that can't be had hinders nobody: the start itself will tell what is wrong

    def _found(self, missing: str) -> None:
        self.missing = missing or taken_port(self._service.spec.order.ports)
        self._timer = self._engine.loop.after(LOOK_AGAIN_S, self.look)
        self._changed()

    def cancel(self) -> None:
        """It is not asked any more; what was seen is old by the next time."""
        job, timer, self._job, self._timer, self.missing = self._job, self._timer, None, None, None
        if timer is not None:
            timer.cancel()
        if job is not None:
            job.leave()


def taken_port(ports: Iterable[int]) -> str:
    """The first of them that a server could not have now, in words; "" when all are free."""
    for port in ports:
        if not (_is_free(_socket.AF_INET, "0.0.0.0", port) and _is_free(_socket.AF_INET6, "::", port)):
            return f"port {port} (in use)"
    return ""


def _is_free(family: int, host: str, port: int) -> bool:
    """Bound as a server would do it, and closed at once: nobody can connect to what does not listen."""
    try:
        sock = _socket.socket(family, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC | _socket.SOCK_NONBLOCK)
    except OSError:
        return True  # no such addresses here
    try:
        sock.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
        if family == _socket.AF_INET6:
            sock.setsockopt(_socket.IPPROTO_IPV6, _socket.IPV6_V6ONLY, 1)
        sock.bind((host, port))
    except OSError as error:
        return error.errno != errno.EADDRINUSE
    finally:
        sock.close()
    return True
