"""What can be asked of a run, by `make bench` and by `make bench-check`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from benchmarks.parts import ALIASES, FIGURES

COUNTS = "100,10,500"
QUICK_COUNTS = "100"
MOST = 2000


def parser(program: str, description: str) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog=program, description=description)
    made.add_argument("--only", metavar="NAMES", help=f"of {', '.join([*FIGURES, *ALIASES])}")
    made.add_argument("--n", metavar="COUNTS", help=f"children, the first for all figures ({COUNTS})")
    made.add_argument("--no-peers", action="store_true", help="ours and the limits only")
    made.add_argument("--folder", type=Path, help="where the homes and logs are made (a temporary folder)")
    return made


def settle(made: argparse.ArgumentParser, found: argparse.Namespace) -> argparse.Namespace:
    """`only` and `counts` as lists, or the program ends with what is wrong."""
    names = found.only.split(",") if found.only else list(FIGURES)
    found.parts = list(dict.fromkeys(ALIASES.get(name, name) for name in names))
    unknown = [name for name in found.parts if name not in FIGURES]
    if unknown:
        made.error(f"there is no figure {unknown[0]!r}; there are {', '.join([*FIGURES, *ALIASES])}")
    words = (found.n or (QUICK_COUNTS if found.quick else COUNTS)).split(",")
    if not all(word.isdigit() and 0 < int(word) <= MOST for word in words):
        made.error(f"--n: numbers from 1 to {MOST}, like 100,500")
    if found.folder and not (found.folder.is_dir() and os.access(found.folder, os.W_OK | os.X_OK)):
        made.error(f"--folder: {found.folder} is not a folder that can be written into; make it, or name another one")
    found.folder = found.folder and found.folder.resolve()  # it stands in files of peers that run elsewhere
    found.counts = [int(word) for word in words]
    found.is_whole = not (found.quick or found.n or found.no_peers)
    return found


def why_not_kept(found: argparse.Namespace, missing: list[str]) -> str:
    """Why this run does not become the kept results; empty when it does."""
    if found.write:
        return ""
    if found.no_write:
        return "--no-write"
    given = {"--quick": found.quick, "--no-peers": found.no_peers, "--n": found.n, "--folder": found.folder}
    less = [name for name, value in given.items() if value]
    if less:
        return f"with {', '.join(less)} it is not what is kept otherwise; --write keeps it nevertheless"
    return "not everybody could be had (see above); --write keeps it nevertheless" if missing else ""
