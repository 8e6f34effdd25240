"""python -m benchmarks [--quick] [--only start,restart] [--n 100,500] [--json]"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import sys
import tempfile
from pathlib import Path

from benchmarks import procs
from benchmarks.everybody import everybody
from benchmarks.parts import ALIASES, FIGURES
from benchmarks.plan import Plan
from benchmarks.report import Figure, machine


def options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="What sbctl costs, beside its peers.")
    parser.add_argument("--only", metavar="NAMES", default=",".join(FIGURES), help=f"of {', '.join(FIGURES)}, stop")
    parser.add_argument("--n", metavar="COUNTS", default="100", help="children, e.g. 100,500 (the first for all)")
    parser.add_argument("--quick", action="store_true", help="fewer rounds; supervisord's stop of 35 s is left out")
    parser.add_argument("--no-peers", action="store_true", help="ours and the limits only")
    parser.add_argument("--json", action="store_true", help="as one JSON object")
    parser.add_argument("--folder", type=Path, help="where the homes and logs are made (a temporary folder)")
    found = parser.parse_args(argv)
    found.only = list(dict.fromkeys(ALIASES.get(name, name) for name in found.only.split(",")))
    unknown = [name for name in found.only if name not in FIGURES]
    if unknown or not all(word.isdigit() and 0 < int(word) <= 2000 for word in found.n.split(",")):
        parser.error(f"unknown figure {unknown[0]!r}" if unknown else "--n: numbers from 1 to 2000")
    found.counts = [int(word) for word in found.n.split(",")]
    return found


def run(found: argparse.Namespace, work: Path) -> int:
    mark = f"sb{secrets.token_hex(3)}"
    subjects, missing = everybody(work, mark, with_peers=not found.no_peers)
    plan = Plan(work, mark, subjects, found.counts, found.quick)
    facts = machine()
    figures: list[Figure] = []
    if not found.json:
        print("  ".join(f"{name} {value}" for name, value in facts.items()))
        print("\n".join(missing))
    for name in found.only:
        for figure in FIGURES[name](plan):
            figures.append(figure)
            if not found.json:
                print("\n".join(figure.lines()), end="\n\n", flush=True)
    if found.json:
        data = {"machine": facts, "missing": missing, "figures": [figure.as_dict() for figure in figures]}
        print(json.dumps(data, indent=1))
    return 0


def _interrupted(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


def main(argv: list[str]) -> int:
    found = options(argv)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, _interrupted)
    os.environ.pop("SB_HOME", None)
    procs.adopt_orphans()
    with tempfile.TemporaryDirectory(prefix="bench-", dir=found.folder) as folder:
        try:
            return run(found, Path(folder))
        finally:
            procs.end_everything()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
