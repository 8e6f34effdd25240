"""Puts values that are kept in files into the environment, then becomes the service's own command.

`start` can't read what people name (`envFile`, `file:PATH`): a file on a hung disk would stop everything. So a
child of its own reads, before the change of user (so a file may be root's alone), and what it can't read is the
trouble of that one service. With --held nothing that was read takes effect before that change.

    --env-file PATH · --keep NAME … (beats the file) · --value NAME PATH … · --path-first FOLDER · --held
    -- COMMAND …
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # `signal` itself loads enum: a quarter of our time
import errno
import os

from supervisor.base.files import read_small, write_all
from supervisor.base.held_env import given_back, hold

MAX_FILE = 64 << 10
SETTINGS_ERROR = 78
NOT_EXECUTABLE = 126
NOT_FOUND = 127


class Trouble(Exception):
    """Said on stderr, as the service's last words; the exit code says that its settings are wrong."""


class Order:
    """The words of the command line, sorted."""

    def __init__(self, words: list[str]) -> None:
        self.env_file = ""
        self.keep: set[str] = set()
        self.values: list[tuple[str, str]] = []
        self.path_first = ""
        self.held = False
        rest = iter(words)
        for word in rest:
            if word == "--":
                break
            if word == "--env-file":
                self.env_file = next(rest)
            elif word == "--keep":
                self.keep.add(next(rest))
            elif word == "--value":
                self.values.append((next(rest), next(rest)))
            elif word == "--path-first":
                self.path_first = next(rest)
            elif word == "--held":
                self.held = True
        self.command = list(rest)


def main(words: list[str]) -> int:
    # What Python does with these would be passed on to the command.
    for number in (_signal.SIGINT, _signal.SIGPIPE, _signal.SIGXFSZ):
        _signal.signal(number, _signal.SIG_DFL)
    order = Order(words)
    try:
        given = given_environment()
        env = hold(filled(given_back(given), order)) if order.held else filled(given, order)
        os.execve(order.command[0], order.command, env)
    except Trouble as trouble:
        return _complain(str(trouble), SETTINGS_ERROR)
    except OSError as error:
        code = NOT_FOUND if error.errno == errno.ENOENT else NOT_EXECUTABLE
        return _complain(f"{order.command[0]}: {error.strerror}", code)


def given_environment() -> dict[str, str]:
    """As `start` gave it. Not os.environ: to that Python adds a locale of its own (LC_CTYPE) where there is none."""
    with open("/proc/self/environ", "rb") as file:
        pairs = (os.fsdecode(entry).partition("=") for entry in file.read().split(b"\0") if entry)
        return {name: value for name, _, value in pairs}


def filled(env: dict[str, str], order: Order) -> dict[str, str]:
    """Later beats earlier: what was given, the file, the manifest's values, the folder first on PATH."""
    if order.env_file:
        found = read_env_file(order.env_file)
        env.update((name, value) for name, value in found.items() if name not in order.keep)
    for name, path in order.values:
        env[name] = read_value(path)
    if order.path_first:
        env["PATH"] = f"{order.path_first}:{env.get('PATH', os.defpath)}"
    return env


def read_value(path: str) -> str:
    """The content of the file, without the line ends at its end."""
    return _text(path, f"can't read {path}").rstrip("\n")


def read_env_file(path: str) -> dict[str, str]:
    """NAME=VALUE lines; blank lines, # comments, `export ` and one pair of quotes are understood."""
    env: dict[str, str] = {}
    for number, raw in enumerate(_text(path, f"can't read the environment file {path}").splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.removeprefix("export ").partition("=")
        name, value = name.strip(), value.strip()
        if not equals or not name.isidentifier():
            raise Trouble(f"{path}:{number}: not a NAME=VALUE line")
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        env[name] = value
    return env


def _text(path: str, failure: str) -> str:
    try:
        text = os.fsdecode(read_small(path, MAX_FILE))
    except OSError as error:
        raise Trouble(f"{failure}: {error.strerror}") from None
    if "\0" in text:
        raise Trouble(f"{failure}: it holds a zero byte")
    return text


def _complain(text: str, code: int) -> int:
    try:
        write_all(2, os.fsencode(f"sbctl: {text}\n"))
    except OSError:
        return code  # nobody listens; the code says as much as it can
    return code
