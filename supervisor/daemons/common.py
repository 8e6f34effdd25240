"""What every daemon does at its start and end, once."""

from __future__ import annotations

import _thread
import errno
import os
import resource
import signal

from supervisor.base import jsons
from supervisor.base.errors import BAD_SETTINGS, Problem
from supervisor.base.files import read_pid_file, remove_quietly, write_pid_file
from supervisor.base.rows import read_rows
from supervisor.base.title import set_process_title
from supervisor.daemons.foreground import complain
from supervisor.model.schedule import Catalogue
from supervisor.model.service import Spec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from supervisor.model.home import Home

COMPILED_FORMAT = 1
MAX_COMPILED = 64 << 20
LEAVE = signal.SIGUSR1  # to a scheduler, before SIGTERM: it is to leave its servers to the next one
LEAVES_FOR_S = 10.0
SCHEDULES = "schedules"  # the section of the scheduler's settings
MARKS = ("SB_KEY", "SB_HOME_ID", "SB_PLUGIN", "SB_LOG_DIR")  # each service gets its own


def report(error: BaseException) -> None:
    """A defect of ours: the traceback goes to the daemon's .out file, the daemon goes on. Never raises, never waits."""
    try:
        text = _traceback(error)
    except Exception:  # the defect is so deep that it can't even be put into words
        text = f"{type(error).__name__}, and its words can't be shown"
    complain(text)


def _traceback(error: BaseException) -> str:
    try:
        import traceback  # only when it is needed: 5 ms

        return "".join(traceback.format_exception(error)).rstrip("\n")
    except Exception:  # no descriptor is left to load it with, say
        return f"{type(error).__name__}: {error}"


def fill_standard_descriptors() -> None:
    """Put /dev/null where 0, 1 or 2 is closed: else the lock or a log gets that number, and our output goes into it."""
    for fd in (0, 1, 2):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)  # takes the lowest free number, which is this one


def close_inherited(keep: int | None) -> None:
    """What the caller left open (a pipe whose reader waits for its end, say) must not live on in us or below."""
    for name in os.listdir("/proc/self/fd"):
        fd = int(name)
        if fd > 2 and fd != keep and _is_inheritable(fd):
            os.close(fd)


def _is_inheritable(fd: int) -> bool:
    try:
        return os.get_inheritable(fd)
    except OSError:  # the one that listed the folder
        return False


def raise_open_files() -> int:
    """Take all the descriptors we may have; returns the soft limit that children get back."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError):
        return soft
    return soft


def too_few_open_files(services: int) -> str:
    """What a person should know before so many services meet the limit; "" when there is room."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    needed = 4 * services + 64
    if limit >= needed:
        return ""
    return f"only {limit} open files are allowed, {services} services may need {needed}: raise the limit (ulimit -n)"


def read_compiled(
    home: Home, role: str, revision: str = "current", decode: Callable[[str], Any] = jsons.loads
) -> dict[str, Any]:
    """The resolved settings of one daemon. It never reads what a person wrote."""
    path = home.compiled_file(role, revision)
    try:
        with open(path, "rb", opener=_open_own) as file:
            data = decode(file.read(MAX_COMPILED).decode())
    except (OSError, ValueError, RecursionError) as error:
        raise _unreadable(path, error) from None
    if not isinstance(data, dict) or data.get("format") != COMPILED_FORMAT:
        raise Problem(
            "the compiled settings are of another version",
            why=path,
            remedy="sbctl reload",
            code=BAD_SETTINGS,
        )
    return data


def read_settings(home: Home, role: str) -> dict[str, Any]:
    """The same at the start of a daemon, and records in the place of what they are made of: element by element, for
    what is made and left in between stays with us as holes. With a thousand plugins those were three megabytes.
    """
    data = read_compiled(home, role, decode=read_rows)
    try:
        make_records(data)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise _unreadable(home.compiled_file(role), error) from None
    return data


def make_records(compiled: dict[str, Any]) -> None:
    """Of its services and schedules. Of its inputs, which a command line has looked at, the first says whose it is."""
    words: dict[Any, Any] = {}
    compiled["services"] = [Spec.from_dict(each, words) for each in compiled["services"]]
    if SCHEDULES in compiled:
        compiled[SCHEDULES] = Catalogue(compiled[SCHEDULES])
    for first in compiled.get("inputs", ()):
        compiled["inputs"] = [first]
        break


def _unreadable(path: str, error: Exception) -> Problem:
    return Problem(
        "there are no compiled settings",
        why=f"{path}: {error}",
        remedy="sbctl config validate, then sbctl start",
        code=BAD_SETTINGS,
    )


def _open_own(path: str, flags: int) -> int:
    """It says what we run, so it must be ours or root's, whoever could reach the folder."""
    fd = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)
    owner = os.fstat(fd).st_uid
    if owner not in (0, os.geteuid()):
        os.close(fd)
        raise PermissionError(errno.EPERM, f"belongs to user {owner}")
    return fd


def publish_pid(path: str) -> None:
    """Write our PID file; the wait for the disk is a thread's, not the loop's."""
    try:
        write_pid_file(path, os.getpid())
    except OSError as error:
        complain(f"sbctl: can't write {path}: {error.strerror}")
        return
    _thread.start_new_thread(sync, (path,))


def sync(path: str) -> None:
    """Wait until a file has reached the disk; for a thread of its own."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        os.fsync(fd)
    except OSError:
        return
    finally:
        os.close(fd)


def withdraw_pid(path: str) -> None:
    """Remove it, unless a successor has put its own there."""
    if read_pid_file(path) == os.getpid():
        remove_quietly(path)


def set_title(role: str, home: Home) -> None:
    """For ps and pgrep. Costs a few ms, hence after the burst of spawns."""
    set_process_title(f"sbctl: {role} {home}")


def own_environment() -> dict[str, str]:
    """Ours, without the marks of a service that may have called us: our children get their own."""
    env = dict(os.environ)
    for name in MARKS:
        env.pop(name, None)
    return env
