"""A scheduler loads without looking for garbage in between, and looks for it afterwards."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks import scheduled
from supervisor.base import garbage
from supervisor.base.errors import FAILED, Problem
from supervisor.cli.compiling import run_compiler
from supervisor.daemons import common
from supervisor.daemons.options import Options
from supervisor.daemons.scheduler import main
from supervisor.model.home import Home

MANY = 3000


@pytest.fixture
def looks() -> Iterator[None]:
    """Of this process; as they were afterwards."""
    yield
    gc.enable()
    gc.unfreeze()


def test_many_schedules_are_loaded_in_one_go(tmp_path: Path) -> None:
    ours = scheduled.OursOnTime(tmp_path, "sbload")
    scheduled.mixed(ours, MANY)
    ours.prepare("many", {})
    ours.compile()

    found = scheduled.fresh("load", ours.folder)

    assert found["known"] >= MANY - 400
    assert found["looks"] == 0
    assert found["looks_go_on"]
    assert found["frozen"] > MANY


def test_the_settings_are_read_without_a_look(
    looks: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[bool] = []

    def read(*_: Any) -> None:
        seen.append(gc.isenabled())
        raise Problem("not now", code=FAILED)

    for name in ("chdir", "umask"):
        monkeypatch.setattr(os, name, lambda _: None)
    monkeypatch.setattr(common, "read_settings", read)

    assert main("/nowhere", Options()) == FAILED
    assert seen == [False]


def test_what_is_loaded_is_never_looked_at_again(looks: None) -> None:
    garbage.begin_loading()
    kept = [{"number": [number]} for number in range(1000)]
    assert not gc.isenabled()

    garbage.end_loading()

    assert gc.isenabled()
    assert gc.get_freeze_count() > len(kept)


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_hundred_thousand_are_compiled_within_the_limits_of_the_compiler(tmp_path: Path) -> None:
    """Of processor time and memory, which are there for what is hostile."""
    ours = scheduled.OursOnTime(tmp_path, "sbload")
    scheduled.mixed(ours, 100_000)
    ours.prepare("many", {})

    answer = run_compiler(Home(str(ours.folder)))

    assert (answer["ok"], answer["findings"]) == (True, [])
