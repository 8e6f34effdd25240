"""The note of a run fits into one packet, whatever it was handed and whatever it reports."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.desk import DeskWorld, job

from supervisor.base.errors import USAGE, Problem
from supervisor.daemons.schedule_verbs import ScheduleVerbs

CONTROL = "\x1b"  # six bytes in JSON
WIDE = "\U0001f600"  # four


class Reply:
    """What a person is told."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)


def ask(world: DeskWorld, **more: Any) -> None:
    ScheduleVerbs(world.desk).table()["run"]({"name": "job", **more}, Reply())  # type: ignore[arg-type]
    world.loop.run_soon()


@pytest.mark.parametrize(
    "more",
    [
        {"args": [CONTROL * 40_000]},
        {"args": [""] * 100_000},
        {"env": {"A": CONTROL * 40_000}},
        {"commands": ["get"] * 40_000},
        {"retry": "r" * 200_000},
    ],
)
def test_what_would_not_fit_is_refused_and_leaves_nothing(world: DeskWorld, more: dict[str, Any]) -> None:
    world.open(job())

    with pytest.raises(Problem, match="too much to hand over") as caught:
        ask(world, **more)

    assert caught.value.code == USAGE
    assert (world.running(), world.start.asked, world.start.notes) == ([], [], {})


def many(step: str) -> dict[str, str]:
    """As much as a result file of 64 KiB may have, under names of its own."""
    return {f"{step[:1]}{number:02}{WIDE * 197}": WIDE * 200 for number in range(33)}


def report(world: DeskWorld, **more: Any) -> None:
    world.end(result=json.dumps({**many(world.run().progress.step), **more}, ensure_ascii=False))


def test_a_run_with_the_most_of_everything_goes_to_its_end(world: DeskWorld) -> None:
    """Arguments, the figures of each step, and those of the run before, which its own are compared with."""
    world.open(job(steps=("get", "process", "push")))
    for _ in range(2):
        ask(world, args=[CONTROL * 9_900])
        for _step in range(3):
            report(world, quality=0.9)

    assert world.states() == ["succeeded", "succeeded"]
    assert world.start.notes == {}


def test_figures_without_room_are_left_out_and_that_is_told(world: DeskWorld) -> None:
    world.open(job(steps=("get", "process", "push")))
    ask(world)
    report(world)
    assert world.texts("run.figures_left_out") == []
    report(world)

    (text,) = world.texts("run.figures_left_out")
    assert text.startswith("job: process reported more than is kept: left out are 29 of its figures, p")
    assert len(text) < 1000


def test_a_figure_that_a_gate_asks_for_has_room_before_all_others(world: DeskWorld) -> None:
    """Else a step could report so much that nobody sees how bad it is."""
    world.open(job(steps=("get", "process", "push"), safety={"quality": 0.9}))
    ask(world)
    report(world)
    world.end(result=json.dumps({**{f"n{number}": 1 for number in range(200)}, "quality": 0.1}))

    assert world.states() == ["rejected"]
    assert world.rows()[0]["cause"] == "quality 0.1 is below 0.9"
