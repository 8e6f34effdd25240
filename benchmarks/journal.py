"""Waiting for events of our journal: asking a daemon instead would keep it from what it is measured at."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from benchmarks import procs

LOOK_S = 0.0005


class JournalEnd:
    """What is written to it from now on."""

    def __init__(self, folder: Path) -> None:
        self._fd = os.open(folder / "logs" / "scheduler.log", os.O_RDONLY | os.O_CLOEXEC)
        self._at = os.fstat(self._fd).st_size
        self._seen = b""

    def wait_for(self, kind: str, timeout: float) -> dict[str, Any]:
        """The first event of this kind."""
        mark = f'"kind":"{kind}"'.encode()
        procs.wait_for(f"the event {kind}", lambda: mark in self._more(), timeout, LOOK_S)
        lines = [line for line in self._seen.split(b"\n") if mark in line]
        found: dict[str, Any] = json.loads(lines[0])
        return found

    def _more(self) -> bytes:
        if os.fstat(self._fd).st_size > self._at:
            new = os.pread(self._fd, 1 << 20, self._at)
            whole = new[: new.rfind(b"\n") + 1]  # the last line may still be on its way
            self._at += len(whole)
            self._seen += whole
        return self._seen

    def close(self) -> None:
        os.close(self._fd)
