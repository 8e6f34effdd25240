"""`sbctl init DIR`."""

from __future__ import annotations

import os
import secrets
import shlex

import click

from supervisor.base.errors import NO_PERMISSION, USAGE, Problem
from supervisor.base.files import write_atomic
from supervisor.base.where import ROOT
from supervisor.cli.out import answer
from supervisor.model.home import Home

EXAMPLES = os.path.join(ROOT, "supervisor", "examples")
PARTS = ("etc", "plugins")


@click.command()
@click.argument("folder", metavar="DIR")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: home, made")
def command(folder: str, as_json: bool) -> int:
    """Make a home in DIR: commented settings, two example plugins, a dashboard key.

    What is there already is left as it is.
    """
    if not folder:
        raise Problem("DIR is empty", why="no folder has that name", remedy="sbctl init DIR", code=USAGE)
    home = Home(os.path.realpath(folder))
    try:
        made = _copy(home)
        made += _make_key(home)
    except OSError as error:
        raise Problem(
            f"can't make a home in {folder}",
            why=f"{error.filename or folder}: {error.strerror}",
            remedy="choose a folder that you can write to",
            code=NO_PERMISSION,
        ) from None
    lines = [f"made {path}" for path in made] or [f"{home} is a home already: nothing changed"]
    lines.append(f"next: sbctl --home {shlex.quote(str(home))} start")
    answer("\n".join(lines), {"home": home.path, "made": made}, as_json=as_json)
    return 0


def _copy(home: Home) -> list[str]:
    """Files one by one, each only where none is; returns what was made."""
    made: list[str] = []
    for part in PARTS:
        for folder, folders, files in os.walk(os.path.join(EXAMPLES, part)):
            folders[:] = [name for name in sorted(folders) if name != "__pycache__"]
            target = home.join(os.path.relpath(folder, EXAMPLES))
            os.makedirs(target, 0o755, exist_ok=True)
            made += [path for name in sorted(files) if (path := _copy_file(folder, target, name))]
    return made


def _copy_file(folder: str, target: str, name: str) -> str:
    path = os.path.join(target, name)
    with open(os.path.join(folder, name), "rb") as source:
        data = source.read()
    mode = os.stat(os.path.join(folder, name)).st_mode & 0o755
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    except FileExistsError:
        return ""
    with open(fd, "wb") as file:
        file.write(data)
    return path


def _make_key(home: Home) -> list[str]:
    """A key of its own for each home: there is no default that everybody knows."""
    os.makedirs(home.secrets, 0o700, exist_ok=True)
    os.chmod(home.secrets, 0o700)
    if os.path.lexists(home.key_file):
        return []
    write_atomic(home.key_file, secrets.token_urlsafe(32).encode() + b"\n", mode=0o600, durable=True)
    return [home.key_file]
