"""A copy of what the launcher needs, in a folder of its own, ending in a `hot.py` that tells how it was called."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

from .home import ROOT, Result
from .processes import end_all

TELL = """
import json, os, sys
if sys.argv[1:2] == ["exit"]: sys.exit(int(sys.argv[2]))
print(json.dumps({"args": sys.argv[1:], "python": sys.executable, "root": sys.argv[0], "pid": os.getpid()}))
"""

NEED = "sbctl-test-need"


class Checkout:
    """Made with blanks in its path. `end` ends what still runs there."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "a checkout"
        self.launcher = self.root / "bin" / "sbctl"
        shutil.copytree(ROOT / "bin", self.root / "bin", ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("setup.cfg", "constraints.txt"):
            shutil.copy2(ROOT / name, self.root / name)
        hot = self.root / "supervisor" / "cli" / "hot.py"
        hot.parent.mkdir(parents=True)
        hot.write_text(TELL)
        self.wheels = folder / "wheels"
        self.wheels.mkdir()

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    def need(self, version: str, *, available: bool = True) -> None:
        """From now on sbctl needs one small package, of which pip finds that version without a network."""
        (self.root / "setup.cfg").write_text(f"[options]\ninstall_requires =\n    {NEED}>={version}\n")
        (self.root / "constraints.txt").write_text("")
        if available:
            write_wheel(self.wheels, NEED, version)

    def environment(self, **env: str | None) -> dict[str, str]:
        """No index but our folder of wheels, no settings of pip's; SB_VENV and the like only when given."""
        values = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PIP_")},
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.wheels),
            "SB_PYTHON": sys.executable,
            **env,
        }
        return {name: value for name, value in values.items() if value is not None}

    def start(self, *args: str, command: list[str] | None = None, cwd: Path | None = None, **env: str | None) -> Any:
        return subprocess.Popen(
            [*(command or [str(self.launcher)]), *args],
            cwd=cwd or self.root.parent,
            env=self.environment(**env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *args: str, timeout: float = 60, **more: Any) -> Result:
        process = self.start(*args, **more)
        try:
            out, err = process.communicate(timeout=timeout)
        finally:
            process.kill()
        return Result(process.returncode, out, err)

    def told(self, *args: str, **more: Any) -> dict[str, Any]:
        """What hot.py was told, when that is reached."""
        result = self.run(*args, **more)
        assert result.code == 0, result
        answer: dict[str, Any] = json.loads(result.out)
        return answer

    def interrupt(self, number: int, at: str) -> Result:
        """A first call that gets a signal once it has said `at`."""
        process = self.start("status")
        said = ""
        while at not in said:
            line = process.stderr.readline()
            assert line, f"it never said {at!r}, only: {said}"
            said += line
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
        return Result(process.returncode, out, said + err)

    def left(self) -> list[str]:
        """What a set-up has left in the checkout."""
        return sorted(name for name in os.listdir(self.root) if name.startswith(".venv"))

    def end(self) -> None:
        end_all(str(self.root))


def write_wheel(folder: Path, name: str, version: str) -> None:
    """The least that pip takes for a package."""
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{module}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{module}.py", "")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
