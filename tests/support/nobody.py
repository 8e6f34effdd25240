"""A home of the user `nobody`, and sbctl run by him: what root may always do can't be refused to root."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from supervisor.base import where

from .home import Result, TemporaryHome
from .injecting import PidSpace, needs

# Without the launcher, which might want to set something up.
SBCTL = (sys.executable, "-I", "-S", where.MAIN)


class HomeOfNobody(TemporaryHome):
    """Its files are root's until `give`; its commands run as nobody, perhaps in a PID namespace."""

    space: PidSpace | None = None

    def give(self) -> None:
        user = pwd.getpwnam("nobody")
        for folder, names, files in os.walk(self.path):
            for name in (".", *names, *files):
                os.chown(os.path.join(folder, name), user.pw_uid, user.pw_gid, follow_symlinks=False)

    def words(self, command: Sequence[object]) -> list[str]:
        user = pwd.getpwnam("nobody")
        rights = ["--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--clear-groups"]
        # The interpreter may lie in root's own folder: he may read everything, and write nothing more for that.
        reads = ["--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"]
        words = ["setpriv", *rights, *reads, *map(str, command)]
        return words if self.space is None else self.space.words(words)

    def sbctl(self, *args: object, **how: Any) -> Result:
        return self.run(self.words([*SBCTL, *args]), **how)

    def environment(self, env: dict[str, str | None] | None = None) -> dict[str, str]:
        return super().environment({"HOME": "/", "XDG_STATE_HOME": str(self.path / "state"), **(env or {})})


@contextlib.contextmanager
def home_of_nobody() -> Iterator[HomeOfNobody]:
    """Not below pytest's folder, into which nobody but root can look."""
    needs("setpriv")
    folder = Path(tempfile.mkdtemp(prefix="sbctl-nobody-"))
    folder.chmod(0o755)
    home = HomeOfNobody(folder / "home")
    try:
        tried = subprocess.run(
            home.words([*SBCTL, "version"]), env=home.environment(), cwd="/", capture_output=True, check=False
        )
        if tried.returncode:
            pytest.skip(f"nobody may not read this program: {tried.stderr.decode(errors='replace').strip()[-300:]}")
        yield home
    finally:
        home.end()
        shutil.rmtree(folder, ignore_errors=True)
