"""The same program, started by somebody else: same command, same folder, same user, and not below any sbctl.

Found by one walk over /proc for all services that ask at the same moment. Whatever can't be proven is not the same
program: the price of a wrong yes is a service that does not run, that of a wrong no what it would be without us.
Links and scripts are looked at only where that asks a disk of this machine; on one elsewhere only what is written in
the same way is the same.
"""

from __future__ import annotations

import os

from supervisor.base import proc
from supervisor.base.loop import READ
from supervisor.engine.local_disk import Mounts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from supervisor.base.loop import Loop, Timer
    from supervisor.model.service import Spec

    Found = tuple[int, int]  # pid and start time
    Rest = tuple[str | bytes, ...]

MARKS = (b"SB_KEY", b"SB_HOME_ID")
TITLE = "sbctl: "  # how our daemons call themselves
LOOK_AGAIN_S = 5.0  # where no pidfd could be had
MAX_SHEBANG = 256
FIRST = 3  # words, one of which is the program: an interpreter and its option may stand before a script


class Outside:
    """Looks for such processes, and says when one has ended."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._watched: dict[int, str] = {}  # pid: the service that it stands in for

    def look(self, specs: Sequence[Spec], ours: Collection[int] = ()) -> dict[str, Found]:
        """By service: the oldest such process. One process stands in for one service (of several instances, say).

        `ours`: pids of which it is known that they are none. Where few may start at a time, or in a chain, there is a
        walk for each few that start, and what was started before is not read again each time.
        """
        walk = _Walk()
        wanted = _Wanted(specs, walk)
        found: dict[str, Found] = {}
        for who in _strangers(wanted, ours):
            taken = self._watched.get(who.pid)
            free = (spec for spec in wanted.like(who) if spec.name not in found and taken in (None, spec.name))
            same = _stands_for(who, free, walk)
            if same is not None:
                found[same.name] = (who.pid, who.started)
        return found

    def watch(self, name: str, pid: int, started: int, gone: Callable[[], None]) -> Watch:
        """Call `gone` once that process has ended, in a later turn at the earliest."""

        def ended() -> None:
            self._watched.pop(pid, None)
            gone()

        self._watched[pid] = name
        return Watch(self._loop, pid, started, ended, lambda: self._watched.pop(pid, None))


class Watch:
    """One process that is not our child, waited for."""

    def __init__(
        self, loop: Loop, pid: int, started: int, gone: Callable[[], None], forget: Callable[[], object]
    ) -> None:
        self.pid = pid
        self._loop = loop
        self._started = started
        self._gone: Callable[[], None] | None = gone
        self._forget = forget
        self._pidfd = -1
        self._timer: Timer | None = None
        self._begin()

    def _begin(self) -> None:
        self._timer = None
        pidfd = proc.open_pidfd(self.pid, self._started)
        if pidfd is not None:
            self._pidfd = pidfd
            self._loop.watch(pidfd, READ, lambda _events: self._end())
        elif proc.is_alive(self.pid, self._started):
            self._timer = self._loop.after(LOOK_AGAIN_S, self._begin)  # no descriptor is left just now
        else:
            self._loop.soon(self._end)

    def _end(self) -> None:
        gone = self._gone
        self.cancel()
        if gone is not None:
            gone()

    def cancel(self) -> None:
        """Nobody waits for its end any more."""
        self._gone = None
        self._forget()
        if self._timer is not None:
            self._timer.cancel()
        if self._pidfd >= 0:
            self._loop.unwatch(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = -1


class _Walk(Mounts):
    """One look at everybody: each path is asked of the disk once."""

    def __init__(self) -> None:
        super().__init__()
        self._real: dict[str, str] = {}
        self._programs: dict[str, str] = {}

    def real(self, path: str) -> str:
        found = self._real.get(path)
        if found is None:
            found = self._real[path] = super().real(path)
        return found

    def program(self, spec: Spec) -> str:
        """Where the program of a service lies."""
        word = spec.launch.argv[0]
        key = word if word.startswith("/") else spec.name
        found = self._programs.get(key)
        if found is None:
            found = self._programs[key] = _find(word, spec, self)
        return found


class _Wanted:
    """The services by how a process of theirs would look, so that each process is compared with few of them."""

    def __init__(self, specs: Sequence[Spec], walk: _Walk) -> None:
        self._walk = walk
        self._order = {spec.name: number for number, spec in enumerate(specs)}
        self._rests: set[Rest] = set()
        self._by_rest: dict[tuple[int, Rest], list[Spec]] = {}  # by user, and the words behind the program's ...
        self._by_name: dict[tuple[int, Rest, str], list[Spec]] = {}  # ... and that one without a folder ...
        self._by_place: dict[tuple[int, Rest], dict[str, list[Spec]]] = {}  # ... or the file, where that was asked
        for spec in specs:
            program, *words = spec.launch.argv
            user, rest = _user_of(spec), tuple(words)
            self._rests.add(tuple(os.fsencode(word) for word in words))
            self._by_rest.setdefault((user, rest), []).append(spec)
            self._by_name.setdefault((user, rest, _base(program)), []).append(spec)

    def may_be(self, words: list[bytes]) -> bool:
        """Are those behind one of its first words the words of some service? (The first may be an interpreter.)"""
        return any(tuple(words[at + 1 :]) in self._rests for at in range(min(len(words), FIRST)))

    def like(self, who: _Stranger) -> Collection[Spec]:
        """Each service that it might be, in their order; whether it is, is looked at closely by `_stands_for`."""
        found: list[list[Spec]] = []
        for at, word in enumerate(who.words[:FIRST]):
            rest = tuple(who.words[at + 1 :])
            self._add(found, self._by_name.get((who.user, rest, _base(word))))
            if at == 0 and who.exe:
                self._add(found, self._places((who.user, rest)).get(who.exe))
        if len(found) < 2:
            return found[0] if found else ()
        each = {spec.name: spec for specs in found for spec in specs}
        return sorted(each.values(), key=lambda spec: self._order[spec.name])

    @staticmethod
    def _add(found: list[list[Spec]], specs: list[Spec] | None) -> None:
        """By name and by place they are mostly the same ones; of a thousand that is seen at a glance."""
        if specs and specs not in found:
            found.append(specs)

    def _places(self, key: tuple[int, Rest]) -> dict[str, list[Spec]]:
        places = self._by_place.get(key)
        if places is None:
            places = self._by_place[key] = {}
            for spec in self._by_rest.get(key, ()):
                places.setdefault(self._walk.program(spec), []).append(spec)
        return places


class _Stranger:
    """A process by whose words it might be one of these services; asked once, however many they are."""

    __slots__ = ("exe", "pid", "started", "user", "words")

    def __init__(self, pid: int, started: int, words: list[bytes]) -> None:
        self.pid = pid
        self.started = started
        self.words = [os.fsdecode(word) for word in words]
        self.user = -1 if (user := proc.user_of(pid)) is None else user
        self.exe = proc.link_of(pid, "exe")


def _strangers(wanted: _Wanted, ours: Collection[int]) -> list[_Stranger]:
    """Oldest first."""
    found: list[_Stranger] = []
    own = os.getpid()
    for pid in proc.all_pids():
        if pid in ours or pid == own:
            continue
        words = proc.words_of(pid)
        started = proc.start_time(pid) if wanted.may_be(words) else None
        if started is not None:
            found.append(_Stranger(pid, started, words))
    return sorted(found, key=lambda who: (who.started, who.pid))


def _user_of(spec: Spec) -> int:
    return os.geteuid() if spec.launch.user is None else spec.launch.user.uid


def _stands_for(who: _Stranger, specs: Iterable[Spec], walk: _Walk) -> Spec | None:
    """The first of these that it is. Who is some sbctl's is nobody's stranger, and is not compared with the rest: a
    thousand services of one program, beside the thousand of another home, are a million pairs.
    """
    theirs = ""
    for spec in specs:
        if not _same_command(who, spec, walk):
            continue
        theirs = theirs or _folder_of(who.pid)
        if not theirs:
            return None
        if spec.launch.cwd == theirs or walk.real(spec.launch.cwd) == theirs:  # ours may be written by way of links
            is_same = proc.is_alive(who.pid, who.started)  # it was one and the same process all the time
            return spec if is_same else None
    return None


def _folder_of(pid: int) -> str:
    """Of a stranger that sees our files: in a container the same path is another folder. "": it is none."""
    if _is_below_sbctl(pid) or proc.link_of(pid, "ns/mnt") != proc.link_of(os.getpid(), "ns/mnt"):
        return ""
    return proc.link_of(pid, "cwd")


def _same_command(who: _Stranger, spec: Spec, walk: _Walk) -> bool:
    """`python3` and `/usr/bin/python3` are one program; a script appears behind the interpreter of its first line."""
    words = who.words
    program, *rest = spec.launch.argv
    if words and words[1:] == rest and _same_program(words[0], who.exe, spec, walk):
        return True
    for at in (1, 2):
        if words[at + 1 :] == rest and len(words) > at and _base(words[at]) == _base(program):
            path = walk.program(spec)
            return bool(path) and _interpreter(path) == _base(words[0])
    return False


def _same_program(word: str, exe: str, spec: Spec, walk: _Walk) -> bool:
    if _base(word) == _base(spec.launch.argv[0]):
        return True
    return bool(exe) and walk.program(spec) == exe


def _find(program: str, spec: Spec, mounts: Mounts) -> str:
    """Where the program lies, as the shell of the service finds it, behind all links; "" if nowhere."""
    if "/" in program:
        return mounts.real(os.path.join(spec.launch.cwd, program))
    folders = f"{spec.launch.path_first}:{os.environ.get('PATH', os.defpath)}".split(":")
    for folder in folders:
        path = mounts.real(os.path.join(spec.launch.cwd, folder, program)) if folder else ""
        if path and os.access(path, os.X_OK):
            return path
    return ""


def _interpreter(path: str) -> str:
    """The name of the program that runs this script, by its first line."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return ""
    try:
        first = os.read(fd, MAX_SHEBANG).split(b"\n", 1)[0]
    except OSError:
        return ""
    finally:
        os.close(fd)
    words = os.fsdecode(first.removeprefix(b"#!")).split() if first.startswith(b"#!") else []
    if words and _base(words[0]) == "env":
        words = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
    return _base(words[0]) if words else ""


def _base(word: str) -> str:
    return word.rpartition("/")[2]


def _is_below_sbctl(pid: int) -> bool:
    """Marked itself, or somebody above it is: a service may have cleaned its child's environment."""
    seen: set[int] = set()
    above: int | None = pid
    while above and above not in seen:  # process 1 too: in a container that may be `start`
        seen.add(above)
        env = proc.environment_of(above)
        if any(mark in env for mark in MARKS) or proc.command_of(above).startswith(TITLE):
            return True
        above = proc.parent_of(above)
    return False
