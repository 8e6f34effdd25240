"""Starting at boot by cron: one @reboot line for each home. Every other line of the crontab stays as it is."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess

from supervisor.base.errors import FAILED, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from supervisor.model.home import Home

ASK_S = 30.0
MARK = " # sbctl boot "


def is_there() -> bool:
    return shutil.which("crontab") is not None


class Cron:
    """The line of one home in this user's crontab."""

    method = "cron"
    place = "crontab -l"
    name = "@reboot"

    def __init__(self, home: Home, command: Sequence[str]) -> None:
        if "\n" in home.path:
            raise Problem(f"{home.path!r} can't stand in a crontab", why="its name has a line end", code=FAILED)
        self._mark = (MARK + _in_crontab(home.path)).encode("utf-8", "surrogateescape")
        # What it prints cron would mail at each boot; what goes wrong it should.
        line = f"@reboot {_in_crontab(shlex.join(command))} >/dev/null"
        self._line = line.encode("utf-8", "surrogateescape") + self._mark
        self.text = self._line.decode("utf-8", "replace") + "\n"

    def enable(self) -> bool:
        """Whether anything had to be changed."""
        before = _read()
        lines = before.splitlines(keepends=True)
        ours = [line for line in lines if self._is_ours(line)]
        if [line.rstrip(b"\r\n") for line in ours] == [self._line]:
            return False
        kept = b"".join(line for line in lines if not self._is_ours(line))
        if kept and not kept.endswith(b"\n"):
            kept += b"\n"
        _write(kept + self._line + b"\n")
        return True

    def disable(self) -> bool:
        lines = _read().splitlines(keepends=True)
        kept = [line for line in lines if not self._is_ours(line)]
        if len(kept) == len(lines):
            return False
        _write(b"".join(kept))
        return True

    def is_enabled(self) -> bool:
        return any(self._is_ours(line) for line in _read().splitlines())

    def remarks(self) -> list[str]:
        lines = [line.rstrip(b"\r\n") for line in _read().splitlines() if self._is_ours(line)]
        if lines and lines != [self._line]:
            return ["the line is not what this version would write: sbctl boot enable renews it"]
        return []

    def _is_ours(self, line: bytes) -> bool:
        return line.startswith(b"@reboot ") and line.rstrip(b"\r\n").endswith(self._mark)


def _in_crontab(text: str) -> str:
    """A % would be a line end there."""
    return text.replace("%", "\\%")


def _read() -> bytes:
    """This user's crontab; one that can't be read must not be taken for an empty one, and be overwritten."""
    done = _run(["crontab", "-l"])
    if done.returncode == 0:
        return done.stdout
    said = done.stderr.decode("utf-8", "replace").strip()
    if "no crontab" in said.lower():
        return b""
    raise Problem("the crontab can't be read", why=said or f"exit code {done.returncode}", code=FAILED)


def _write(data: bytes) -> None:
    done = _run(["crontab", "-"], data)
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise Problem("the crontab can't be written", why=said or f"exit code {done.returncode}", code=FAILED)


def _run(command: list[str], data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    env = {**os.environ, "LC_ALL": "C"}  # its words are compared
    try:
        return subprocess.run(command, input=data, capture_output=True, check=False, timeout=ASK_S, cwd="/", env=env)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Problem(f"can't run {' '.join(command)}", why=str(error), code=FAILED) from None
