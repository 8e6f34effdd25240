"""What a service is: the resolved record that the compiler writes and the daemons read.

Everything that a person may leave out has been filled in by `supervisor.settings`; a daemon neither
defaults nor validates. Field for field the same in JSON (snake_case).
"""

from __future__ import annotations

import binascii
import enum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    StopRule = tuple[int, float]  # a signal, and the seconds until SIGKILL

CORE_NAMES = ("config", "scheduler", "tunnel")
SELF_NAME = "start"
PROVIDER_NAME = "provider"  # what the tunnel keeps running


class Phase(enum.StrEnum):
    """What a service is doing. (`waiting` and `external` are words of the design that later parts bring.)"""

    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    BACKOFF = "backoff"
    FAILED = "failed"


class Want(enum.StrEnum):
    """What a person or the settings want it to be."""

    UP = "up"
    DOWN = "down"


class Restart(enum.StrEnum):
    """Which ends are answered by a new start."""

    ALWAYS = "always"
    ON_FAILURE = "on-failure"
    NEVER = "never"


class Policy:
    """When to try again and when to give up. All numbers are settings; seconds unless said."""

    __slots__ = (
        "delays",
        "exit_codes",
        "fast_crash",
        "give_up",
        "grace",
        "restart",
        "start_timeout",
        "stop_signal",
        "wait_ready",
        "window",
        "window_deaths",
        "window_delay",
    )

    def __init__(
        self,
        *,
        restart: Restart = Restart.ALWAYS,
        exit_codes: tuple[int, ...] = (0,),
        fast_crash: float = 10.0,
        delays: tuple[float, ...] = (5.0, 10.0, 20.0, 40.0),
        give_up: int = 5,
        window: float = 3600.0,
        window_deaths: int = 30,
        window_delay: float = 300.0,
        stop_signal: int = 15,
        grace: float = 10.0,
        wait_ready: bool = False,
        start_timeout: float = 60.0,
    ) -> None:
        self.restart = restart  # which ends are answered by a new start
        self.exit_codes = exit_codes  # exits that are no failure
        self.fast_crash = fast_crash  # an exit sooner than this is a fast crash
        self.delays = delays  # after the first, second, ... fast crash in a row; the last repeats
        self.give_up = give_up  # this many fast crashes in a row: failed
        self.window = window  # deaths of any age are counted in this window ...
        self.window_deaths = window_deaths  # ... and from this many on ...
        self.window_delay = window_delay  # ... restarts come this slowly
        self.stop_signal = stop_signal
        self.grace = grace  # from the stop signal to SIGKILL
        self.wait_ready = wait_ready  # the service says itself when it is ready
        self.start_timeout = start_timeout  # ... and has this long for it

    @property
    def stop(self) -> StopRule:
        return self.stop_signal, self.grace

    def as_dict(self) -> dict[str, Any]:
        data = {name: getattr(self, name) for name in self.__slots__}
        data["restart"] = self.restart.value
        data["exit_codes"] = list(self.exit_codes)
        data["delays"] = list(self.delays)
        return data

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Policy:
        values = dict(data)
        values["restart"] = Restart(values["restart"])
        values["exit_codes"] = tuple(values["exit_codes"])
        values["delays"] = tuple(values["delays"])
        return cls(**values)


class User:
    """The account a service runs as, looked up once by the compiler (a name server may hang)."""

    __slots__ = ("gid", "groups", "home", "name", "uid")

    def __init__(self, *, name: str, uid: int, gid: int, groups: tuple[int, ...], home: str) -> None:
        self.name = name
        self.uid = uid
        self.gid = gid
        self.groups = groups
        self.home = home

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "uid": self.uid,
            "gid": self.gid,
            "groups": list(self.groups),
            "home": self.home,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> User:
        values = dict(data)
        values["groups"] = tuple(values["groups"])
        return cls(**values)


class Launch:
    """How one process is started: everything the spawner needs, and nothing that it must look up.

    A change of any of these but the two last needs a restart of the service.
    """

    __slots__ = ("argv", "cwd", "drop_env", "env", "env_file", "log", "log_keep", "log_max", "path_first", "user")

    def __init__(
        self,
        *,
        argv: tuple[str, ...],
        cwd: str,
        log: str,
        env: dict[str, str] | None = None,
        env_file: str = "",
        drop_env: tuple[str, ...] = (),
        path_first: str = "",
        user: User | None = None,
        log_max: int = 10 << 20,
        log_keep: int = 5,
    ) -> None:
        self.argv = argv
        self.cwd = cwd  # absolute
        self.env = env or {}  # added to start's environment; values may be env:NAME, file:PATH, hold ${NAME}
        self.env_file = env_file  # absolute path of NAME=VALUE lines, read at each start, or ""
        self.drop_env = drop_env  # sbctl's own secrets, which this service does not get
        self.path_first = path_first  # a folder put before PATH, or ""
        self.user = user
        self.log = log  # absolute path of the raw file
        # these two change live
        self.log_max = log_max  # rotate at this many bytes
        self.log_keep = log_keep  # keep that many rotated files

    def as_dict(self) -> dict[str, Any]:
        data = {name: getattr(self, name) for name in self.__slots__}
        data["argv"] = list(self.argv)
        data["drop_env"] = list(self.drop_env)
        data["user"] = self.user.as_dict() if self.user else None
        return data

    def digest(self) -> int:
        """Equal for launches that start the same process; what can change live is left out."""
        words = [repr(getattr(self, name)) for name in self.__slots__ if name not in ("log_keep", "log_max", "user")]
        words.append(repr(self.user.as_dict()) if self.user else "")
        return binascii.crc32("\0".join(words).encode("utf-8", "surrogateescape"))

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Launch:
        values = dict(data)
        values["argv"] = tuple(values["argv"])
        values["drop_env"] = tuple(values["drop_env"])
        values["user"] = User.from_dict(values["user"]) if values["user"] else None
        return cls(**values)


class Spec:
    """One service: its name, how it is started, when it is started again."""

    __slots__ = ("auto_start", "description", "kind", "launch", "name", "pid_file", "policy")

    def __init__(
        self,
        *,
        name: str,
        kind: str,
        launch: Launch,
        policy: Policy,
        auto_start: bool = True,
        pid_file: str = "",
        description: str = "",
    ) -> None:
        self.name = name  # the bare id
        self.kind = kind  # "core" or "plugin"
        self.launch = launch
        self.policy = policy
        self.auto_start = auto_start
        self.pid_file = pid_file  # absolute; written when spawned, removed at exit; "" = writes its own
        self.description = description

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "kind": self.kind,
            "launch": self.launch.as_dict(),
            "policy": self.policy.as_dict(),
            "auto_start": self.auto_start,
            "pid_file": self.pid_file,
            "description": self.description,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Spec:
        values = dict(data)
        values["launch"] = Launch.from_dict(values["launch"])
        values["policy"] = Policy.from_dict(values["policy"])
        return cls(**values)
