"""One process that was asked for, the descriptors that belong to it, and whoever hears of its end."""

from __future__ import annotations

import os

from supervisor.engine.cgroup import Place
from supervisor.model.cause import Cause
from supervisor.model.service import Launch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from supervisor.model.service import StopRule

    Used = tuple[int, int]  # processor time in milliseconds, and the most memory of one process in bytes
    Ended = tuple[float, float]  # wall and monotonic time of an end

    class Listener(Protocol):
        """Whoever asked for a process hears of its end."""

        def exited(self, entry: Entry) -> None: ...
        def emptied(self, entry: Entry) -> None: ...


JOB = "/"  # in the key of a command that runs beside a service: `web/before.3`
# Begins the key of a step of a run, `run/r5k2m9x/1-get.1`, and the name of what is noted of a run: `run/r5k2m9x`.
STEP = "run/"  # No plugin may be called run.
SECOND = ("out_second", "err_second")  # read ends of second pipes, which loud services get later: see `Source`
PIPES = ("out_read", "err_read", *SECOND)
FIRST = ("out_read", "err_read", "notify")
KEPT = (*FIRST, *SECOND)  # by whoever keeps the process; others are closed after the spawn
GIVEN = ("out_write", "err_write")
HELD = (*KEPT, "pidfd")  # descriptors of an entry
PLAIN = (  # what of an entry is handed on as it is
    *HELD, "key", "pid", "started", "inode", "status", "used", "ended", "oom", "empty", "escaped", "signalled", "stop",
)  # fmt: skip
ENDS = ("out_read", "out_write", "err_read", "err_write", "notify")  # in this order in a message


class Ends:
    """The descriptors of one spawn; -1: there is none."""

    __slots__ = (*ENDS, "address")

    def __init__(
        self,
        out_read: int = -1,
        out_write: int = -1,
        err_read: int = -1,
        err_write: int = -1,
        notify: int = -1,
        *,
        address: str = "",
    ) -> None:
        self.out_read = out_read  # -1: it writes to a file itself, or whoever asked for it reads
        self.out_write = out_write  # becomes its stdout; -1: /dev/null
        self.err_read = err_read
        self.err_write = err_write  # becomes its stderr; -1: that goes where stdout goes
        self.notify = notify  # the socket it sends its state to ...
        self.address = address  # ... whose name it finds in NOTIFY_SOCKET

    def named(self) -> dict[str, int]:
        """Those that are there, in the order of `ENDS`."""
        return {name: fd for name in ENDS if (fd := getattr(self, name)) >= 0}

    def close(self, *names: str) -> None:
        """Those of these names, or all."""
        for name in names or ENDS:
            if (fd := getattr(self, name)) >= 0:
                os.close(fd)
                setattr(self, name, -1)

    def close_given(self) -> None:
        """What the process has by now, and nobody else may keep open: its reader waits for the end of the stream."""
        self.close(*GIVEN)

    def give(self) -> Ends:
        """Hand over what only the process will have; what is read here stays."""
        given = Ends(out_write=self.out_write, err_write=self.err_write, address=self.address)
        self.out_write = self.err_write = -1
        return given


def name_of(key: str) -> str:
    """`web` of `web.3`; of a command beside it, `web/before` of `web/before.7`."""
    return key.rpartition(".")[0]


def service_of(key: str) -> str:
    """Whose it is, also of a command that runs beside it."""
    return name_of(key).partition(JOB)[0]


def is_job(key: str) -> bool:
    return JOB in key and not is_step(key)


def is_step(key: str) -> bool:
    return key.startswith(STEP)


def shown_as(entry: Entry) -> str:
    """In front of its lines: the service; of a step of a run its schedule and step, as the scheduler has it."""
    env = entry.launch.env
    if not is_step(entry.key):
        return entry.name
    return f"{env.get('SB_SCHEDULE') or env.get('SB_PLUGIN')}/{env.get('SB_STEP')}"


def close_fds(*fds: int) -> None:
    """-1 stands for none."""
    for fd in fds:
        if fd >= 0:
            os.close(fd)


def ended_of(entry: dict[str, Any]) -> Ended | None:
    """When it ended; None: it lives, or it comes from an older `start`, which did not note that."""
    ended = entry.get("ended")
    return (ended[0], ended[1]) if ended else None


class Entry:
    """One process that was asked for, from its spawn until it is replaced or dropped."""

    __slots__ = (
        "cause", "empty", "ended", "err_read", "err_second", "escaped", "inode", "key", "launch", "listener", "notify",
        "oom", "out_read", "out_second", "pid", "pidfd", "place", "signalled", "started", "status", "stop", "used",
    )  # fmt: skip

    def __init__(self, key: str, launch: Launch, listener: Listener, ends: Ends, stop: StopRule) -> None:
        self.key = key
        self.launch = launch
        self.listener = listener
        self.out_read = ends.out_read
        self.err_read = ends.err_read
        self.notify = ends.notify
        self.out_second = self.err_second = -1
        self.stop = stop
        self.place: Place | None = None  # among cgroups, if it has limits of that kind
        self.pid = 0
        self.started = 0
        self.pidfd = -1
        self.inode = 0
        self.status: int | None = None  # wait status once reaped
        self.used: Used | None = None  # by it and those it has waited for, once reaped
        self.ended: Ended | None = None  # when that was: whoever asked for it may hear of it much later
        self.oom = False  # it was killed for want of memory, as far as who waited for it could tell
        self.cause: Cause | None = None  # why it could not be spawned
        self.empty = False  # nobody of its group is left
        self.escaped: list[int] = []  # proven children of it outside the group
        self.signalled = 0  # the last signal it was sent; who is found to have escaped gets it too

    @property
    def name(self) -> str:
        return name_of(self.key)

    @property
    def running(self) -> bool:
        return self.pid > 0 and self.status is None

    def kept(self) -> dict[str, int]:
        """Its descriptors that are there, in the order of `KEPT`."""
        return {name: fd for name in KEPT if (fd := getattr(self, name)) >= 0}

    def seconds(self) -> list[int]:
        return [fd for name, fd in self.kept().items() if name in SECOND]

    def keep(self, name: str, fd: int) -> None:
        """In the place of the one before."""
        close_fds(getattr(self, name))
        setattr(self, name, fd)

    def hand_on(self) -> dict[str, Any]:
        """For the program that this process becomes, in which the descriptors have the same numbers."""
        data = {name: getattr(self, name) for name in PLAIN}
        data["launch"] = self.launch.as_message()
        data["cause"] = self.cause.as_dict() if self.cause else None
        data["place"] = self.place.hand_on() if self.place else None
        return data

    @classmethod
    def take_up(cls, data: dict[str, Any], listener: Listener) -> Entry:
        number, grace = data["stop"]
        entry = cls(data["key"], Launch.from_dict(data["launch"]), listener, Ends(), (number, grace))
        for name in PLAIN:
            setattr(entry, name, data.get(name, -1) if name in SECOND else data[name])  # older versions have none
        entry.stop = (number, grace)
        entry.used = tuple(data["used"]) if data["used"] else None
        entry.ended = tuple(data["ended"]) if data["ended"] else None
        entry.cause = Cause.from_dict(data["cause"]) if data["cause"] else None
        entry.place = Place.take_up(data["place"]) if data["place"] else None
        return entry

    def close(self) -> None:
        for name, fd in self.kept().items():
            os.close(fd)
            setattr(self, name, -1)
