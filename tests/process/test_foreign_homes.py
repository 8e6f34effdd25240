"""A home that somebody else could change, started by root: nothing of it runs, however fresh its settings look."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.home import TemporaryHome

from supervisor.base.errors import Problem
from supervisor.base.where import role_command
from supervisor.daemons.common import read_compiled
from supervisor.model.home import Home

pytestmark = pytest.mark.root

NOBODY = 65534
PLACES = [
    ".",
    "etc",
    "plugins",
    "logs",
    "logs/run",
    "logs/run/settings",
    "logs/run/settings/current",
    "logs/run/settings/current/start.json",
    "logs/run/settings/current/scheduler.json",
]


@pytest.fixture
def used(home: TemporaryHome) -> TemporaryHome:
    """Its settings are compiled and fresh; whoever starts it leaves a mark."""
    home.settings["config"]["enabled"] = False
    home.write()
    home.add_plugin("web", ["/bin/sh", "-c", f"touch {home.path}/was-run; exec sleep 1000"], autoStart=False)
    assert home.sbctl("start").code == 0
    assert home.sbctl("stop").code == 0
    assert not (home.path / "was-run").exists()
    return home


def give_away(path: Path) -> str:
    os.chown(path, NOBODY, -1)
    return "belongs to user 65534"


def open_up(path: Path) -> str:
    path.chmod(path.stat().st_mode | 0o020)
    return "can be written by its group"


def test_settings_compiled_by_another_user_are_not_run(used: TemporaryHome) -> None:
    """The compiler, which would refuse, is not asked while its outcome looks fresh."""
    file = used.path / "logs" / "run" / "settings" / "current" / "scheduler.json"
    file.write_text(file.read_text().replace('"auto_start":false', '"auto_start":true'))
    for folder, folders, files in os.walk(used.path / "logs" / "run"):
        for name in ("", *folders, *files):
            os.chown(os.path.join(folder, name), NOBODY, NOBODY, follow_symlinks=False)

    started = used.sbctl("start")

    assert started.code == 4
    assert started.err.startswith(f"error: {used}/logs/run belongs to user 65534")
    assert f"chown root {used}/logs/run" in started.err
    assert used.pids() == []
    assert not (used.path / "was-run").exists()


@pytest.mark.parametrize("spoil", [give_away, open_up])
def test_each_place_counts_and_is_named(used: TemporaryHome, spoil: Callable[[Path], str]) -> None:
    for place in PLACES:
        culprit = used.path / place
        before = culprit.stat()
        said = spoil(culprit)

        started = used.sbctl("start")

        assert started.code == 4, place
        assert f"error: {os.path.normpath(culprit)} {said}" in started.err
        os.chown(culprit, before.st_uid, -1)
        culprit.chmod(before.st_mode & 0o7777)
    assert used.pids() == []


@pytest.mark.parametrize("words", [["start", "--foreground"], ["serve", "scheduler"], ["serve", "config"]])
def test_every_way_to_start_asks(used: TemporaryHome, words: list[str]) -> None:
    give_away(used.path / "logs" / "run")

    assert used.sbctl(*words).code == 4


def test_start_itself_asks_as_well(used: TemporaryHome) -> None:
    give_away(used.path / "logs" / "run" / "settings")

    done = used.run(role_command("start", str(used)))

    assert done.code == 4
    assert "chown root" in done.err


@pytest.mark.parametrize("role", ["start", "scheduler"])
def test_a_daemon_reads_no_file_of_somebody_else(used: TemporaryHome, role: str) -> None:
    home = Home(str(used.path))
    assert read_compiled(home, role)
    give_away(Path(home.compiled_file(role)))

    with pytest.raises(Problem, match="no compiled settings") as caught:
        read_compiled(home, role)

    assert "belongs to user 65534" in caught.value.why


def test_a_daemon_follows_no_link_to_its_settings(used: TemporaryHome, tmp_path: Path) -> None:
    home = Home(str(used.path))
    file = Path(home.compiled_file("start"))
    shutil.move(file, tmp_path / "elsewhere.json")
    file.symlink_to(tmp_path / "elsewhere.json")

    with pytest.raises(Problem, match="no compiled settings"):
        read_compiled(home, "start")


def test_the_output_of_start_goes_through_no_link(used: TemporaryHome, tmp_path: Path) -> None:
    out = used.path / "logs" / "start.out"
    out.unlink()
    out.symlink_to(tmp_path / "elsewhere")

    assert used.sbctl("start").code == 1
    assert not (tmp_path / "elsewhere").exists()
