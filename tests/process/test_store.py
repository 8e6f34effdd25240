"""The store alone: one process a key, whatever the system refuses, and none that nobody knows of."""

from __future__ import annotations

import errno
import itertools
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.children import child
from support.fakes import FakeLoop
from support.processes import alive, all_marked, open_files
from support.waiting import eventually

from supervisor.base import proc
from supervisor.engine.entries import Ends, Entry
from supervisor.engine.making import Asked
from supervisor.engine.records import RecordFile, read_records
from supervisor.engine.store import REAPED_AT_ONCE, Store
from supervisor.model.cause import CauseKind
from supervisor.model.launch import User
from supervisor.model.service import Launch


class Listening:
    """What the store has told, and the store."""

    def __init__(self, folder: Path) -> None:
        self.path = str(folder / "records")
        self.home_id = f"test-{os.getpid()}-{folder.name}"
        self.loop = FakeLoop()
        records = RecordFile(self.path, boot=proc.boot_id(), home_id=self.home_id)
        records.open()
        self.records = records
        self.store = Store(
            self.loop, records, base_env={"PATH": os.environ["PATH"]}, home_id=self.home_id, open_files=64
        )
        self.told: list[tuple[str, str]] = []

    def exited(self, entry: Entry) -> None:
        self.told.append(("exited", entry.key))

    def emptied(self, entry: Entry) -> None:
        self.told.append(("emptied", entry.key))

    def spawn(self, key: str, argv: list[str] | None = None, **more: Any) -> Entry:
        launch = Launch(argv=tuple(argv or child("ready")), cwd=more.pop("cwd", "/"), log="/dev/null", **more)
        write_fd = os.open("/dev/null", os.O_WRONLY | os.O_CLOEXEC)
        return self.store.spawn(self, key, launch, ends=Ends(out_write=write_fd), stop=(15, 1.0))

    def reaped(self, entry: Entry) -> bool:
        self.store.reap()
        self.loop.pass_time(0.1)
        return entry.empty

    def recorded(self) -> list[str]:
        return [record.key for record in read_records(self.path, proc.boot_id(), self.home_id)]


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[Listening]:
    """Its children are this process's: nothing here may wait for them but the store."""
    listening = Listening(tmp_path)
    yield listening
    for entry in list(listening.store.entries.values()):
        listening.store.drop(entry.key)
    eventually(lambda: (listening.store.reap(), not listening.store._by_pid)[1])
    listening.records.close()
    listening.loop.close()


def test_asked_twice_there_is_one_process(listening: Listening) -> None:
    first = listening.spawn("server.1")

    assert listening.spawn("server.1") is first
    assert len(all_marked(listening.home_id)) <= 1
    assert listening.recorded() == ["server.1"]


def test_an_exit_is_kept_until_it_is_dropped_and_no_longer_recorded(listening: Listening) -> None:
    entry = listening.spawn("server.1", child("crash_after", 0, 7))
    eventually(lambda: listening.reaped(entry))

    assert os.waitstatus_to_exitcode(entry.status or 0) == 7
    assert listening.told == [("exited", "server.1")]
    assert listening.recorded() == []
    assert listening.store.entries == {"server.1": entry}
    listening.store.drop("server.1")
    assert listening.store.entries == {}


def test_many_ends_at_once_have_each_its_own_time(listening: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    """That of the wait for it: not that at which its turn came to be told."""
    entries = [listening.spawn(f"server.{number}", child("crash_after", 0, 7)) for number in range(3)]
    exited = listening.exited
    monkeypatch.setattr(listening, "exited", lambda entry: (exited(entry), listening.loop.pass_time(5)))
    assert {entry.ended for entry in entries} == {None}
    eventually(lambda: not any(proc.is_alive(entry.pid) for entry in entries))
    at = (listening.loop.clock.wall(), listening.loop.clock.now())
    listening.store.reap()

    assert [entry.ended for entry in entries] == [at] * 3
    assert len(listening.told) == 3


def test_while_somebody_asks_few_ends_are_taken_at_once(listening: Listening) -> None:
    """And none is left behind: no other signal comes for it."""
    many = 2 * REAPED_AT_ONCE + 3
    entries = [listening.spawn(f"server.{number}", ["/bin/true"]) for number in range(many)]
    eventually(lambda: not any(proc.is_alive(entry.pid) for entry in entries))
    asks = [True, True, False]
    listening.store.is_asked = lambda: asks.pop(0)

    listening.store.reap()
    listening.store.reap()  # another signal came
    assert len(listening.told) == 2 * REAPED_AT_ONCE
    listening.loop.turn(0)
    assert len(listening.told) == many
    assert asks == [False]
    assert not listening.loop.owes


def test_what_is_dropped_while_it_runs_is_killed_and_not_told(listening: Listening) -> None:
    entry = listening.spawn("server.1", child("ignore_term"))

    listening.store.drop("server.1")

    eventually(lambda: not alive(entry.pid))
    eventually(lambda: (listening.store.reap(), not listening.recorded())[1])
    assert listening.told == []


def test_a_replacement_takes_the_place_of_the_one_before(listening: Listening) -> None:
    old = listening.spawn("server.1")
    launch = Launch(argv=tuple(child("ready")), cwd="/", log="/dev/null")
    write_fd = os.open("/dev/null", os.O_WRONLY | os.O_CLOEXEC)

    listening.store.spawn(
        listening, "server.2", launch, replaces="server.1", ends=Ends(out_write=write_fd), stop=(15, 1.0)
    )

    assert list(listening.store.entries) == ["server.2"]
    eventually(lambda: not alive(old.pid))


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.ENOMEM, errno.EMFILE])
def test_a_system_that_has_nothing_to_spare_is_no_fault_of_the_service(
    listening: Listening, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "posix_spawn", refuse)
    entry = listening.spawn("server.1")

    assert entry.cause is not None
    assert (entry.cause.kind, entry.empty, entry.running) == (CauseKind.SYSTEM, True, False)
    assert os.strerror(number) in entry.cause.text


def test_a_process_that_can_not_be_held_is_not_left_running(
    listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The spawn has worked, and then there is no descriptor left for its pidfd: two would run after the retry."""
    spawned: list[int] = []
    real = os.posix_spawn

    def note(*args: Any, **more: Any) -> int:
        spawned.append(real(*args, **more))
        return spawned[-1]

    def refuse(_pid: int) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(os, "posix_spawn", note)
    with monkeypatch.context() as patch:
        patch.setattr(os, "pidfd_open", refuse)
        entry = listening.spawn("server.1", child("ignore_term"))

    assert entry.cause is not None
    assert entry.cause.kind is CauseKind.SYSTEM
    assert (entry.pid, entry.running, listening.recorded()) == (0, False, [])
    eventually(lambda: not alive(spawned[0]))
    listening.store.reap()


@pytest.mark.parametrize("argv", [["/bin/echo", "x" * (1 << 22)], ["/bin/echo", "a\0b"]])
def test_words_that_no_system_takes_are_the_services_fault(listening: Listening, argv: list[str]) -> None:
    entry = listening.spawn("server.1", argv)

    assert entry.cause is not None
    assert entry.cause.kind is CauseKind.NOT_EXECUTABLE


def test_what_is_missing_says_what_to_do(listening: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.engine.kernel_limits.FOLDERS", ("/no/such/folder",))
    nobody = User(name="nobody", uid=os.geteuid() + 1, gid=65534, groups=(), home="/")

    causes = [
        listening.spawn("server.1", user=nobody).cause,
        listening.spawn("server.2", env={"A": "env:SB_NO_SUCH_NAME"}).cause,
    ]

    assert [(cause.kind, cause.remedy) for cause in causes if cause] == [
        (CauseKind.NOT_INSTALLED, "apt-get install util-linux"),
        (CauseKind.SETTINGS_ERROR, "export SB_NO_SUCH_NAME=… then sbctl reload"),
    ]


def asked(key: str, *argv: str, replaces: str = "", **more: Any) -> Asked:
    launch = Launch(argv=argv or tuple(child("ready")), cwd=more.pop("cwd", "/"), log="/dev/null", **more)
    return Asked(key, launch, Ends(*os.pipe()), (15, 1.0), replaces=replaces)


def test_of_many_each_gets_what_is_its_own(listening: Listening, tmp_path: Path) -> None:
    """Those that can't be made cost the others nothing, and each sees its own folder."""
    old = listening.spawn("a.1")
    before = open_files(os.getpid()) - 1  # its pidfd
    show = ("/bin/sh", "-c", "echo $SB_KEY $PWD; pwd -P")
    folder = tmp_path / "a folder"
    folder.mkdir()

    entries = listening.store.spawn_all(
        listening,
        [
            asked("a.2", *show, cwd=str(folder), replaces="a.1"),
            asked("b.1", "/bin/echo", "a\0b"),
            asked("c.1", *show, env={"A": "env:SB_NO_SUCH_NAME"}),
            asked("d.1", *show, cwd="/nowhere"),
            asked("a.2", *show),
            asked("e.1", *show, env={"PWD": "/elsewhere"}),
        ],
    )

    assert [entry.key for entry in entries] == ["a.2", "b.1", "c.1", "d.1", "a.2", "e.1"]
    assert entries[4] is entries[0]
    kinds = [entry.cause and entry.cause.kind for entry in entries]
    assert kinds == [None, CauseKind.NOT_EXECUTABLE, CauseKind.SETTINGS_ERROR, None, None, None]
    assert listening.recorded() == ["a.1", "a.2", "d.1", "e.1"]
    for entry in (old, *entries[3:]):
        assert proc.start_time(entry.pid) == entry.started
    for entry in entries:
        eventually(lambda entry=entry: listening.reaped(entry))  # type: ignore[misc]
    assert [entry.status and entry.status >> 8 for entry in entries] == [0, None, None, 126, 0, 0]
    said = [os.read(entry.out_read, 1000).decode() for entry in (entries[0], entries[-1])]
    assert said == [f"a.2 {folder}\n{folder}\n", "e.1 /\n/\n"]
    for entry in entries:
        listening.store.drop(entry.key)
    eventually(lambda: (listening.store.reap(), not listening.store._by_pid)[1])
    assert open_files(os.getpid()) == before


def test_between_two_execs_there_is_nothing_else(listening: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done right after an exec takes twice as long as what is done before the first one or after the last."""
    done: list[str] = []
    ours = threading.get_ident()
    for name in ("stat", "posix_spawn", "pidfd_open", "write"):
        real = getattr(os, name)

        def noted(*args: Any, name: str = name, real: Any = real, **more: Any) -> Any:
            if threading.get_ident() == ours:  # whoever runs the tests may write meanwhile
                done.append(name)
            return real(*args, **more)

        monkeypatch.setattr(os, name, noted)

    listening.store.spawn_all(listening, [asked(f"true.{number}", "/bin/true") for number in range(3)])

    first = done.index("posix_spawn")
    assert done[first : first + 3] == ["posix_spawn"] * 3
    assert "stat" in done[:first]
    assert done[first:].count("pidfd_open") == 3
    assert done[first:].count("write") == 1


def test_what_a_process_was_given_is_closed_before_it_is_held(
    listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where descriptors are short: one that has run already would be killed for want of its pidfd."""
    all_of_them = [asked(f"true.{number}", "/bin/true") for number in range(3)]
    given = [each.ends.out_write for each in all_of_them]
    real, left = os.pidfd_open, [3]

    def hold(pid: int) -> int:
        left.append(sum(os.path.exists(f"/proc/self/fd/{fd}") for fd in given))
        return real(pid)

    with monkeypatch.context() as patch:
        patch.setattr(os, "pidfd_open", hold)
        entries = listening.store.spawn_all(listening, all_of_them)

    assert all(entry.cause is None for entry in entries)
    assert len(left) == 4
    assert all(after <= before for before, after in itertools.pairwise(left))
    assert left[1] <= 2


def test_no_descriptor_stays_after_any_of_it(listening: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    def life(key: str) -> None:
        entry = listening.spawn(key, ["/bin/true"])
        listening.spawn(f"bad{key}", ["a\0b"])
        eventually(lambda: listening.reaped(entry))
        listening.store.drop(key)
        listening.store.drop(f"bad{key}")

    life("server.0")
    before = open_files(os.getpid())
    for number in range(1, 6):
        life(f"server.{number}")

    assert open_files(os.getpid()) == before


def test_a_signal_reaches_the_group_and_only_while_it_lives(listening: Listening) -> None:
    entry = listening.spawn("server.1", ["/bin/sh", "-c", "sleep 1000 & wait"])
    helper = eventually(lambda: proc.Children(entry.pid).read())[0]
    listening.store.signal("server.1", signal.SIGTERM)

    eventually(lambda: listening.reaped(entry))

    assert not alive(helper)
    listening.store.signal("server.1", signal.SIGKILL)
    listening.store.signal("no-such.1", signal.SIGKILL)


def test_a_signal_to_the_main_process_alone_leaves_the_rest_alone(listening: Listening) -> None:
    entry = listening.spawn("server.1", ["/bin/sh", "-c", "sleep 1000 & wait"])
    helper = eventually(lambda: proc.Children(entry.pid).read())[0]

    listening.store.signal("server.1", signal.SIGKILL, main=True)

    eventually(lambda: (listening.reaped(entry), entry.status is not None)[1])
    assert (alive(helper), entry.empty) == (True, False)
    listening.store.signal("server.1", signal.SIGKILL, main=True)
    assert alive(helper)


def test_stderr_goes_its_own_way_and_what_is_read_is_kept_until_the_drop(listening: Listening) -> None:
    launch = Launch(argv=("/bin/sh", "-c", "echo out; echo err >&2; echo $NOTIFY_SOCKET"), cwd="/", log="/dev/null")
    ends = Ends(*os.pipe(), *os.pipe(), address="@somewhere")
    out_read, err_read = ends.out_read, ends.err_read

    entry = listening.store.spawn(listening, "server.1", launch, ends=ends, stop=(15, 1.0))
    eventually(lambda: listening.reaped(entry))

    assert entry.kept() == {"out_read": out_read, "err_read": err_read}
    assert os.read(out_read, 100) + os.read(out_read, 100) == b"out\n@somewhere\n"
    assert os.read(err_read, 100) + os.read(err_read, 100) == b"err\n"
    listening.store.drop("server.1")
    assert entry.kept() == {}


def test_without_ends_it_writes_to_nowhere(listening: Listening) -> None:
    launch = Launch(argv=("/bin/sh", "-c", 'test "$(readlink /proc/self/fd/2)" = /dev/null'), cwd="/", log="")

    entry = listening.store.spawn(listening, "server/alive.1", launch, ends=Ends(), stop=(15, 1.0))
    eventually(lambda: listening.reaped(entry))

    assert (entry.name, entry.status) == ("server/alive", 0)


def test_a_defect_of_ours_is_a_cause_for_whoever_asked(listening: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> int:
        raise KeyError("a defect")

    monkeypatch.setattr("supervisor.engine.environment.build", fail)

    cause = listening.spawn("server.1").cause

    assert cause is not None
    assert (cause.kind, cause.text) == (CauseKind.SYSTEM, "could not be spawned: KeyError: 'a defect'")


def test_of_a_step_that_ended_before_an_upgrade_the_pipe_is_closed_once_it_is_read(
    listening: Listening, tmp_path: Path
) -> None:
    """What the program before has put aside for that, the one that comes in its place has not."""
    read_fd, write_fd = os.pipe2(os.O_CLOEXEC)
    launch = Launch(argv=tuple(child("crash_after", 0, 0)), cwd="/", log="/dev/null")
    ends = Ends(out_read=read_fd, out_write=write_fd)
    entry = listening.store.spawn(listening, "run/r1/1-get.1", launch, ends=ends, stop=(15, 1.0))
    reader = os.dup(read_fd)
    eventually(lambda: listening.reaped(entry))
    assert entry.out_read == read_fd, "something is in it"

    data = listening.store.hand_on()
    listening.store.entries.clear()
    (tmp_path / "next").mkdir()
    successor = Listening(tmp_path / "next")
    successor.store.take_up(data, lambda _key: successor)
    os.set_blocking(reader, False)
    while os.read(reader, 4096):
        pass
    os.close(reader)
    successor.store._dry.look()  # as with each end

    assert successor.store.entries["run/r1/1-get.1"].kept() == {}
    successor.records.close()
    successor.loop.close()
