"""What the supervisors run: small C programs, built anew for each run, so that a figure is the supervisor's own.

Without a compiler the same by coreutils and Python, which the report says.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

CHILDREN = Path(__file__).parent / "children"
SOURCES = CHILDREN / "c"
LIMIT = "limit"
STAND_INS = {
    "sleep": ["sleep", "3600"],
    "deaf": [str(CHILDREN / "deaf.py")],
    "writer": [str(CHILDREN / "writer.py")],
}


def build(work: Path) -> str:
    """Why there are none in C; empty when there are."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return "no C compiler"
    folder = work / "bin"
    folder.mkdir(exist_ok=True)
    for source in sorted(SOURCES.glob("*.c")):
        target = [str(source), "-o", str(folder / source.stem)]
        # Static: no time and no memory goes to a dynamic linker. Where there is no static library: as it is.
        why = _compile([compiler, "-O2", "-static", *target]) and _compile([compiler, "-O2", *target])
        if why:
            shutil.rmtree(folder)  # all or none, so that nobody is measured with another's child
            return f"{source.name}: {why}"
    return ""


def _compile(argv: list[str]) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    return (done.stderr.strip().splitlines() or ["the compiler failed"])[-1] if done.returncode else ""


def is_built(work: Path) -> bool:
    return (work / "bin" / LIMIT).exists()


def command(work: Path, name: str, *, link: Path | None = None) -> list[str]:
    """What runs one of them, to which its arguments are added; /proc shows it under the name of the link."""
    if is_built(work):
        program, words = work / "bin" / name, []
    elif STAND_INS[name][0].endswith(".py"):
        program, words = Path(sys.executable), ["-I", "-S", STAND_INS[name][0]]
    else:
        program, words = Path(shutil.which(STAND_INS[name][0]) or f"/bin/{STAND_INS[name][0]}"), STAND_INS[name][1:]
    if link is None:
        return [str(program), *words]
    if not link.exists():
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.realpath(program))
    return [str(link), *words]
