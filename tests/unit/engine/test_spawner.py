"""The spawner whose store is in `start`: what it asks, and what it does when `start` is dead."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from support.children import child
from support.fakes import FakeLoop
from support.processes import open_files
from support.waiting import eventually

from supervisor.base import proc
from supervisor.base.channel import TOGETHER, Channel, channel_pair
from supervisor.engine.entries import Ends
from supervisor.engine.spawner import LOOK_AGAIN_S, UNREAD_S, RemoteSpawner
from supervisor.model.cause import Cause
from supervisor.model.service import Launch

HOME_ID = "home-of-the-test-of-the-spawner"
LAUNCH = Launch(argv=("true",), cwd="/", log="/dev/null")


class Pair:
    """A spawner, the `start` that it talks to, and the engine that hears its answers."""

    def __init__(self) -> None:
        self.loop = FakeLoop()
        ours, theirs = channel_pair()
        self.told: list[tuple[Any, ...]] = []
        self.asked: list[dict[str, Any]] = []
        self.start = Channel(theirs, self.loop, on_message=self._asked, on_closed=lambda: None)
        self.channel = Channel(
            ours, self.loop, on_message=lambda message, _fds: self._receive(message), on_closed=lambda: None
        )
        self.spawner = RemoteSpawner(self.loop, self.channel, self, HOME_ID)

    def _asked(self, message: dict[str, Any], fds: list[int]) -> None:
        self.asked.append({**message, "fds": len(fds)})
        for fd in fds:
            os.close(fd)

    def _receive(self, message: dict[str, Any]) -> None:
        self.spawner.receive(message)

    def spawned(self, key: str, pid: int, started: int) -> None:
        self.told.append(("spawned", key, pid))

    def spawn_failed(self, key: str, cause: Cause) -> None:
        self.told.append(("failed", key, cause.kind.value))

    def exited(
        self,
        key: str,
        status: int | None,
        empty: bool,
        oom: bool | None = None,
        used: tuple[int, int] | None = None,
        *,
        ended: tuple[float, float] | None = None,
    ) -> None:
        more = [each for each in (oom, used, ended) if each is not None]
        self.told.append(("exited", key, status, empty, *more))

    def emptied(self, key: str) -> None:
        self.told.append(("emptied", key))

    def ask_for(self, key: str, replaces: str = "") -> None:
        ends = Ends(*os.pipe())
        self.spawner.spawn(key, LAUNCH, replaces=replaces, ends=ends, stop=(15, 2.0))
        ends.close("out_read")
        self.loop.turn(0)


@pytest.fixture
def pair() -> Iterator[Pair]:
    pair = Pair()
    yield pair
    pair.start.close()
    pair.channel.close()
    pair.loop.close()


@pytest.fixture
def process() -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    process = subprocess.Popen(child("ready"), stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout
    process.stdout.readline()
    yield process, proc.start_time(process.pid) or 0
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_request_carries_both_ends_of_the_pipe_and_keeps_none(pair: Pair) -> None:
    before = open_files(os.getpid())

    pair.ask_for("web.2", "web.1")

    assert open_files(os.getpid()) == before
    (asked,) = pair.asked
    assert (asked["verb"], asked["key"], asked["replaces"], asked["stop"], asked["fds"]) == (
        "spawn", "web.2", "web.1", [15, 2.0], 2,
    )  # fmt: skip


def test_a_request_that_can_not_be_made_has_failed_and_keeps_nothing(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = open_files(os.getpid())
    with monkeypatch.context() as patch:
        patch.setattr("supervisor.base.wire.MAX_PACKET", 100)
        pair.ask_for("long.2", "long.1")
    with monkeypatch.context() as patch:
        patch.setattr(os, "dup", no_room)
        pair.ask_for("poor.1")
    pair.loop.run_soon()

    assert pair.told == [("failed", "long.2", "not-executable"), ("failed", "poor.1", "system")]
    assert open_files(os.getpid()) == before


def test_every_end_that_is_there_goes_along_in_its_order(pair: Pair) -> None:
    before = open_files(os.getpid())
    ends = Ends(*os.pipe(), *os.pipe(), os.dup(1), address="@here")

    pair.spawner.spawn("web.1", LAUNCH, replaces="", ends=ends, stop=(15, 2.0))
    pair.loop.turn(0)

    (asked,) = pair.asked
    assert asked["ends"] == ["out_read", "out_write", "err_read", "err_write", "notify"]
    assert (asked["fds"], asked["address"]) == (5, "@here")
    assert list(ends.named()) == ["out_read", "err_read", "notify"]
    ends.close()
    assert open_files(os.getpid()) == before


def no_room(_fd: int) -> int:
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


def test_answers_are_passed_on_and_other_messages_are_not(pair: Pair) -> None:
    cause = Cause.from_dict({"kind": "system", "text": "none", "code": None, "signal": None, "words": []}).as_dict()
    messages = [
        {"did": "spawned", "key": "web.1", "pid": 7, "started": 1},
        {"did": "exit", "key": "web.1", "status": 256, "empty": False, "oom": True, "used": [120, 4096]},
        {"did": "empty", "key": "web.1"},
        {"did": "failed", "key": "web.2", "cause": cause},
    ]

    assert [pair.spawner.receive(message) for message in messages] == [True] * 4
    assert not pair.spawner.receive({"did": "event"})
    assert pair.told == [
        ("spawned", "web.1", 7),
        ("exited", "web.1", 256, False, True, (120, 4096)),
        ("emptied", "web.1"),
        ("failed", "web.2", "system"),
    ]


def test_signals_of_one_turn_go_together_and_in_order(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    packets: list[bytes] = []
    take = pair.start._take
    monkeypatch.setattr(pair.start, "_take", lambda packet, fds: (packets.append(packet), take(packet, fds)))
    keys = [f"s{number}.1" for number in range(TOGETHER)]
    for key in keys[1:]:
        pair.spawner.signal(key, signal.SIGTERM)
    pair.spawner.drop(keys[0])
    pair.loop.turn(0)

    assert [(each["verb"], each["key"]) for each in pair.asked] == [
        *(("signal", key) for key in keys[1:]), ("drop", keys[0]),
    ]  # fmt: skip
    assert len(packets) == 1


def test_one_signal_goes_in_its_turn(pair: Pair) -> None:
    pair.spawner.signal("web.1", signal.SIGTERM)
    pair.loop.turn(0)
    pair.loop.turn(0)

    assert [each["number"] for each in pair.asked] == [signal.SIGTERM]


def test_alone_it_signals_and_watches_by_itself(pair: Pair, process: tuple[subprocess.Popen[bytes], int]) -> None:
    server, started = process
    pair.spawner.adopt("web.1", server.pid, started)
    pair.spawner.adopt("stranger.1", server.pid, started + 1)
    pair.spawner.go_alone()
    pair.loop.run_soon()
    assert pair.told == [("exited", "stranger.1", None, True)]

    pair.spawner.signal("stranger.1", signal.SIGKILL)
    pair.spawner.signal("web.1", signal.SIGTERM)

    eventually(lambda: (pair.loop.run_soon(), len(pair.told) == 2)[1])
    assert pair.told[-1] == ("exited", "web.1", None, True)
    assert server.wait(5) == 0


@pytest.mark.parametrize(("ago", "arrives"), [(0.0, True), (UNREAD_S * 2, False)])
def test_a_signal_that_a_dead_start_may_not_have_read_is_sent_again(
    pair: Pair, process: tuple[subprocess.Popen[bytes], int], ago: float, arrives: bool
) -> None:
    """Its death is seen by a signal before the channel shows it: what is asked in between is read by nobody."""
    pair.spawner.adopt("web.1", process[0].pid, process[1])
    pair.spawner.signal("web.1", signal.SIGTERM)
    pair.loop.pass_time(ago)

    pair.spawner.go_alone()

    if arrives:
        assert process[0].wait(10) == 0
    else:
        with pytest.raises(subprocess.TimeoutExpired):
            process[0].wait(0.3)


def test_alone_a_spawn_without_an_answer_has_failed(pair: Pair) -> None:
    """Else a stop would wait for it for ever."""
    pair.ask_for("web.1")
    pair.ask_for("answered.1")
    pair.spawner.receive({"did": "spawned", "key": "answered.1", "pid": 2**22 + 1, "started": 1})
    pair.told.clear()

    pair.spawner.go_alone()
    pair.loop.pass_time(LOOK_AGAIN_S)

    assert sorted(pair.told) == [("exited", "answered.1", None, True), ("failed", "web.1", "system")]


@pytest.mark.parametrize("late", [False, True])
def test_alone_what_was_spawned_without_an_answer_is_found_by_its_marker(pair: Pair, late: bool) -> None:
    """Also one that had not got as far as its exec when `start` died."""
    pair.ask_for("web.1")
    if late:
        pair.spawner.go_alone()
        pair.loop.run_soon()
        assert pair.told == []
    env = {"SB_HOME_ID": HOME_ID, "SB_KEY": "web.1"}
    with subprocess.Popen(["/bin/sleep", "30"], env=env, start_new_session=True) as child:
        try:
            # Popen returns in the middle of its exec, a moment before the kernel shows its environment.
            eventually(lambda: proc.environment_of(child.pid).get(b"SB_KEY"))
            if not late:
                pair.spawner.go_alone()
            pair.loop.pass_time(LOOK_AGAIN_S)
            assert pair.told == [("spawned", "web.1", child.pid)]

            pair.spawner.signal("web.1", signal.SIGTERM)
            eventually(lambda: (pair.loop.turn(0), len(pair.told) == 2)[1])
            assert pair.told[-1] == ("exited", "web.1", None, True)
        finally:
            child.kill()


def test_alone_nothing_is_sent(pair: Pair) -> None:
    pair.spawner.go_alone()
    pair.spawner.note("web", {})
    pair.spawner.drop("web.1")
    pair.loop.run_soon()

    assert pair.asked == []


def test_each_answer_is_for_the_one_that_was_asked(pair: Pair) -> None:
    """To let go of one and to keep another may be on their way at once."""
    heard: list[tuple[str, bool]] = []
    fd = os.open("/dev/null", os.O_RDONLY)
    for name in ("first", "second"):
        pair.spawner.keep("web.1", "out_second", fd, lambda is_kept, name=name: heard.append((name, is_kept)))  # type: ignore[misc]
        pair.spawner.let_go("web.1", "out_second")
    os.close(fd)
    pair.loop.run_soon()
    assert [(each["fds"], each.get("let_go", False)) for each in pair.asked] == [(1, False), (0, True)] * 2

    for is_kept in (True, False, False, False, True):
        answer = {"did": "kept", "key": "web.1", "name": "out_second", "is_kept": is_kept}
        assert pair.spawner.receive(answer)
    assert heard == [("first", True), ("second", False)]


def test_nobody_is_asked_to_let_go_once_start_is_dead(pair: Pair) -> None:
    pair.spawner.go_alone()
    pair.spawner.let_go("web.1", "out_second")
    pair.loop.run_soon()
    assert pair.asked == []
