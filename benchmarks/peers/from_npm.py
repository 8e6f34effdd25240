"""A peer of npm, where Node is there, in a folder of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmarks.peers import cache


def package(name: str, version: str) -> tuple[str, Path]:
    """Node, and the folder of that package."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise cache.Unavailable("no Node" if node is None else "no npm")
    prefix = cache.folder() / f"{name}-{version}"
    wanted = f"{name}@{version}\n"
    if not cache.is_complete(prefix, wanted):
        shutil.rmtree(prefix, ignore_errors=True)
        prefix.mkdir(parents=True)
        options = ["--no-audit", "--no-fund", "--ignore-scripts", "--omit=dev", "--loglevel=error"]
        cache.run([npm, "install", "--prefix", str(prefix), *options, wanted.strip()], cwd=prefix)
        cache.set_complete(prefix, wanted)
    return node, prefix / "node_modules" / name
