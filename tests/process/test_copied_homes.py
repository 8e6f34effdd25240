"""A home is copied while it runs: the copy is a home of its own, and the original never hears of it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from conftest import MakeHome
from support.children import child
from support.home import TemporaryHome
from support.ports import free_port

from supervisor.base.where import role_command
from supervisor.model.home import Home
from supervisor.model.identity import read_home_id


@pytest.fixture
def running(home: TemporaryHome) -> TemporaryHome:
    home.settings["config"]["enabled"] = False
    home.write()
    home.add_plugin("web", child("ready"))
    home.add_plugin("worker", child("ready"))
    assert home.sbctl("start").code == 0
    return home


def copy_of(home: TemporaryHome, make_home: MakeHome) -> TemporaryHome:
    copy = make_home("copy")
    subprocess.run(["cp", "-a", f"{home}/.", str(copy)], check=True)
    return copy


def pids(home: TemporaryHome) -> dict[str, int]:
    return {row["name"]: row["pid"] for row in home.status()["services"]}


@pytest.mark.parametrize("changed", [False, True])
def test_starting_a_copy_leaves_the_original_alone(
    running: TemporaryHome, make_home: MakeHome, *, changed: bool
) -> None:
    before = pids(running)
    copy = copy_of(running, make_home)
    if changed:
        copy.settings["config"] = {"enabled": True, "port": free_port()}
        copy.write()

    assert copy.sbctl("start").code == 0

    assert pids(running) == before
    assert set(pids(copy)) - {"config"} == set(before)
    assert not set(pids(copy).values()) & set(before.values())
    assert read_home_id(Home(str(copy))) != read_home_id(Home(str(running)))
    assert copy.sbctl("stop").code == 0
    assert pids(running) == before


def test_a_copy_with_broken_settings_starts_nothing(running: TemporaryHome, make_home: MakeHome) -> None:
    before = pids(running)
    copy = copy_of(running, make_home)
    (copy.path / "etc" / "sbctl.yaml").write_text("prot: 1\n")

    assert copy.sbctl("start").code == 6

    assert copy.pids() == []
    assert pids(running) == before


def test_start_itself_takes_no_settings_of_another_home(running: TemporaryHome, make_home: MakeHome) -> None:
    before = pids(running)
    copy = copy_of(running, make_home)

    done = copy.run(role_command("start", str(copy)))

    assert done.code == 1
    assert "of another home" in done.err
    assert pids(running) == before


def test_a_home_moved_while_it_is_stopped_starts_where_it_is(running: TemporaryHome, make_home: MakeHome) -> None:
    assert running.sbctl("stop").code == 0
    made = read_home_id(Home(str(running)))
    moved = make_home("moved")
    subprocess.run(["rm", "-r", str(moved)], check=True)
    Path(running.path).rename(moved.path)

    assert moved.sbctl("start").code == 0

    assert read_home_id(Home(str(moved))) == made
    assert moved.status()["state"] == "running"
