"""The daily log has events and output in the order in which they came, also where events had to wait."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.fakes import FakeLoop

from supervisor.daemons.logs import Logs
from supervisor.events.bus import Bus
from supervisor.model.home import Home

SETTINGS = {"daily_lines_per_s": 100, "daily_bytes_per_min": 1 << 20}


class World:
    def __init__(self, folder: Path) -> None:
        self.loop = FakeLoop()
        self.home = Home(str(folder))
        os.makedirs(self.home.logs)
        self.bus = Bus(self.loop.clock, "scheduler")
        self.logs = Logs(self.loop, self.home, SETTINGS, self.bus)
        self.raw = os.memfd_create("raw")

    def say(self, text: str) -> None:
        start = os.lseek(self.raw, 0, os.SEEK_END)
        os.write(self.raw, text.encode() + b"\n")
        self.logs.output("web", "out", self.raw, start, start + len(text) + 1)

    def daily(self) -> list[str]:
        files = Path(self.home.daily_folder).glob("*.log")
        return [line.partition("] ")[2] for file in files for line in file.read_text().splitlines()]

    def journal(self) -> list[str]:
        return [event["text"] for event in self.logs.journal.tail()]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    os.close(made.raw)
    made.loop.close()


def test_output_comes_after_the_events_before_it(world: World) -> None:
    world.bus.rest(True)
    world.bus.tell("tick", "one")
    assert (world.journal(), world.daily()) == (["one"], [])

    world.say("hello")
    world.bus.tell("tick", "two")
    world.bus.rest(False)

    assert world.daily() == ["one", "web | hello", "two"]


def test_nothing_is_owed_at_the_end(world: World) -> None:
    world.bus.rest(True)
    world.bus.tell("tick", "one")
    world.logs.close()

    assert world.daily() == ["one"]
