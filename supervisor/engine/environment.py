"""The environment and the command line of a new process.

Secrets stay references in the compiled settings; here, in the process that spawns, they are resolved.
"""

from __future__ import annotations

import os

from supervisor.base.errors import Problem
from supervisor.base.files import read_small
from supervisor.model.cause import CauseKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from supervisor.model.service import Launch, User

MAX_ENV_FILE = 64 << 10

# `start` execs only /bin/sh, in its own folder; the shim enters the service's folder and execs its command.
# So a folder or a program on a hung disk hangs that one child, never `start`; and the shell's codes tell
# what went wrong: 126 can't be run, 127 is not there.
SHIM = (
    'ulimit -S -n "$1" 2>/dev/null; cd -- "$2" 2>/dev/null || '
    '{ echo "sbctl: cannot enter folder $2" >&2; exit 126; }; shift 2; exec "$@"'
)
_SETPRIV_FOLDERS = ("/usr/bin", "/bin", "/usr/sbin", "/usr/local/bin")


class CantLaunch(Problem):
    """The settings of this one service don't let it start; `kind` is the verdict on that."""

    kind = CauseKind.SETTINGS_ERROR


class NoSetpriv(CantLaunch):
    kind = CauseKind.BAD_USER


def command_line(launch: Launch, open_files: int) -> list[str]:
    """The words to exec, shim and change of user included."""
    words = ["/bin/sh", "-c", SHIM, "sbctl", str(open_files), launch.cwd, *launch.argv]
    if launch.user is not None and (launch.user.uid, launch.user.gid) != (os.geteuid(), os.getegid()):
        words = [*_change_user(launch.user), *words]
    return words


def _change_user(user: User) -> list[str]:
    for folder in _SETPRIV_FOLDERS:
        if os.access(os.path.join(folder, "setpriv"), os.X_OK):
            break
    else:
        raise NoSetpriv(
            f"can't run as user {user.name}: the program setpriv is not installed",
            remedy="apt-get install util-linux",
        )
    groups = ",".join(str(group) for group in user.groups)
    return [
        os.path.join(folder, "setpriv"),
        f"--reuid={user.uid}",
        f"--regid={user.gid}",
        f"--groups={groups}" if groups else "--clear-groups",
        "--",
    ]


def build(base: Mapping[str, str], launch: Launch, marker: Mapping[str, str]) -> dict[str, str]:
    """`base` is start's own environment; `marker` proves later whose process this is."""
    env = {name: value for name, value in base.items() if name not in launch.drop_env}
    if launch.user is not None:
        env.update(HOME=launch.user.home, USER=launch.user.name, LOGNAME=launch.user.name)
    if launch.env_file:
        env.update(read_env_file(launch.env_file))
    for name, value in launch.env.items():
        env[name] = resolve(value, base)
    if launch.path_first:
        env["PATH"] = f"{launch.path_first}:{env.get('PATH', os.defpath)}"
    env.update(marker)
    return env


def resolve(value: str, base: Mapping[str, str]) -> str:
    """`env:NAME` and `file:PATH` stand for a value kept elsewhere; `${NAME}` inside is replaced."""
    if value.startswith("env:"):
        name = value[4:]
        if name not in base:
            raise CantLaunch(f"the environment variable {name} is not set", remedy=f"export {name}=… then sbctl reload")
        return base[name]
    if value.startswith("file:"):
        path = value[5:]
        try:
            return os.fsdecode(read_small(path, MAX_ENV_FILE)).rstrip("\n")
        except OSError as error:
            raise CantLaunch(f"can't read {path}: {error.strerror}", remedy="create it, or mend the path") from None
    if "${" not in value:
        return value
    return _replace_names(value, base)


def _replace_names(value: str, base: Mapping[str, str]) -> str:
    out: list[str] = []
    rest = value
    while True:
        before, mark, after = rest.partition("${")
        out.append(before)
        if not mark:
            return "".join(out)
        name, end, rest = after.partition("}")
        # An unset name is empty, as in a shell; text that is not a name stays as it is.
        out.append(base.get(name, "") if end and name.isidentifier() else mark + name + end)


def read_env_file(path: str) -> dict[str, str]:
    """NAME=VALUE lines; blank lines, # comments, `export ` and one pair of quotes are understood."""
    try:
        text = os.fsdecode(read_small(path, MAX_ENV_FILE))
    except OSError as error:
        raise CantLaunch(
            f"can't read the environment file {path}: {error.strerror}",
            remedy="create it, or take envFile out of the manifest",
        ) from None
    env: dict[str, str] = {}
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.removeprefix("export ").partition("=")
        name, value = name.strip(), value.strip()
        if not equals or not name.isidentifier():
            raise CantLaunch(f"{path}:{number}: not a NAME=VALUE line", remedy="mend that line")
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        env[name] = value
    return env
