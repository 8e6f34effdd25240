"""A small disk for the logs of one service, which can be filled. Needs the right to mount."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

MIB = 8
FILLER = "filler"


class SmallDisk:
    """Mounted before the start; taken away at the end, whatever happened."""

    def __init__(self, folder: Path, service: str) -> None:
        self._folder = folder
        self.service = service
        self.is_there = False

    def mount(self) -> None:
        if os.geteuid() != 0:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        words = ["mount", "-t", "tmpfs", "-o", f"size={MIB}m", "sbctl-soak", str(self._folder)]
        self.is_there = subprocess.run(words, capture_output=True, check=False).returncode == 0

    def fill(self) -> None:
        with open(self._folder / FILLER, "wb", buffering=0) as file:
            block = b"\0" * 65536
            while block:
                try:
                    if file.write(block) < len(block):
                        block = block[: len(block) // 2]
                except OSError:
                    block = block[: len(block) // 2]

    def empty(self) -> None:
        (self._folder / FILLER).unlink(missing_ok=True)

    def unmount(self) -> None:
        if self.is_there:
            subprocess.run(["umount", "-l", str(self._folder)], capture_output=True, check=False)
            self.is_there = False
