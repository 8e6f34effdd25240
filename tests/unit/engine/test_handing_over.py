"""An entry of `start`, as the next scheduler has it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from support.fakes import FakeLoop

from supervisor.base.channel import Channel, channel_pair
from supervisor.engine.adopt import Kept
from supervisor.engine.entries import Ends, Entry, close_fds
from supervisor.engine.handing_over import entries_in_pieces
from supervisor.engine.keeper import Keeper
from supervisor.model.launch import Launch

LAUNCH = Launch(argv=("true",), cwd="/", log="/dev/null")


@pytest.fixture
def loop() -> Iterator[FakeLoop]:
    loop = FakeLoop()
    yield loop
    loop.close()


@pytest.fixture
def keeper(loop: FakeLoop) -> Keeper:
    store = SimpleNamespace(entries={}, home_id="home", drop=lambda key: None)
    return Keeper(loop, store, lambda message: None)  # type: ignore[arg-type]


@pytest.fixture
def keep(keeper: Keeper) -> Callable[..., Entry]:
    def keep(key: str, status: int | None = None) -> Entry:
        entry = keeper._store.entries[key] = Entry(key, LAUNCH, keeper, Ends(), (15, 2.0))
        entry.pid, entry.started = 4242, 77
        if status is not None:
            entry.status, entry.empty, entry.used = status, True, (250, 4096)
            entry.ended = (keeper._loop.clock.wall(), keeper._loop.clock.now())
            keeper.exited(entry)
        return entry

    return keep


@pytest.fixture
def taken(keeper: Keeper, loop: FakeLoop) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What a scheduler takes over that connects now."""
    ours, theirs = channel_pair()
    kept, channels = Kept(), []

    def hear(message: dict[str, Any], fds: list[int]) -> None:
        if message["did"] == "entries":
            kept.take_entries(message["entries"], fds)

    def take() -> list[dict[str, Any]]:
        keeper.connect(ours)
        channels.append(Channel(theirs, loop, on_message=hear, on_closed=lambda: None))
        channels[0].send({"verb": "hello"})
        loop.run_soon()
        loop.run_soon()
        return kept.entries

    yield take
    for channel in channels:
        channel.close()
    keeper.scheduler_gone()


Keep = Callable[..., Entry]
Taken = Callable[[], list[dict[str, Any]]]


def test_an_end_goes_over_with_both_its_times(loop: FakeLoop, keep: Keep, taken: Taken) -> None:
    keep("run/r1/1-get.1", 256)
    ended = [loop.clock.wall(), loop.clock.now()]
    loop.pass_time(30)

    (entry,) = taken()

    assert (entry["status"], entry["used"], entry["ended"]) == (256, [250, 4096], ended)


def test_one_that_runs_has_no_end(keep: Keep, taken: Taken) -> None:
    keep("web.1")

    (entry,) = taken()

    assert (entry["key"], entry["status"], entry["ended"]) == ("web.1", None, None)


def pipe_end() -> int:
    read_fd, write_fd = os.pipe()
    os.close(write_fd)
    return read_fd


def test_a_second_pipe_goes_over_with_the_first(keeper: Keeper, keep: Keep, taken: Taken) -> None:
    entry, other = keep("web.1"), keep("mail.1")
    entry.err_read, other.out_read = pipe_end(), pipe_end()
    reads = os.fstat(other.out_read).st_ino
    for _ in range(2):  # a second one takes the place of the first
        keeper._on_message({"verb": "keep", "key": "web.1", "name": "err_second"}, [pipe_end()])
    seconds = os.fstat(entry.err_second).st_ino

    row, following = taken()

    assert (row["out_read"], row["out_second"]) == (-1, -1)
    assert os.fstat(row["err_second"]).st_ino == seconds
    assert os.fstat(following["out_read"]).st_ino == reads
    for fd in (row["err_read"], row["err_second"], following["out_read"]):
        os.close(fd)
    for each in (entry, other):
        each.close()
    assert entry.err_second == -1


def test_a_second_pipe_is_let_go_of_where_that_was_meant(
    keeper: Keeper, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One whose descriptor was lost on the way says nothing of the one before."""
    sent: list[bool] = []
    monkeypatch.setattr(keeper, "send", lambda message: sent.append(message["is_kept"]))
    entry = keep("web.1")
    entry.out_read, fd = pipe_end(), pipe_end()
    message = {"verb": "keep", "key": "web.1", "name": "out_second"}
    keeper._on_message(message, [fd])
    keeper._on_message(message, [])
    assert list(entry.kept()) == ["out_read", "out_second"]

    keeper._on_message({**message, "let_go": True}, [])

    assert list(entry.kept()) == ["out_read"]
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)
    for odd in ({"key": "gone.1"}, {"name": "out_read"}, {}):
        keeper._on_message({**message, "let_go": True, **odd}, [])
    assert sent == [True, False, False, False, False, False], "each is answered, as an older version does"
    assert list(entry.kept()) == ["out_read"]
    entry.close()


@pytest.mark.parametrize("message", [{"key": "gone.1", "name": "out_second"}, {"key": "web.1", "name": "pidfd"}])
def test_what_can_not_be_kept_is_closed_and_said(
    keeper: Keeper, keep: Keep, monkeypatch: pytest.MonkeyPatch, message: dict[str, str]
) -> None:
    keep("web.1")
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(keeper, "send", sent.append)
    fd = pipe_end()

    keeper._on_message({"verb": "keep", **message}, [fd])

    assert sent == [{"did": "kept", **message, "is_kept": False}]
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)


def test_one_of_an_older_version_has_none(keeper: Keeper, keep: Keep) -> None:
    data = keep("web.1").hand_on()
    for name in ("out_second", "err_second"):
        del data[name]

    entry = Entry.take_up(data, keeper)

    assert (entry.out_second, entry.err_second) == (-1, -1)


def test_an_older_scheduler_gets_the_right_ones(keeper: Keeper, keep: Keep) -> None:
    """It takes those that it knows, one after the other."""
    entries = [keep("web.1"), keep("mail.1")]
    for entry in entries:
        entry.out_read, entry.out_second = pipe_end(), pipe_end()
    reads = [os.fstat(entry.out_read).st_ino for entry in entries]

    ((_, fds),) = entries_in_pieces(entries, {}, 0.0)

    assert [os.fstat(fd).st_ino for fd in fds[:2]] == reads
    close_fds(*fds)
    for entry in entries:
        entry.close()
