"""Checkouts of sbctl with environments of their own, that can be brought to other versions; all without a network."""

from __future__ import annotations

import os
import shutil
import sys
import zipfile
from pathlib import Path
from typing import Any

from supervisor import __version__

from .home import ROOT, Result, TemporaryHome

STANDS = '    daemon.begin_again(state["mask"], guard.stand)\n'  # in taking_up.py: from there on there is no way back

NOT_NEEDED = shutil.ignore_patterns(
    *(
        "mypy*",
        "*mypyc*",
        "ruff*",
        "hypothesis*",
        "_hypothesis*",
        "pytest*",
        "_pytest*",
        "xdist*",
        "types_*",
        "include",
    ),
    *("supervisor", "sb_supervisor*", "__editable__*", ".sbctl-*"),
)
FILES = ("setup.cfg", "setup.py", "constraints.txt", "README.md", "MANIFEST.in")


class Checkout:
    """The project as it is, in a folder of its own, with the environment that its launcher would make."""

    def __init__(self, folder: Path) -> None:
        self.root = folder
        folder.mkdir()
        for name in ("bin", "supervisor"):
            shutil.copytree(ROOT / name, folder / name)  # with what Python has compiled
        for name in FILES:
            shutil.copy2(ROOT / name, folder / name)
        self.venv = folder / ".venv"
        make_environment(self.venv)
        (self.venv / ".sbctl-made").touch()
        (self.venv / ".sbctl-stamp").touch()

    def become(self, version: str) -> None:
        """As `git pull` does it: the files are replaced."""
        write_version(self.root / "supervisor", version)

    def insert(self, name: str, before: str, text: str) -> None:
        self.change(name, before, text + before)

    def change(self, name: str, old: str, new: str) -> None:
        path = self.root / "supervisor" / name
        whole = path.read_text()
        assert whole.count(old) == 1
        path.unlink()
        path.write_text(whole.replace(old, new))

    def sbctl(self, home: TemporaryHome, *args: object, **env: str | None) -> Result:
        command = [self.root / "bin" / "sbctl", "--home", home.path, *args]
        return home.run(command, timeout=90, env={**WITHOUT_NETWORK, "SB_VENV": None, "SB_HOME": None, **env})

    def environments(self) -> list[str]:
        return sorted(path.name for path in self.root.glob(".venv*") if (path / "pyvenv.cfg").exists())


# What pip would ask, should it be called at all.
WITHOUT_NETWORK: dict[str, str | None] = {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}


def write_version(package: Path, version: str) -> None:
    init = package / "__init__.py"
    text = init.read_text().splitlines()
    init.unlink()
    init.write_text("\n".join(f'__version__ = "{version}"' if "__version__" in line else line for line in text) + "\n")


def make_environment(folder: Path) -> None:
    """The one that runs the tests, without what only tests need, by hard links."""
    shutil.copytree(os.path.realpath(sys.prefix), folder, symlinks=True, ignore=NOT_NEEDED, copy_function=_link)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def write_wheel(folder: Path, version: str) -> Path:
    """Of the project as it is, without a build tool."""
    path = folder / f"sb_supervisor-{version}-py3-none-any.whl"
    info = f"sb_supervisor-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        for file in sorted((ROOT / "supervisor").rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                data = file.read_bytes()
                if file == ROOT / "supervisor" / "__init__.py":
                    data = data.replace(f'"{__version__}"'.encode(), f'"{version}"'.encode())
                wheel.writestr(str(file.relative_to(ROOT)), data)
        needs = "".join(
            f"Requires-Dist: {name}\n" for name in ("click >=8.1", "pydantic>=2.11", "pytest ; extra == 't'")
        )
        tags = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        wheel.writestr(f"{info}/WHEEL", tags)
        wheel.writestr(f"{info}/RECORD", "")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: sb-supervisor\nVersion: {version}\n{needs}")
    return path


def numbers(rows: list[dict[str, Any]], *names: str) -> dict[str, tuple[Any, Any]]:
    """Pid and restarts of each."""
    return {row["name"]: (row["pid"], row["restarts"]) for row in rows if row["name"] in names}
