"""R11 R10: each call by which a command changes the disk fails once: the old content is there, or the new one.

Never half a file under its real name, never a traceback, and the exit code says which of the two it is.
"""

from __future__ import annotations

import json
import re
import shutil
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import pytest
from support.each_call import Trial, trials
from support.home import LAUNCHER, Result, TemporaryHome
from support.scheduling import add_steps

from supervisor.base.where import role_command

QUICK = 3


class Case(ABC):
    """One command, the state that it begins from, and how to see what it has changed."""

    def __init__(self, home: TemporaryHome, kept: Path) -> None:
        self.home = home
        self.kept = kept
        self.make()
        shutil.copytree(home.path, kept, symlinks=True)

    @abstractmethod
    def make(self) -> None:
        """The state from which each try begins."""

    @abstractmethod
    def command(self) -> list[Any]:
        """Its words."""

    @abstractmethod
    def seen(self) -> object:
        """What it changes."""

    def check_refusal(self, result: Result) -> None:
        """It must have said so, in a way a person can use."""
        assert re.search(r"^error: (?!No space|Input/output|Operation|Read-only).+", result.err, re.MULTILINE), result

    def do(self, *words: Any) -> Result:
        return self.home.run([*words, *self.command()], timeout=40)

    def again(self, words: list[str]) -> Result:
        """From the beginning. The folder itself stays: its home has an id by it."""
        for path in self.home.path.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        shutil.copytree(self.kept, self.home.path, symlinks=True, dirs_exist_ok=True)
        return self.do(*words)


def files_of(*folders: Path) -> dict[str, bytes]:
    return {
        str(path): path.read_bytes()
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def compile_it(home: TemporaryHome) -> None:
    assert home.run(role_command("compile", str(home))).code == 0


class Compiler(Case):
    """The settings compiler, with other settings than those in force."""

    def make(self) -> None:
        self.home.add_plugin("web", ["/bin/sleep", "1000"])
        compile_it(self.home)
        self.home.add_plugin("web", ["/bin/sleep", "2000"])

    def command(self) -> list[Any]:
        return role_command("compile", str(self.home))

    def seen(self) -> object:
        folder = self.home.path / "logs" / "run" / "settings" / "current"
        if not folder.exists():
            return None
        documents = {role: json.loads((folder / f"{role}.json").read_bytes()) for role in ("start", "scheduler")}
        assert len({document["revision"] for document in documents.values()}) == 1
        assert json.loads((folder / "sources.json").read_bytes())["files"]
        return [spec["launch"]["argv"] for spec in documents["scheduler"]["services"]]

    def check_refusal(self, result: Result) -> None:
        answer = result.json()
        assert not answer["ok"]
        assert answer["error"]["what"]
        assert result.err == ""


class FirstCompiler(Compiler):
    """The same where nothing is there yet."""

    def make(self) -> None:
        self.home.add_plugin("web", ["/bin/sleep", "2000"])


class Add(Case):
    """The first schedule: its folder is not there yet."""

    def make(self) -> None:
        add_steps(self.home, "web", get="true")

    def command(self) -> list[Any]:
        return [LAUNCHER, "schedule", "add", "web", "--every", "6h"]

    def seen(self) -> object:
        return files_of(self.home.path / "etc")


class Edit(Add):
    def make(self) -> None:
        super().make()
        assert self.home.run(super().command()).code == 0

    def command(self) -> list[Any]:
        return [LAUNCHER, "schedule", "edit", "web", "--every", "7h"]


class Remove(Edit):
    def command(self) -> list[Any]:
        return [LAUNCHER, "schedule", "rm", "web"]


class Undo(Case):
    """`config undo` of one changed and one new file; it compiles as well."""

    def make(self) -> None:
        self.home.add_plugin("web", ["/bin/sleep", "1000"])
        compile_it(self.home)
        self.home.add_plugin("web", ["/bin/sleep", "2000"])
        self.home.add_plugin("mail", ["/bin/sleep", "2000"])
        compile_it(self.home)

    def command(self) -> list[Any]:
        return [LAUNCHER, "config", "undo", "1", "--yes"]

    def seen(self) -> object:
        return files_of(self.home.path / "plugins")


class Pause(Case):
    """`sbctl pause` while nothing runs: the command writes the file itself."""

    def make(self) -> None:
        (self.home.path / "pause.flag").write_text("by: anna\nreason: old\nuntil: \n")

    def command(self) -> list[Any]:
        return [LAUNCHER, "pause", "--reason", "new"]

    def seen(self) -> object:
        return {path.name: path.read_bytes() for path in self.home.path.iterdir() if "pause" in path.name}


class Disable(Case):
    """`sbctl disable` while nothing runs."""

    def make(self) -> None:
        self.home.add_plugin("web", ["/bin/sleep", "1000"])
        compile_it(self.home)
        (self.home.path / "logs" / "state.json").write_text('{"format": 1, "services": {}}\n')

    def command(self) -> list[Any]:
        return [LAUNCHER, "disable", "web"]

    def seen(self) -> object:
        found = files_of(self.home.path / "logs")
        return {name: list(json.loads(data)["services"]) for name, data in found.items() if "state.json" in name}


CASES: list[type[Case]] = [Compiler, Edit, Undo, Pause, Disable]
MORE: list[type[Case]] = [FirstCompiler, Add, Remove]


@pytest.mark.parametrize(
    "make", [pytest.param(case, marks=[pytest.mark.slow] if case in (Edit, Undo) else []) for case in CASES]
)
def test_quick(home: TemporaryHome, tmp_path: Path, make: type[Case]) -> None:
    play(home, tmp_path, make, QUICK)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("make", [*CASES, *MORE])
def test_all(home: TemporaryHome, tmp_path: Path, make: type[Case]) -> None:
    play(home, tmp_path, make, None)


def play(home: TemporaryHome, tmp_path: Path, make: type[Case], at_most: int | None) -> None:
    home.settings["config"] = {"enabled": False}
    home.write()
    case = make(home, tmp_path / "kept")
    before, after = case.seen(), None
    tried = refused = 0
    for trial in trials(case.again, home.path, tmp_path / "calls", at_most=at_most):
        if trial.call is None:
            after = case.seen()
            assert before != after
            continue
        check(case, trial, before, after)
        tried += 1
        if trial.result.code:
            refused += 1
            case.do()
            assert case.seen() == after, f"the same again does not do it\n{trial}"
    assert tried
    assert refused or at_most


def check(case: Case, trial: Trial, before: object, after: object) -> None:
    result, now = trial.result, case.seen()
    assert "Traceback" not in result.out + result.err, str(trial)
    if isinstance(now, dict) and isinstance(before, dict) and isinstance(after, dict):
        # Several files can't change as one: each by itself is the old one or the new one.
        for name in now.keys() | before.keys() | after.keys():
            assert now.get(name) in (before.get(name), after.get(name)), f"{name} is neither\n{trial}"
    else:
        assert now in (before, after), str(trial)
    if result.code:
        case.check_refusal(result)
    else:
        assert now == after, f"it says that it was done\n{trial}"
