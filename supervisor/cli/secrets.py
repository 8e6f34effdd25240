"""Which values of a home are secret, as far as whoever asks may read them; of the rest only shapes are masked."""

from __future__ import annotations

import os
import re

from supervisor.base.files import read_pid_file, read_small
from supervisor.base.proc import environment_of
from supervisor.cli.compiling import read_compiled
from supervisor.cli.masking import Mask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.model.home import Home

SECRET_NAME = re.compile(r"(?i)KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|WEBHOOK")
FILE, ENV = "file:", "env:"
MAX_FILES = 100
MAX_FILE = 64 << 10


def mask_of(home: Home) -> Mask:
    """The mask for everything that is printed of this home."""
    given = _given_environment(home)
    values = _named(given)
    for role in ("start", "scheduler"):
        compiled = read_compiled(home, role) or {}
        for service in compiled.get("services", ()):
            values += _of_launch(service["launch"], given)
        for commands in ((compiled.get("schedules") or {}).get("commands") or {}).values():
            for launch in commands.values():
                values += _of_launch(launch, given)
    values += _of_folder(home.secrets)
    return Mask(value.encode("utf-8", "surrogateescape") for value in values)


def _given_environment(home: Home) -> dict[str, str]:
    """Ours and that of the running `start`, which is the one that counts."""
    given = dict(os.environ)
    pid = read_pid_file(home.pid_file("start"))
    if pid is not None:
        given |= {os.fsdecode(name): os.fsdecode(value) for name, value in environment_of(pid).items()}
    return given


def _named(env: dict[str, str]) -> list[str]:
    return [value for name, value in env.items() if SECRET_NAME.search(name)]


def _of_launch(launch: dict[str, Any], given: dict[str, str]) -> list[str]:
    """References are secret whatever their name; else the name says so."""
    values: list[str] = []
    for name, value in launch["env"].items():
        if value.startswith(FILE):
            values.append(_content(os.path.join(launch["cwd"], value.removeprefix(FILE))))
        elif value.startswith(ENV):
            values.append(given.get(value.removeprefix(ENV), ""))
        elif SECRET_NAME.search(name):
            values.append(value)
    if launch.get("env_file"):
        lines = _content(launch["env_file"]).split("\n")
        pairs = (line.strip().removeprefix("export ").partition("=") for line in lines)
        values += [value.strip().strip("\"'") for name, _, value in pairs if SECRET_NAME.search(name)]
    return values


def _of_folder(folder: str) -> list[str]:
    try:
        names = sorted(os.listdir(folder))[:MAX_FILES]
    except OSError:
        return []
    return [_content(os.path.join(folder, name)) for name in names]


def _content(path: str) -> str:
    try:
        return read_small(path, MAX_FILE).decode("utf-8", "surrogateescape").strip()
    except OSError:
        return ""
