"""A Dockerfile carried out without docker, as far as this machine's own files can stand for the base image.

Each stage is an overlay on the machine's root, written to a folder of the test's; each line is run in it as docker
would run it, in a mount namespace of its own. What is checked is the file's own words, line by line.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

# $1 upper, $2 work, $3 where it is mounted, $4 "ro" or "", $5 "source=target ..." that stay writable, then the command.
MOUNT = """
set -e
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=/,upperdir=$1,workdir=$2" "$3"
mount -t proc proc "$3/proc"
mount --rbind /dev "$3/dev"
for pair in $5; do mount --bind "${pair%%=*}" "$3${pair#*=}"; done
if [ "$4" = ro ]; then mount -o remount,ro "$3"; mount -t tmpfs tmpfs "$3/tmp"; fi
root=$3
shift 5
exec chroot "$root" "$@"
"""
PASSED_ON = ("PIP_", "SSL_", "HTTP_", "HTTPS_", "NO_PROXY", "REQUESTS_", "http", "https", "no_proxy")


class Line(NamedTuple):
    """One instruction."""

    name: str
    rest: str

    @property
    def words(self) -> list[str]:
        """Of the form with brackets, or of plain words; options (`--from=`) are left out."""
        text = self.rest
        while text.startswith("--"):
            text = text.partition(" ")[2].lstrip()
        found: list[str] = json.loads(text) if text.startswith("[") else shlex.split(text)
        return found

    def option(self, name: str) -> str:
        return next((word.partition("=")[2] for word in self.rest.split() if word.startswith(f"--{name}=")), "")


def parse(text: str) -> list[Line]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    whole = "\n".join(lines).replace("\\\n", " ")
    return [Line(*line.strip().split(None, 1)) for line in whole.splitlines() if line.strip()]


class Stage:
    """An image on its way, and what was said about it."""

    def __init__(self, folder: Path) -> None:
        self.upper, self._work, self._merged = (folder / name for name in ("upper", "work", "merged"))
        for path in (self.upper, self._work, self._merged):
            path.mkdir(parents=True)
        base = os.path.dirname(os.path.realpath(getattr(sys, "_base_executable", sys.executable)))
        self.env = {"PATH": f"{base}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
        self.workdir = "/"
        self.user = "0:0"
        self.said: dict[str, Line] = {}
        # The base image's Python can be run by everybody; here it may lie in somebody's home.
        above = [str(path) for path in Path(base).parents]
        links = {"python": "python3"} if not os.path.exists(f"{base}/python") else {}
        for name, target in links.items():
            self.inside(["ln", "-sf", f"{base}/{target}", f"/usr/local/bin/{name}"])
        self.inside(["chmod", "o+rx", base, *above[:-1]])

    def words(
        self,
        command: Sequence[str],
        *,
        namespaces: Sequence[str] = (),
        through: Sequence[str] = (),
        writable: dict[str, Path] | None = None,
        read_only: bool = False,
    ) -> list[str]:
        """That command in it, as its user and in its folder. `through`: what stands in front of it."""
        uid, _, gid = self.user.partition(":")
        binds = " ".join(f"{path}={target}" for target, path in (writable or {}).items())
        how = [str(self.upper), str(self._work), str(self._merged), "ro" if read_only else "", binds]
        drop = ["setpriv", f"--reuid={uid}", f"--regid={gid or uid}", "--clear-groups", *through, "--"]
        enter = ["/bin/sh", "-c", 'cd "$0" && exec "$@"', self.workdir]
        return ["unshare", "--mount", *namespaces, "/bin/sh", "-c", MOUNT, "sh", *how, *drop, *enter, *command]

    def inside(self, command: Sequence[str], timeout: float = 240.0) -> str:
        env = {name: value for name, value in os.environ.items() if name.startswith(PASSED_ON)} | self.env
        done = subprocess.run(
            self.words(command), env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout,
            check=False,
        )  # fmt: skip
        if "from versions: none" in done.stderr:
            pytest.skip("no package index can be reached")
        if done.returncode and done.stderr.startswith(("mount:", "unshare:")):
            pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")
        assert done.returncode == 0, f"{command}: {done.stdout}\n{done.stderr}"
        return done.stdout

    def path(self, inner: str) -> Path:
        """A file of ours there, from outside."""
        return self.upper / os.path.join(self.workdir, inner).lstrip("/")


def build(text: str, context: Path, folder: Path) -> Stage:
    """Every line of it; the last stage."""
    stages: dict[str, Stage] = {}
    stage: Stage | None = None
    for line in parse(text):
        if line.name == "FROM":
            stage = Stage(folder / f"stage{len(stages)}")
            words = line.rest.split()
            stages[words[2] if len(words) > 2 else str(len(stages))] = stage
            continue
        assert stage is not None, line
        _apply(stage, line, context, stages)
    assert stage is not None
    return stage


def _apply(stage: Stage, line: Line, context: Path, stages: dict[str, Stage]) -> None:
    if line.name == "RUN":
        stage.inside(line.words if line.rest.startswith("[") else ["/bin/sh", "-c", line.rest])
    elif line.name == "COPY":
        source = stages[line.option("from")].upper if line.option("from") else context
        _copy(stage, line, source)
    elif line.name == "ENV":
        for word in line.words:
            name, _, value = word.partition("=")
            stage.env[name] = value.replace("$PATH", stage.env["PATH"])
    elif line.name == "WORKDIR":
        stage.inside(["mkdir", "-p", line.rest])
        stage.workdir = line.rest
    elif line.name == "USER":
        stage.user = line.rest
    else:
        assert line.name in ("VOLUME", "STOPSIGNAL", "HEALTHCHECK", "CMD"), f"{line.name} is not known here"
    stage.said[line.name] = line


def _copy(stage: Stage, line: Line, source: Path) -> None:
    """The contents of a folder, or files into one; they belong to root, or to whom `--chown` names."""
    *names, target = line.words
    inner = os.path.normpath(os.path.join(stage.workdir, target))
    place = stage.upper / inner.lstrip("/")
    for name in names:
        found = source / name.lstrip("/")
        if found.is_dir():
            shutil.copytree(found, place, symlinks=True, dirs_exist_ok=True)
        else:
            place.mkdir(parents=True, exist_ok=True)
            shutil.copy(found, place)
    stage.inside(["chown", "-R", line.option("chown") or "0:0", inner])


def healthcheck(stage: Stage) -> list[str]:
    options, _, command = stage.said["HEALTHCHECK"].rest.partition("CMD ")
    assert all(word.startswith("--") for word in options.split())
    found: list[str] = json.loads(command)
    return found


def as_seconds(text: Any) -> float:
    """`20s`, `1m30s`."""
    total, number = 0.0, ""
    for letter in str(text):
        if letter.isdigit() or letter == ".":
            number += letter
        else:
            total += float(number) * {"h": 3600, "m": 60, "s": 1}[letter]
            number = ""
    return total
