"""The work folders of runs that have ended are removed a little later, when nobody waits for anything.

To remove one takes as long as everything else that an end brings about, and many runs may end while others begin.
"""

from __future__ import annotations

from collections import deque

from supervisor.runs.result import remove_work_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.base.loop import Loop

LATER_S = 0.5
SLICE_S = 0.002  # at a time, so that the loop stays awake for others
AGAIN_S = 0.01


class Sweeping:
    """What a scheduler does not come to is left to the daily tidying."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._folders: deque[str] = deque()
        self._comes = False
        self.at_once = False  # nothing comes later any more

    def put(self, folder: str) -> None:
        self._folders.append(folder)
        if self.at_once:
            self.sweep_all()
        else:
            self._come(LATER_S)

    def _come(self, wait: float) -> None:
        if self._folders and not self._comes:
            self._comes = True
            self._loop.after(wait, self._sweep)

    def _sweep(self) -> None:
        self._comes = False
        until = self._loop.clock.now() + SLICE_S
        while self._folders:
            remove_work_folder(self._folders.popleft())
            if self._loop.clock.now() >= until:
                break
        self._come(AGAIN_S)

    def sweep_all(self) -> None:
        while self._folders:
            remove_work_folder(self._folders.popleft())
