"""An entry of `start`, as the next scheduler has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from support.fakes import FakeLoop

from supervisor.base.channel import Channel, channel_pair
from supervisor.engine.adopt import Kept
from supervisor.engine.entries import Ends, Entry
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
