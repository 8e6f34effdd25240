"""The environment and the command line of a new process.

Secrets stay references in the compiled settings. What is in memory (`env:NAME`, `${NAME}`) is resolved here, in the
process that spawns; what is in files is read by the child itself, with `helpers/read_env.py` in front of its command.
"""

from __future__ import annotations

import os

from supervisor.base.errors import Problem
from supervisor.base.held_env import GIVE_BACK, MARKS, hold
from supervisor.base.where import role_command
from supervisor.engine.kernel_limits import find_tool, missing_tool, not_installed, package_of, soft_open_files, step
from supervisor.model.cause import CauseKind
from supervisor.model.limits import START

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from supervisor.engine.cgroup import Place
    from supervisor.model.launch import Launch, User

FILE = "file:"  # a value that is the content of a file

# `start` execs only /bin/sh, in its own folder; the shim enters the service's folder and execs its command.
# So a folder or a program on a hung disk hangs that one child, never `start`; and the shell's codes tell
# what went wrong: 126 can't be run, 127 is not there.
SHIM = (
    'ulimit -S -n "$1" 2>/dev/null; cd -- "$2" 2>/dev/null || '
    '{ echo "sbctl: cannot enter folder $2" >&2; exit 126; }; shift 2; exec "$@"'
)


class CantLaunch(Problem):
    """The settings of this one service don't let it start; `kind` is the verdict on that."""

    kind = CauseKind.SETTINGS_ERROR


class NotInstalled(CantLaunch):
    """A program of the system that its settings need is not there."""

    kind = CauseKind.NOT_INSTALLED

    def __init__(self, vain: str, tool: str) -> None:
        super().__init__(f"{vain}: {not_installed(tool)}", remedy=f"apt-get install {package_of(tool)}")


def is_plain(launch: Launch) -> bool:
    """Nothing stands in front of its command but the change of folder."""
    return not launch.limits and not changes_user(launch) and not needs_reader(launch)


def command_line(launch: Launch, open_files: int, place: Place | None = None) -> list[str]:
    """The words to exec: reader of files, limits, change of user, shim, command; the first three only where there is
    a need. `place` is where it goes among cgroups.
    """
    files = soft_open_files(launch.limits, open_files) if launch.limits.rlimits else str(open_files)
    shim = GIVE_BACK + SHIM if changes_user(launch) else SHIM
    words = ["/bin/sh", "-c", shim, "sbctl", files, launch.cwd, *launch.argv]
    if changes_user(launch):
        words = [*_change_user(launch.user), *words]
    if launch.limits:
        if launch.limits.if_refused != START and (tool := missing_tool(launch.limits)):
            raise NotInstalled("can't set its limits", tool)
        group, refused = (place.procs, place.refused) if place is not None else ("", None)
        words = [*step(launch.limits, group, refused), *words]
    if needs_reader(launch):
        words = [*role_command("env", *_reading(launch)), "--", *words]
    return words


def changes_user(launch: Launch) -> bool:
    return launch.user is not None and (launch.user.uid, launch.user.gid) != (os.geteuid(), os.getegid())


def needs_reader(launch: Launch) -> bool:
    return bool(launch.env_file) or any(value.startswith(FILE) for value in launch.env.values())


def _reading(launch: Launch) -> list[str]:
    """What the reader is asked for: names and paths only, since everybody can see them in `ps`."""
    words: list[str] = []
    if launch.env_file:
        words += ["--env-file", launch.env_file]
        for name in (*launch.env, *MARKS):  # whose process it is no file may change
            words += ["--keep", name]
    for name, value in launch.env.items():
        if value.startswith(FILE) and name not in MARKS:
            words += ["--value", name, value.removeprefix(FILE)]
    if launch.path_first:
        words += ["--path-first", launch.path_first]
    if changes_user(launch):
        words.append("--held")
    return words


def _change_user(user: User | None) -> list[str]:
    assert user is not None
    tool = find_tool("setpriv")
    if not tool:
        raise NotInstalled(f"can't run as user {user.name}", "setpriv")
    groups = ",".join(str(group) for group in user.groups)
    return [
        tool,
        f"--reuid={user.uid}",
        f"--regid={user.gid}",
        f"--groups={groups}" if groups else "--clear-groups",
        "--",
    ]


def build(base: Mapping[str, str], launch: Launch, marker: Mapping[str, str]) -> dict[str, str]:
    """`base` is start's own environment; `marker` proves later whose process this is. The reader adds what is in files.

    Later beats earlier: start's own, the user's, the environment file, the manifest's values, the marker.
    """
    env = {name: value for name, value in base.items() if name not in launch.drop_env}
    if launch.user is not None:
        env.update(HOME=launch.user.home, USER=launch.user.name, LOGNAME=launch.user.name)
    for name, value in launch.env.items():
        if not value.startswith(FILE):
            env[name] = resolve(value, base)
    if launch.path_first and not needs_reader(launch):
        env["PATH"] = f"{launch.path_first}:{env.get('PATH', os.defpath)}"
    env.update(marker)
    return env


def for_spawn(env: dict[str, str], launch: Launch) -> dict[str, str]:
    """As it is given to the first program of the command line. Where root stands in front of a user, nothing of it
    means anything to root's programs.
    """
    return hold(env) if changes_user(launch) else env


def resolve(value: str, base: Mapping[str, str]) -> str:
    """`env:NAME` stands for a value kept elsewhere; `${NAME}` inside is replaced."""
    if value.startswith("env:"):
        name = value[4:]
        if name not in base:
            raise CantLaunch(f"the environment variable {name} is not set", remedy=f"export {name}=… then sbctl reload")
        return base[name]
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
