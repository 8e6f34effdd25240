"""The environment of the peers that PyPI has. Not ours: the import names clash."""

from __future__ import annotations

import sys
import venv
from pathlib import Path

from benchmarks.peers import cache
from benchmarks.subject import Subject

WANTED = ("supervisor==4.3.0", "circus==0.19.0", "honcho==2.0.0", "apscheduler==3.11.3", "sqlalchemy==2.1.9")


def version_of(package: str) -> str:
    return next(pin.partition("==")[2] for pin in WANTED if pin.startswith(f"{package}=="))


class Peer(Subject):
    """A program of that environment."""

    def __init__(self, work: Path, mark: str, programs: Path) -> None:
        super().__init__(work, mark)
        self.programs = programs


def environment() -> Path:
    """The folder of its programs."""
    folder = cache.folder() / f"peers-py{sys.version_info.major}.{sys.version_info.minor}"
    wanted = "\n".join(WANTED) + "\n"
    if not cache.is_complete(folder, wanted):
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            venv.create(folder, clear=True, with_pip=True)
        except OSError as error:
            raise cache.Unavailable(str(error)) from error
        except Exception as error:  # ensurepip's, where Debian has none
            raise cache.Unavailable(f"no environment can be made: {error}") from error
        cache.run([str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", *WANTED])
        cache.set_complete(folder, wanted)
    return folder / "bin"
