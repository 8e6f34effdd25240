"""House rules that no linter knows."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from support.imports import ROOT, sources

TESTS = ROOT / "tests"
MAX_LINES = 350

# Where the tests may sleep: programs that misbehave on purpose, and the one helper that waits.
SLEEP = r"\btime\.[s]leep\(|from time import .*[s]leep|asyncio\.[s]leep\("
MAY_SLEEP = (TESTS / "children", TESTS / "support" / "waiting.py")

# Words that say a thing is not done. Built from parts, or this file would be the first to be found.
WORDS = ("TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK", "NotImplemented" + "Error")
OPEN = re.compile(rf"\b({'|'.join(WORDS)})\b")

SCRIPTS = ("bin/sbctl", "bin/set-up", "bin/run_automations.sh", "bin/debian-packages", "bin/demo", ".ci/run")


def python_files() -> list[Path]:
    return [*sources(), *(ROOT / "bin").glob("*.py"), *(ROOT / "plugins").rglob("*.py"), *TESTS.rglob("*.py")]


def lines_with(paths: list[Path], pattern: str | re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in paths
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(pattern, line)
    ]


def test_tests_do_not_sleep() -> None:
    paths = [path for path in TESTS.rglob("*.py") if not any(path.is_relative_to(place) for place in MAY_SLEEP)]

    assert lines_with(paths, SLEEP) == []


def test_nothing_is_left_open() -> None:
    assert lines_with(python_files(), OPEN) == []


def test_files_stay_small() -> None:
    long = {path.relative_to(ROOT): len(path.read_text().splitlines()) for path in sources()}

    assert {path: lines for path, lines in long.items() if lines > MAX_LINES} == {}


def test_every_module_says_what_it_is_for() -> None:
    silent = [path for path in python_files() if path.read_text() and not path.read_text().startswith('"""')]

    assert silent == []


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_can_be_run_and_parsed(name: str) -> None:
    path = ROOT / name

    assert path.stat().st_mode & 0o111 == 0o111
    shell = path.read_text().partition("\n")[0].removeprefix("#!")
    assert subprocess.run([shell, "-n", path], capture_output=True, check=False).stderr == b""


@pytest.mark.parametrize("folder", ["etc", "plugins"])
def test_the_checkouts_own_home_is_what_init_makes(folder: str) -> None:
    """Copies, since neither a wheel nor a person's changes suit a link; a file changed here is left out."""
    templates = ROOT / "supervisor" / "examples" / folder
    for template in sorted(path for path in templates.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        copy = ROOT / folder / template.relative_to(templates)
        if not is_changed(copy):
            assert copy.read_bytes() == template.read_bytes(), f"cp {template} {copy}"


def is_changed(path: Path) -> bool:
    """Has somebody made this checkout's home their own?"""
    git = ["git", "-C", str(ROOT), "diff", "--quiet", "HEAD", "--", str(path)]
    return subprocess.run(git, capture_output=True, check=False).returncode == 1


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_links_lead_somewhere(name: str) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / name).read_text())

    assert [link for link in links if not (ROOT / link).exists()] == []


def test_what_the_readme_shows_of_settings_is_right() -> None:
    from supervisor.settings.manifest import Manifest
    from supervisor.settings.scheduler_file import SchedulerFile

    for block in re.findall(r"```json\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL):
        data = json.loads(block)
        if "tasks" in data:
            assert SchedulerFile.model_validate(data).tasks
        else:
            assert Manifest.model_validate(data, context={"folder": data["id"]}).commands.server
