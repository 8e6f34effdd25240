"""Installed by pip, without the launcher: the console script, and homes made from what the wheel holds."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.home import ROOT, TemporaryHome

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

LEFT_OUT = shutil.ignore_patterns(".git", ".venv*", "logs", "__pycache__", ".*_cache", "build", "*.egg-info")


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """An environment with the package and its needs; the folder that it was built from is gone."""
    tree, venv = tmp_path / "tree", tmp_path / "env"
    shutil.copytree(ROOT, tree, ignore=LEFT_OUT)
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    pip = [venv / "bin" / "python", "-I", "-m", "pip", "install", "-q", "-c", tree / "constraints.txt", tree]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    if "from versions: none" in done.stderr:
        pytest.skip("no package index can be reached")
    assert done.returncode == 0, done.stderr
    shutil.rmtree(tree)
    return venv


@pytest.fixture
def home(make_home: object, tmp_path: Path) -> Iterator[TemporaryHome]:
    """Ended like any other, made by the installed `sbctl init`."""
    made = TemporaryHome(tmp_path / "home")
    shutil.rmtree(made.path)
    yield made
    made.end()


def test_a_home_from_the_wheel(installed: Path, home: TemporaryHome) -> None:
    sbctl = installed / "bin" / "sbctl"

    def run(*args: str) -> str:
        result = home.run([sbctl, *args], env={"SB_VENV": None}, cwd="/")
        assert result.code == 0, result
        return result.out

    run("version")
    run("init", str(home))
    assert sorted(os.listdir(home.path / "plugins")) == ["disk-watch", "hello-web"]
    (home.path / "etc" / "sbctl.yaml").write_text(f"config:\n  port: {home.port}\n")
    run("start")
    rows = {row["name"]: row["state"] for row in home.run([sbctl, "status", "--json"]).json()["services"]}
    assert rows == {"scheduler": "running", "config": "running", "disk-watch": "running", "hello-web": "stopped"}
    run("stop")
    assert home.pids() == []
