"""How one process is started: everything the spawner needs, and nothing that it must look up."""

from __future__ import annotations

import binascii

from supervisor.model.limits import NO_LIMITS, KernelLimits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FILE = "file"
SYSLOG = "syslog"
NONE = "none"

# Of these nothing is not what is meant if nothing is said.
NEVER_LEFT_OUT = frozenset(("argv", "cwd", "log", "log_keep", "log_max", "sink"))
LIVE = ("log_age", "log_budget", "log_head", "log_keep", "log_max")


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

    A change of any of these but `LIVE` needs a restart of the service.
    """

    FIELDS = (
        "argv", "cwd", "drop_env", "env", "env_file", "err_log", "limits", "log", "log_age", "log_budget", "log_head",
        "log_keep", "log_max", "notify", "path_first", "sink", "user",
    )  # fmt: skip
    __slots__ = (*FIELDS, "encoded")

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
        limits: KernelLimits | None = None,
        notify: bool = False,
        err_log: str = "",
        sink: str = FILE,
        log_max: int = 10 << 20,
        log_keep: int = 5,
        log_age: float = 0.0,
        log_budget: int = 0,
        log_head: bool = False,
    ) -> None:
        self.argv = argv
        self.cwd = cwd  # absolute
        self.env = env or {}  # added to start's environment; values may be env:NAME, file:PATH, hold ${NAME}
        self.env_file = env_file  # absolute path of NAME=VALUE lines, read at each start, or ""
        self.drop_env = drop_env  # sbctl's own secrets, which this service does not get
        self.path_first = path_first  # a folder put before PATH, or ""
        self.user = user
        self.limits = limits or NO_LIMITS
        self.notify = notify  # it gets a NOTIFY_SOCKET
        self.log = log  # absolute path of the raw file
        self.err_log = err_log  # of stderr, if that is kept apart; "": both go to `log`
        self.sink = sink  # FILE, SYSLOG (the file and a copy to syslog) or NONE (nothing is kept)
        # these change live
        self.log_max = log_max  # rotate at this many bytes
        self.log_keep = log_keep  # keep that many rotated files
        self.log_age = log_age  # rotate what is older than these seconds; 0: only by size
        self.log_budget = log_budget  # bytes for all its log files together; 0: no such limit
        self.encoded = b""  # `as_message` as it goes over the channel, where there was time to make it ahead
        self.log_head = log_head  # the first file is kept whatever comes: a run's output, of which the middle may go

    def as_dict(self) -> dict[str, Any]:
        data = {name: getattr(self, name) for name in self.FIELDS}
        data["argv"] = list(self.argv)
        data["drop_env"] = list(self.drop_env)
        data["user"] = self.user.as_dict() if self.user else None
        data["limits"] = self.limits.as_dict()
        return data

    def as_message(self) -> dict[str, Any]:
        """As short as it goes: most commands need little, and it is written and read once for each spawn."""
        data = {name: value for name in self.FIELDS if (value := getattr(self, name)) or name in NEVER_LEFT_OUT}
        if self.user is not None:
            data["user"] = self.user.as_dict()
        if self.limits:
            data["limits"] = self.limits.as_dict()
        return data

    def digest(self) -> int:
        """Equal for launches that start the same process; what can change live is left out."""
        data = self.as_dict()
        words = [repr(value) for name, value in data.items() if name not in LIVE]
        return binascii.crc32("\0".join(words).encode("utf-8", "surrogateescape"))

    @classmethod
    def from_dict(cls, data: dict[str, Any], shared: dict[Any, Any] | None = None) -> Launch:
        """`shared`: of many that are made one after the other, what is equal in them; it becomes one object for all."""
        values = dict(data)
        values["argv"] = tuple(values["argv"])
        values["drop_env"] = tuple(values.get("drop_env", ()))
        if shared is not None:
            _share(values, shared)
        values["user"] = User.from_dict(values["user"]) if values.get("user") else None
        values["limits"] = KernelLimits.from_dict(values["limits"]) if values.get("limits") else None
        return cls(**values)


def _share(values: dict[str, Any], shared: dict[Any, Any]) -> None:
    """A thousand commands have the same words, folders and secrets, and JSON has each of them a thousand times."""
    same = shared.setdefault
    words, secrets = tuple([same(word, word) for word in values["argv"]]), values["drop_env"]
    values["argv"], values["drop_env"] = same(words, words), same(secrets, secrets)
    values["cwd"] = same(values["cwd"], values["cwd"])
    if values.get("env"):
        values["env"] = {same(name, name): same(value, value) for name, value in values["env"].items()}
