"""What bin/sbctl costs over the line it ends in, `python -I -S hot.py`: interleaved runs, medians.

python benchmarks/launcher.py [RUNS]
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
INPUTS = ("bin", "setup.cfg", "constraints.txt")


def milliseconds(argv: list[str], env: dict[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run(argv, env=env, check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - began) * 1000


def main(runs: int) -> None:
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
            "python -I -S hot.py": [f"{sys.prefix}/bin/python", "-I", "-S", str(hot)],
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
    base = statistics.median(times["python -I -S hot.py"])
    for name, values in times.items():
        median = statistics.median(values)
        print(f"{name:24} median {median:6.2f} ms   least {min(values):6.2f} ms   over python {median - base:+5.2f} ms")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
