"""Limits that the kernel keeps for a service: set by a shell step in front of its command, before the user changes.

`start` can't set them on itself for the moment of a spawn (the next one would get them too), and a child of its own
needs nothing but a shell and the tools that every Linux has. What can't be set is said on the service's stderr, and
then it starts without it or not at all, as its settings say. Services without such limits never come here.
"""

from __future__ import annotations

import os

from supervisor.model.limits import START, UNLIMITED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.model.limits import KernelLimits

FOLDERS = ("/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin")  # never the service's own PATH: we may be root
SAID = "cannot set limit"  # what the verdict on its end looks for
SETTINGS = {
    "as": "addressSpaceMb", "core": "coreMb", "cpu": "cpuTimeSeconds", "fsize": "fileMb", "memlock": "lockedMemoryMb",
    "nofile": "openFiles", "nproc": "processes", "stack": "stackMb",
}  # fmt: skip
PACKAGES = {"renice": "bsdutils"}  # of Debian; all others are in util-linux
CLASSES = {"realtime": 1, "best-effort": 2, "idle": 3}

# $$ is the process that becomes the service. A tool's message ends with the kernel's reason.
_HEAD = """\
_sb_refused() { echo "sbctl: %s $1: $2%s" >&2; %s; }
_sb_try() {
  _sb_name=$1; shift
  _sb_why=$("$@" 2>&1) || _sb_refused "$_sb_name" "${_sb_why##*: }"
}
"""
_FAILS = _HEAD % (SAID, "", "exit 126")
_GOES_ON = _HEAD % (SAID, "; started without it", ":")
_TAIL = 'exec "$@"'


def step(limits: KernelLimits, group: str = "", refused: dict[str, str] | None = None) -> list[str]:
    """The words that go in front of the command. `group` is the file that makes a process a member of its cgroup;
    `refused` holds limits that are known not to be possible, each with its reason.
    """
    lines = [f"_sb_refused {name} {_quoted(why)}" for name, why in (refused or {}).items()]
    if group:
        lines.append(f"_sb_join() {{ echo $$ >{_quoted(group)}; }}; _sb_try cgroup _sb_join")
    if limits.oom_score is not None:
        place = f"{{ echo {int(limits.oom_score)} >/proc/$$/oom_score_adj; }} 2>/dev/null"
        lines.append(f"{place} || _sb_refused oomScore 'to go below that of sbctl takes root (CAP_SYS_RESOURCE)'")
    if limits.nice is not None:
        lines.append(_try("nice", "renice", str(int(limits.nice)), "-p $$"))
    if limits.ionice:
        lines.append(_try("ionice", "ionice", *_io_class(limits.ionice), "-p $$"))
    if limits.rlimits:
        lines.append(_rlimits(limits.rlimits))
    if limits.umask is not None:
        lines.append(f"umask {limits.umask & 0o777:04o}")
    head = _GOES_ON if limits.if_refused == START else _FAILS
    return ["/bin/sh", "-c", head + "\n".join([*lines, _TAIL]), "sbctl"]


def soft_open_files(limits: KernelLimits, otherwise: int) -> str:
    """What the shim in front of each command is to set; `start` has raised its own."""
    soft = limits.rlimits["nofile"][0] if "nofile" in limits.rlimits else otherwise
    return "unlimited" if soft == UNLIMITED else str(soft)


def find_tool(name: str) -> str:
    """Where the system has it; "" when it has not."""
    for folder in FOLDERS:
        path = os.path.join(folder, name)
        if os.access(path, os.X_OK):
            return path
    return ""


def missing_tool(limits: KernelLimits) -> str:
    """The first program that these limits need and the system has not; "": all is there."""
    needed = {"renice": limits.nice is not None, "ionice": bool(limits.ionice), "prlimit": bool(limits.rlimits)}
    return next((tool for tool, is_needed in needed.items() if is_needed and not find_tool(tool)), "")


def package_of(tool: str) -> str:
    return PACKAGES.get(tool, "util-linux")


def not_installed(tool: str) -> str:
    return f"the program {tool} is not installed (package {package_of(tool)})"


def _rlimits(rlimits: dict[str, tuple[int, int]]) -> str:
    """All by one call; only if that fails each by itself, to name the one that is refused and to set the others."""
    tool = find_tool("prlimit")
    wanted = {name: f"--{name}={_amount(soft)}:{_amount(hard)}" for name, (soft, hard) in rlimits.items()}
    singly = "; ".join(_try(SETTINGS.get(name, name), "prlimit", word, "--pid $$") for name, word in wanted.items())
    if not tool or len(wanted) == 1:
        return singly
    return f"{tool} {' '.join(wanted.values())} --pid $$ >/dev/null 2>&1 || {{ {singly}; }}"


def _try(name: str, tool: str, *words: str) -> str:
    path = find_tool(tool)
    if not path:
        return f"_sb_refused {name} {_quoted(not_installed(tool))}"
    return f"_sb_try {name} {path} {' '.join(words)}"


def _amount(value: int) -> str:
    return "unlimited" if value == UNLIMITED else str(int(value))


def _io_class(text: str) -> tuple[str, ...]:
    """`best-effort:4` as options of ionice(1)."""
    name, _, level = text.partition(":")
    number = f"-c {CLASSES[name]}"
    return (number, f"-n {int(level)}") if level else (number,)


def _quoted(text: str) -> str:
    """One word of a shell."""
    return "'" + text.replace("'", "'\\''") + "'"
