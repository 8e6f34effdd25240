"""What a scheduler without schedules does when it is asked for them: it loads that part, if it is still its own."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support.desk import desk_world

from supervisor.base.errors import Problem
from supervisor.base.program import Program
from supervisor.control.api import OF_SCHEDULES, VERBS
from supervisor.daemons import time_desk
from supervisor.daemons.schedule_verbs import ScheduleVerbs
from supervisor.daemons.time_side import TimeSide
from supervisor.model.home import Home


class FakePart:
    opened = 0

    def __init__(self, daemon: Any) -> None:
        self.handlers = {"next": lambda args, reply: reply.append(args)}

    def open(self) -> None:
        self.opened += 1


@pytest.fixture
def side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TimeSide:
    """Of a daemon that has begun without it."""
    monkeypatch.setattr(time_desk, "TimeDesk", FakePart)
    loop = SimpleNamespace(soon=lambda call: None)
    daemon: Any = SimpleNamespace(compiled={}, home=Home(str(tmp_path)), loop=loop, stopping=False)
    side = TimeSide(daemon)
    side.open()
    return side


def test_it_has_all_verbs_of_schedules(tmp_path: Path) -> None:
    with desk_world(tmp_path) as world:
        assert set(ScheduleVerbs(world.desk).table()) == set(OF_SCHEDULES)
    assert set(OF_SCHEDULES) < set(VERBS)


def test_the_first_question_loads_it_once(side: TimeSide) -> None:
    heard: Any = []
    assert side.part is None
    for _ in range(2):
        side.verbs()["next"]({"count": 1}, heard)

    assert heard == [{"count": 1}] * 2
    part: Any = side.part
    assert part.opened == 1


def test_nothing_begins_while_all_is_stopped(side: TimeSide) -> None:
    side._daemon.stopping = True
    with pytest.raises(Problem, match="is stopping"):
        side.verbs()["run"]({"name": "job"}, [])  # type: ignore[arg-type]
    assert side.part is None


def test_another_program_on_the_disk_is_not_mixed_with_this_one(side: TimeSide, tmp_path: Path) -> None:
    file = tmp_path / "code.py"
    file.write_text("1")
    side._program = Program([str(file)])
    new = tmp_path / "new"
    new.write_text("2")
    new.replace(file)

    with pytest.raises(Problem) as said:
        side.verbs()["next"]({}, [])  # type: ignore[arg-type]
    assert "replaced" in said.value.text()
    assert "sbctl restart scheduler" in said.value.text()
    assert side.part is None


def test_what_can_not_be_loaded_is_told_and_tried_again(side: TimeSide, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: Any = []
    with monkeypatch.context() as broken:
        broken.setitem(sys.modules, "supervisor.daemons.time_desk", None)  # as if there were no such module
        with pytest.raises(Problem) as said:
            side.verbs()["next"]({}, heard)
    assert "could not be loaded" in said.value.text()
    side.verbs()["next"]({}, heard)
    assert len(heard) == 1


def test_a_program_knows_its_files(tmp_path: Path) -> None:
    one = tmp_path / "one.py"
    one.write_text("1")
    program = Program([str(one)])
    assert not program.has_changed
    one.unlink()
    assert program.has_changed
    assert not Program().has_changed
    assert any(path.endswith("supervisor/base/program.py") for path in Program()._files)
