"""`python -m support.soak`: the long soak, for a person or `make soak`. Exit code 0: all promises were kept."""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from support.daemon import Daemon
from support.home import TemporaryHome

from .nemesis import WEIGHTS
from .play import play


def main() -> int:
    parser = argparse.ArgumentParser(prog="make soak ARGS='...'", description=__doc__)
    parser.add_argument("--seconds", type=float, default=900.0, help="how long faults are made (900)")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of the faults (a new one)")
    parser.add_argument("--servers", type=int, default=50)
    parser.add_argument("--schedules", type=int, default=50)
    parser.add_argument("--pause", type=float, default=1.0, help="seconds between two faults, on average (1)")
    parser.add_argument("--only", default=",".join(WEIGHTS), help="kinds of faults, with commas between (all)")
    parser.add_argument("--keep", action="store_true", help="leave the home there, also when all was well")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="sbctl-soak-"))
    print(f"soak of {asked.seconds:.0f} s, seed {asked.seed}, in {folder}, since {time.ctime()}", flush=True)
    home = TemporaryHome(folder / "home")
    try:
        verdict = play(
            Daemon(home),
            seconds=asked.seconds,
            seed=asked.seed,
            servers=asked.servers,
            jobs=asked.schedules,
            pause=asked.pause,
            kinds=asked.only.split(","),
        )
    finally:
        home.end()
    print(verdict.text(), flush=True)
    if verdict.is_good and not asked.keep:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        print(f"its history of faults: {home.path / 'nemesis.jsonl'}; its logs: {home.path / 'logs'}")
    return 0 if verdict.is_good else 1


sys.exit(main())
