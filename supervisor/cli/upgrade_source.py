"""Where a new version comes from: a folder, a wheel, a sdist, or what pip finds. In the end each is a folder with the
package, a version, and a list of what it needs.
"""

from __future__ import annotations

import configparser
import email
import hashlib
import re
import subprocess
import tarfile
import zipfile
from pathlib import Path

from supervisor.base.errors import FAILED, USAGE, Problem

DISTRIBUTION = "sb-supervisor"
DOWNLOAD_S = 300.0


class Source:
    """One version, unpacked."""

    def __init__(self, package: Path, needs: list[str], origin: str, checkout: Path | None = None) -> None:
        self.package = package  # the folder `supervisor`
        self.needs = needs
        self.origin = origin  # as it was asked for
        self.checkout = checkout
        self.version = version_of(package)
        self.digest = digest_of(package)

    @property
    def constraints(self) -> Path | None:
        path = self.package.parent / "constraints.txt"
        return path if path.exists() else None


def find(word: str, python: str, scratch: Path) -> Source:
    """`word` is a path, or else a requirement for pip, or a version alone."""
    path = Path(word)
    if path.is_dir():
        return _of_folder(path.resolve(), word)
    if path.is_file():
        return _of_file(path, word, scratch)
    if "/" in word or word.endswith((".whl", ".tar.gz")):
        raise Problem(f"there is no {word}", remedy="sbctl upgrade --help says what a source can be", code=USAGE)
    return _of_file(_download(word, python, scratch), word, scratch)


def _of_folder(folder: Path, origin: str) -> Source:
    settings = folder / "setup.cfg"
    if not settings.exists() or not (folder / "supervisor" / "__init__.py").exists():
        raise Problem(
            f"{folder} has no sbctl in it",
            why="a folder with the project has setup.cfg and supervisor/",
            remedy="name a checkout, a wheel, a sdist or a version",
            code=USAGE,
        )
    config = configparser.ConfigParser(interpolation=None)
    config.read(settings, encoding="utf-8")
    needs = [line.strip() for line in config["options"]["install_requires"].splitlines() if line.strip()]
    has_launcher = (folder / "bin" / "sbctl").exists()
    return Source(folder / "supervisor", needs, origin, folder if has_launcher else None)


def _of_file(path: Path, origin: str, scratch: Path) -> Source:
    unpacked = scratch / "unpacked"
    try:
        if path.suffix == ".whl":
            with zipfile.ZipFile(path) as wheel:
                wheel.extractall(unpacked)
            return _of_wheel(unpacked, origin)
        with tarfile.open(path) as archive:
            archive.extractall(unpacked, filter="data")
    except (OSError, zipfile.BadZipFile, tarfile.TarError) as error:
        raise Problem(f"{origin} can't be unpacked", why=str(error), code=USAGE) from None
    folders = [each for each in unpacked.iterdir() if each.is_dir()]
    source = _of_folder(folders[0] if len(folders) == 1 else unpacked, origin)
    source.checkout = None  # it goes with the scratch folder
    return source


def _of_wheel(folder: Path, origin: str) -> Source:
    found = [*folder.glob("*.dist-info/METADATA")]
    if not found or not (folder / "supervisor" / "__init__.py").exists():
        raise Problem(f"{origin} has no sbctl in it", code=USAGE)
    lines = email.message_from_string(found[0].read_text(encoding="utf-8")).get_all("Requires-Dist") or []
    needs = [re.sub(r"[ ()]", "", line.partition(";")[0]) for line in lines if "extra ==" not in line]
    return Source(folder / "supervisor", needs, origin)


def _download(word: str, python: str, scratch: Path) -> Path:
    requirement = f"{DISTRIBUTION}=={word}" if word[:1].isdigit() else word
    folder = scratch / "downloaded"
    pip = [python, "-I", "-m", "pip", "--no-input", "--disable-pip-version-check"]
    command = [*pip, "download", "--quiet", "--no-deps", "--retries", "2", "--dest", str(folder), requirement]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DOWNLOAD_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Problem(f"{requirement} can't be fetched", why=str(error), code=FAILED) from None
    found = [*folder.glob("*")] if folder.exists() else []
    if done.returncode or not found:
        raise Problem(
            f"{requirement} can't be fetched",
            why=pip_said(done.stdout + done.stderr),
            remedy="name a folder, a wheel or a sdist instead: sbctl upgrade PATH",
            code=FAILED,
        )
    return found[0]


def pip_said(text: str) -> str:
    """Its last words that tell something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " / ".join([line for line in lines if line.startswith("ERROR:")][-2:] or lines[-2:]) or "pip said nothing"


def version_of(package: Path) -> str:
    try:
        text = (package / "__init__.py").read_text(encoding="utf-8")
    except OSError as error:
        raise Problem(f"{package} can't be read", why=str(error)) from None
    found = re.search(r'^__version__ = "([0-9A-Za-z.+_-]+)"$', text, re.MULTILINE)
    if found is None:
        raise Problem(f"{package} does not tell its version", why="there is no __version__ in its __init__.py")
    return found[1]


def files_of(package: Path) -> list[Path]:
    """What makes the package, in a fixed order; what Python has added is left out."""
    return sorted(path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def digest_of(package: Path) -> str:
    """The same for the same code, wherever it lies."""
    digest = hashlib.sha256()
    for path in files_of(package):
        data = path.read_bytes()
        digest.update(f"{path.relative_to(package)}\0{len(data)}\0".encode())
        digest.update(data)
    return digest.hexdigest()
