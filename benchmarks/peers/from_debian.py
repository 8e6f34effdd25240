"""Peers of Debian: those that are installed, else from a folder of their own, so that no system is changed."""

from __future__ import annotations

import os
import shutil
import sysconfig
from pathlib import Path

from benchmarks.peers import cache

MOUNT = 'mount -t overlay overlay -o "lowerdir=$1/usr:/usr" /usr && shift && exec "$@"'


class Programs:
    """Of one package. `root` is where it was unpacked; None when it is installed."""

    def __init__(self, root: Path | None, version: str = "") -> None:
        self._root = root
        self.version = version

    def environment(self) -> dict[str, str]:
        env = dict(os.environ)
        if self._root is not None:
            libraries = self._root / "usr" / "lib" / str(sysconfig.get_config_var("MULTIARCH") or "")
            env["PATH"] = f"{self._root}/usr/bin:{env.get('PATH', '/usr/bin:/bin')}"
            env["LD_LIBRARY_PATH"] = str(libraries)
        return env

    def as_if_installed(self, argv: list[str]) -> list[str]:
        """For those that call each other by the path they have when installed: a /usr of their own (needs root)."""
        if self._root is None:
            return argv
        return ["unshare", "--mount", "sh", "-c", MOUNT, "sh", str(self._root), *argv]


def programs(package: str, program: str) -> Programs:
    if shutil.which(program):
        return Programs(None, _installed_version(package))
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise cache.Unavailable(f"{program} is not installed, and this is no Debian")
    place = cache.folder() / f"debian-{package}"
    if not cache.is_complete(place, package):
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        cache.run(["apt-get", "-qq", "download", *_with_dependencies(package)], cwd=place)
        for archive in sorted(place.glob("*.deb")):
            cache.run(["dpkg-deb", "--extract", str(archive), str(place / "root")])
        cache.set_complete(place, package)
    # s6_2.11.3.2-1_amd64.deb
    version = next((file.name.split("_")[1] for file in place.glob(f"{package}_*.deb")), "")
    return Programs(place / "root", version)


def _installed_version(package: str) -> str:
    try:
        return cache.run(["dpkg-query", "--show", "--showformat=${Version}", package])
    except cache.Unavailable:  # installed by other means
        return ""


def _with_dependencies(package: str) -> list[str]:
    """It, and what it needs that is not installed."""
    try:
        found = _would_download(package)
    except cache.Unavailable:
        if os.geteuid() != 0:
            raise
        cache.run(["apt-get", "-qq", "update"])
        found = _would_download(package)
    return found


def _would_download(package: str) -> list[str]:
    lines = cache.run(["apt-get", "-qq", "--print-uris", "--no-install-recommends", "install", package]).splitlines()
    # 'http://…/s6_2.11.3.2-1_amd64.deb' s6_2.11.3.2-1_amd64.deb 127264 MD5Sum:…
    return [line.split()[1].partition("_")[0] for line in lines if line.startswith("'")]
