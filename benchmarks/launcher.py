"""What bin/sbctl costs over the line it ends in, `python -I -S hot.py`: interleaved runs, medians."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import targets
from benchmarks.plan import Plan, say
from benchmarks.report import Figure

BARE = "limit: python -I -S hot.py"
ROOT = Path(__file__).resolve().parents[1]
INPUTS = ("bin", "setup.cfg", "constraints.txt")


def milliseconds(argv: list[str], env: dict[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run(argv, env=env, check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - began) * 1000


def measure(plan: Plan) -> list[Figure]:
    figure = Figure("Launcher: bin/sbctl of a command that does nothing", "ms", key="launcher")
    runs = 10 if plan.quick else 50
    say(f"launcher, {runs} times each")
    times = interleaved(runs)
    base = statistics.median(times[BARE])
    for name, values in times.items():
        over = statistics.median(values) - base
        target = None if name == BARE else base + targets.LAUNCHER_MS
        figure.add(name, values, target=target, note="" if name == BARE else f"{over:+.2f} ms")
    return [figure]


def interleaved(runs: int) -> dict[str, list[float]]:
    with tempfile.TemporaryDirectory() as folder:
        # A hot.py that does nothing, so that nothing but the launcher differs.
        tree = Path(folder)
        for name in INPUTS:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
            copy(ROOT / name, tree / name)
        hot = tree / "supervisor" / "cli" / "hot.py"
        hot.parent.mkdir(parents=True)
        hot.write_text("")
        env = {**os.environ, "SB_VENV": sys.prefix}
        ways = {
            BARE: [f"{sys.prefix}/bin/python", "-I", "-S", str(hot)],
            "bin/sbctl": [str(tree / "bin" / "sbctl")],
        }
        (tree / "bin" / "link").symlink_to("sbctl")
        ways["bin/sbctl by a symlink"] = [str(tree / "bin" / "link")]
        for argv in ways.values():  # the first finds out about the environment
            milliseconds(argv, env)
        times: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(runs):
            for name, argv in ways.items():
                times[name].append(milliseconds(argv, env))
    return times
