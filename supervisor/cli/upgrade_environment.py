"""One environment a version, beside each other; a link names the one in force and is switched last, in one step.

    .venv -> .venv-0.2.0        the name that the launcher, or whoever has sbctl from pip, goes by
    .venv-0.1.0                 the version before: kept until the next upgrade

A new one begins as a copy of the one in force (by hard links, which costs no room), so what it needs is there without
a network; pip is asked only for what is missing. The package itself is copied in.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from supervisor.base.errors import MISSING_PROGRAM, Problem
from supervisor.base.where import CHECKOUT, INSTALLED
from supervisor.cli.out import note
from supervisor.cli.upgrade_source import DISTRIBUTION, Source, files_of, pip_said

RECORD = ".sbctl-installed"  # written last: what has it is whole
MADE = ".sbctl-made"  # by the launcher, which may change it later
NOT_COPIED = (INSTALLED, CHECKOUT, RECORD, ".sbctl-stamp", ".sbctl-unfinished", "__pycache__")
OLD_PACKAGE = ("supervisor", "sb_supervisor-*.dist-info", "__editable__*sb_supervisor*")
INSTALL_S = 900.0
AT_FDCWD = -100
RENAME_EXCHANGE = 2

# Run in the new environment: which of the words it does not meet. (`packaging` need not be there to ask, and what we
# need has no more than a lower bound.)
MISSING = """
import re, sys
from importlib.metadata import PackageNotFoundError, version
def numbers(text): return [int(n) for n in re.findall(r"\\d+", text.partition("+")[0])]
for line in sys.argv[1:]:
    name, _, least = line.partition(">=")
    try:
        if least and numbers(version(name)) < numbers(least): print(line)
    except PackageNotFoundError:
        print(line)
"""


class Environment:
    """A folder with a Python, what sbctl needs and sbctl itself."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = str(folder / "bin" / "python")
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        self.packages = folder / "lib" / version / "site-packages"
        self.package = self.packages / "supervisor"
        self.main = str(self.package / "__main__.py")

    @property
    def record(self) -> dict[str, Any]:
        """What was installed, if an upgrade has made it and it is whole."""
        try:
            data: dict[str, Any] = json.loads((self.folder / RECORD).read_text())
        except (OSError, ValueError):
            return {}
        return data


class Place:
    """The name by which an environment is reached, and those beside it."""

    def __init__(self, link: Path) -> None:
        self.link = link
        self.current = Environment(Path(os.path.realpath(link)))

    @classmethod
    def of_this_program(cls) -> Place:
        folder = Path(sys.executable).parent.parent
        if not (folder / "pyvenv.cfg").exists():
            raise Problem(
                "sbctl does not run in an environment of its own",
                why=f"{sys.executable} is the Python of the system, beside which nothing can be installed",
                remedy="python3 -m venv DIR; DIR/bin/pip install sb-supervisor; or bring it up to date as it was "
                "installed, then sbctl restart",
                code=MISSING_PROGRAM,
            )
        found = Environment(Path(os.path.realpath(folder)))
        if not found.record and not (found.folder / MADE).exists() and not found.package.exists():
            raise Problem(
                f"the environment {folder} is not one of sbctl's",
                why="it has no sbctl in it, so others may rely on its being as it is (named by SB_VENV?)",
                remedy="let the launcher make one of its own (without SB_VENV), then sbctl restart",
                code=MISSING_PROGRAM,
            )
        name = found.record.get("name")
        return cls(folder.parent / name if name and not folder.is_symlink() else folder)

    def beside(self, source: Source) -> Environment:
        """Where that version belongs; it may be there already."""
        name = f"{self.link.name}-{source.version}"
        found = Environment(self.link.parent / name)
        if os.path.lexists(found.folder) and found.record.get("digest") != source.digest and found.record:
            found = Environment(self.link.parent / f"{name}-{source.digest[:8]}")
        return found

    # making one

    def make(self, source: Source, new: Environment) -> None:
        """All of it, or nothing."""
        if new.record.get("digest") == source.digest:
            return
        shutil.rmtree(new.folder, ignore_errors=True)
        note(f"sbctl: installing {source.version} beside what runs: {new.folder}")
        try:
            self._copy(new)
            self._put_in(source, new)
            self._complete(source, new)
            facts = {"version": source.version, "digest": source.digest, "name": self.link.name}
            (new.folder / RECORD).write_text(json.dumps({**facts, "source": source.origin}) + "\n")
        except OSError as error:
            shutil.rmtree(new.folder, ignore_errors=True)
            why = f"{error.filename or new.folder}: {error.strerror or str(error)[-300:]}"
            raise Problem(f"{source.version} can't be installed", why=why, remedy="what runs goes on") from None
        except BaseException:
            shutil.rmtree(new.folder, ignore_errors=True)
            raise

    def _copy(self, new: Environment) -> None:
        left_out = shutil.ignore_patterns(*NOT_COPIED, *OLD_PACKAGE)
        packages = str(self.current.packages)

        def ignore(folder: str, names: list[str]) -> set[str]:
            found = left_out(folder, names)
            return {name for name in found if folder == packages or name in NOT_COPIED}

        shutil.copytree(self.current.folder, new.folder, symlinks=True, ignore=ignore, copy_function=_link)

    def _put_in(self, source: Source, new: Environment) -> None:
        shutil.copytree(source.package, new.package)
        (new.folder / INSTALLED).symlink_to(new.packages.relative_to(new.folder))
        checkout = source.checkout
        if checkout is None and (self.current.folder / CHECKOUT).exists():
            checkout = Path(os.path.realpath(self.current.folder / CHECKOUT))
        if checkout is not None:
            (new.folder / CHECKOUT).symlink_to(checkout)
        script = new.folder / "bin" / "sbctl"
        script.unlink(missing_ok=True)
        script.write_text(SCRIPT.format(python=f"{self.link}/bin/python"))
        script.chmod(0o755)
        _write_metadata(source, new)

    def _complete(self, source: Source, new: Environment) -> None:
        asked = [new.python, "-I", "-c", MISSING, *source.needs]
        missing = _run("the check of what is installed", asked, 60.0).split("\n")
        missing = [line for line in missing if line]
        if missing:
            note(f"sbctl: it needs {', '.join(missing)}: asking pip")
            pip = [new.python, "-I", "-m", "pip", "--no-input", "--disable-pip-version-check", "install", "--quiet"]
            bounds = ["-c", str(source.constraints)] if source.constraints else []
            try:
                _run("pip install", [*pip, "--retries", "2", *bounds, *missing], INSTALL_S)
            except Problem:
                if not bounds:
                    raise
                _run("pip install", [*pip, "--retries", "2", *missing], INSTALL_S)
        _run("compileall", [new.python, "-I", "-m", "compileall", "-q", str(new.package)], 120.0)

    # the end of it

    def switch(self, new: Environment, old_version: str) -> Path | None:
        """From here on the name means the new one. Returns where the one before is, if it lives on elsewhere."""
        before = self.current.folder
        if before == new.folder:
            return None
        following = self.link.parent / f"{self.link.name}.next"
        self._make_way(following)
        following.symlink_to(new.folder.name)
        if self.link.is_symlink():
            following.rename(self.link)
        else:
            before = self._free_name(old_version)
            _exchange(following, self.link)  # the folder of the old one has this name now
            following.rename(before)
        self.current = new
        return before

    def _make_way(self, following: Path) -> None:
        """Whoever was killed between two steps of a switch has left a link, or the environment from before it."""
        if following.is_symlink() or not following.is_dir():
            following.unlink(missing_ok=True)
        else:
            following.rename(self._free_name(Environment(following).record.get("version") or "before"))

    def _free_name(self, version: str) -> Path:
        names = [f"{self.link.name}-{version}", *(f"{self.link.name}-{version}.{number}" for number in range(1, 100))]
        return next(path for name in names if not os.path.lexists(path := self.link.parent / name))

    def tidy(self, keep: Path | None) -> list[Path]:
        """Remove the versions before the last one that nobody uses; returns those that a person may remove."""
        left = []
        for folder in self.link.parent.glob(f"{self.link.name}-*"):
            if folder.is_symlink() or folder in (self.current.folder, keep) or not (folder / "pyvenv.cfg").exists():
                continue
            if in_use(folder):  # by another home, say
                continue
            if (folder / RECORD).exists() or (folder / MADE).exists():
                shutil.rmtree(folder, ignore_errors=True)
            else:
                left.append(folder)
        return left


def in_use(folder: Path) -> bool:
    """Does a process, of any home, have something of it loaded?"""
    mark = f"{folder}/".encode()
    for name in os.listdir("/proc"):
        if name.isdecimal() and int(name) != os.getpid():
            try:
                with open(f"/proc/{name}/maps", "rb") as maps, open(f"/proc/{name}/cmdline", "rb") as words:
                    if mark in maps.read() or mark in words.read():
                        return True
            except OSError:
                continue
    return False


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # a file system without them, or files of another owner
        shutil.copy2(source, target, follow_symlinks=False)


def _run(what: str, command: list[str], limit: float) -> str:
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=limit, check=False, cwd="/"
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Problem(f"{what} failed", why=str(error), remedy="what runs goes on") from None
    if done.returncode:
        raise Problem(
            f"{what} ended with {done.returncode}",
            why=pip_said(done.stdout + done.stderr),
            remedy="mend that (network? package index? room on the disk?), then again; what runs goes on",
        )
    return done.stdout


def _exchange(one: Path, other: Path) -> None:
    """Swap two names in one step, where kernel and file system can; else in two."""
    libc = ctypes.CDLL(None, use_errno=True)
    swap = getattr(libc, "renameat2", None)
    if swap and swap(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) == 0:
        return
    aside = other.with_name(f"{other.name}.before")
    other.rename(aside)
    one.rename(other)
    aside.rename(one)


SCRIPT = """#!/bin/sh
'''exec' "{python}" -I "$0" "$@"
' '''
import sys
from supervisor.cli.main import main
if __name__ == "__main__":
    sys.exit(main())
"""


def _write_metadata(source: Source, new: Environment) -> None:
    """As pip would: it lists, updates and removes the package like any other."""
    name = DISTRIBUTION.replace("-", "_")
    folder = new.packages / f"{name}-{source.version}.dist-info"
    folder.mkdir()
    needs = "".join(f"Requires-Dist: {line}\n" for line in source.needs)
    texts = {
        "METADATA": f"Metadata-Version: 2.1\nName: {DISTRIBUTION}\nVersion: {source.version}\n{needs}",
        "WHEEL": "Wheel-Version: 1.0\nGenerator: sbctl\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "INSTALLER": "sbctl\n",
        "entry_points.txt": "[console_scripts]\nsbctl = supervisor.cli.main:main\n",
    }
    for file, text in texts.items():
        (folder / file).write_text(text)
    paths = [*files_of(new.package), *(folder / file for file in (*texts, "RECORD")), new.folder / "bin" / "sbctl"]
    lines = [f"{os.path.relpath(path, new.packages)},,\n" for path in paths]
    (folder / "RECORD").write_text("".join(lines))
