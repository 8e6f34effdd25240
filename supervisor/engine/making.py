"""How processes are made: first all is prepared, then one is made after the other, then what is to be known of them.

While a child execs, whoever makes it stands still, and what it does next it does with cold caches: the same lines take
twice as long as they do otherwise. So of many that are asked for at once, nothing is done between two execs that can be
done before the first or after the last.
"""

from __future__ import annotations

import errno
import os
import signal

from supervisor.base import proc
from supervisor.base.start_times import StartTimes
from supervisor.engine import environment
from supervisor.engine.entries import close_fds, is_job
from supervisor.engine.records import Record
from supervisor.engine.straight import Exec, Straight
from supervisor.model.cause import Cause, CauseKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from supervisor.engine.cgroup import Cgroups
    from supervisor.engine.entries import Ends, Entry
    from supervisor.engine.records import RecordFile
    from supervisor.model.service import Launch, StopRule

CHANNEL_FD = 3  # where a core service finds its channel to `start`
_TRANSIENT = (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE)


class Asked:
    """A process as it is asked for."""

    __slots__ = ("channel_fd", "ends", "key", "launch", "replaces", "stop")

    def __init__(
        self, key: str, launch: Launch, ends: Ends, stop: StopRule, *, replaces: str = "", channel_fd: int = -1
    ) -> None:
        self.key = key
        self.launch = launch
        self.ends = ends
        self.stop = stop
        self.replaces = replaces
        self.channel_fd = channel_fd

    def close(self) -> None:
        """It is not wanted."""
        self.ends.close()
        close_fds(self.channel_fd)

    def close_given(self) -> None:
        """What the process has by now."""
        self.ends.close_given()
        close_fds(self.channel_fd)
        self.channel_fd = -1


class Making:
    """One that is being made."""

    __slots__ = ("asked", "entry", "env", "exec")

    def __init__(self, entry: Entry, asked: Asked) -> None:
        self.entry = entry
        self.asked = asked
        self.env: dict[str, str] = {}
        self.exec: Exec | None = None  # None: through the shell


class Maker:
    """Of one store."""

    def __init__(
        self, records: RecordFile, cgroups: Cgroups, *, base_env: Mapping[str, str], home_id: str, open_files: int
    ) -> None:
        self._records = records
        self._cgroups = cgroups
        self.base_env = dict(base_env)
        self.home_id = home_id
        self.open_files = open_files
        self._straight = Straight()
        self._start_times = StartTimes()

    def make(self, batch: list[Making]) -> None:
        """Each entry has its process afterwards, or the cause why not."""
        try:
            for each in batch:
                _try(self._prepare, each)
            ready = [each for each in batch if each.entry.cause is None]
            self._straight.spawn([each.exec for each in ready if each.exec is not None], self.open_files)
            for each in ready:
                if each.exec is None or not each.exec.pid:
                    _try(self._through_shell, each)
                each.asked.close_given()  # which leaves room for its pidfd: what can't be held has run in vain
                if each.entry.cause is None:
                    _try(self._hold, each)
            self._records.spawned([_record(each.entry) for each in ready if each.entry.pid])
        finally:
            for each in batch:
                each.asked.close_given()

    def _prepare(self, making: Making) -> None:
        entry, ends = making.entry, making.asked.ends
        launch = entry.launch
        marker = {"SB_HOME_ID": self.home_id, "SB_KEY": entry.key}
        if ends.address:
            marker["NOTIFY_SOCKET"] = ends.address
        making.env = environment.for_spawn(environment.build(self.base_env, launch, marker), launch)
        if launch.limits.cgroup and not is_job(entry.key):
            entry.place = self._cgroups.place(entry.key, launch.limits.cgroup)
        if environment.is_plain(launch) and (program := self._straight.program(launch, making.env)):
            env = {**making.env, "PWD": launch.cwd}  # as the shell would
            making.exec = Exec(program, launch.argv, env, _actions(making.asked), cwd=launch.cwd)

    def _through_shell(self, making: Making) -> None:
        entry = making.entry
        words = environment.command_line(entry.launch, self.open_files, entry.place)
        making.exec = Exec(words[0], words, making.env, _actions(making.asked))
        making.exec.spawn()

    def _hold(self, making: Making) -> None:
        """A pidfd and the start time; without both there is no identity.

        It is not reaped before the loop turns, so they can't be another's.
        """
        assert making.exec is not None
        entry, pid = making.entry, making.exec.pid
        pidfd = -1
        try:
            pidfd = os.pidfd_open(pid)
            started = self._start_times.of(pid, making.exec.before, making.exec.after)
            if started is None:
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        except OSError:
            close_fds(pidfd)
            proc.signal_group(-1, pid, signal.SIGKILL)  # what can't be held must not run beside the next try
            raise
        entry.pidfd, entry.started, entry.pid = pidfd, started, pid
        entry.inode = proc.pidfd_inode(pidfd)


def _try(step: Callable[[Making], None], making: Making) -> None:
    try:
        step(making)
    except environment.CantLaunch as problem:
        making.entry.cause = Cause(problem.kind, problem.what, remedy=problem.remedy)
    except (OSError, ValueError) as error:
        making.entry.cause = _cause_of(error)
    except Exception as error:  # a defect of ours: who asked must hear of it, or it would wait for ever
        making.entry.cause = Cause(CauseKind.SYSTEM, f"could not be spawned: {type(error).__name__}: {error}")


def _actions(asked: Asked) -> list[tuple[Any, ...]]:
    ends, channel_fd = asked.ends, asked.channel_fd
    actions: list[tuple[Any, ...]] = [(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0)]
    if ends.out_write >= 0:
        actions.append((os.POSIX_SPAWN_DUP2, ends.out_write, 1))
    else:
        actions.append((os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0))
    actions.append((os.POSIX_SPAWN_DUP2, ends.err_write if ends.err_write >= 0 else 1, 2))
    if channel_fd >= 0:
        actions.append((os.POSIX_SPAWN_DUP2, channel_fd, CHANNEL_FD))
    return actions


def _record(entry: Entry) -> Record:
    return Record(entry.key, entry.pid, entry.started, entry.inode, entry.stop)


def _cause_of(error: OSError | ValueError) -> Cause:
    if isinstance(error, OSError):
        text = f"could not be spawned: {error.strerror}"
        if error.errno in _TRANSIENT:
            return Cause(CauseKind.SYSTEM, text)
        if error.errno == errno.E2BIG:
            return Cause(CauseKind.NOT_EXECUTABLE, "its arguments and environment are too long for the system")
        return Cause(CauseKind.NOT_EXECUTABLE, text)
    return Cause(CauseKind.NOT_EXECUTABLE, f"could not be spawned: {error}")
