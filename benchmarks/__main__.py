"""python -m benchmarks [--only start,restart] [--quick] [--n 100,500] [--json] [--write | --no-write]"""

from __future__ import annotations

import argparse
import sys

from benchmarks import kept, options
from benchmarks.measuring import Run, Taken, prepared
from benchmarks.parts import FIGURES
from benchmarks.results import FILE, Results, Unreadable, merged, read


def wanted(argv: list[str]) -> argparse.Namespace:
    parser = options.parser("python -m benchmarks", "What sbctl costs, beside its peers.")
    parser.add_argument("--quick", action="store_true", help="fewer rounds; supervisord's stop of 100 is left out")
    parser.add_argument("--json", action="store_true", help="as one JSON object, like results.json")
    keep = parser.add_mutually_exclusive_group()
    keep.add_argument("--write", action="store_true", help="keep the results, even of a run that is not a whole one")
    keep.add_argument("--no-write", action="store_true", help="only print them")
    return options.settle(parser, parser.parse_args(argv))


def say_head(run: Run) -> None:
    print("  ".join(f"{name} {value}" for name, value in run.machine.items()))
    print("\n".join(run.missing), end="\n\n" if run.missing else "\n")


def say(taken: Taken) -> None:
    for figure in taken.figures:
        print("\n".join(figure.lines()), end="\n\n", flush=True)


def measure(found: argparse.Namespace, run: Run) -> int:
    """Kept part by part: whoever interrupts it loses one only."""
    why_not, failed = options.why_not_kept(found, run.missing), []
    total = Results([], {})
    if not found.json:
        say_head(run)
    for taken in run.take_all(found.parts):
        total = merged(total, taken.results(), order=FIGURES)
        if taken.failed:
            failed.append(taken.failed)
        elif not why_not:
            whole = [taken.part] if found.is_whole else []
            kept.write(merged(read(FILE), taken.results(), order=FIGURES, whole=whole))
        if not found.json:
            say(taken)
    if found.json:
        print(total.text(), end="")
    print("\n".join(failed), end="\n" if failed else "", file=sys.stderr)
    if why_not or len(failed) < len(found.parts):
        print(f"not kept: {why_not}" if why_not else f"kept in {FILE.parent}, {kept.CHARTS}", file=sys.stderr)
    return 1 if failed else 0


def main(argv: list[str]) -> int:
    found = wanted(argv)
    try:
        if not found.no_write:
            read(FILE)  # before an hour of measuring, not after it
        with prepared(found) as run:
            return measure(found, run)
    except Unreadable as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
