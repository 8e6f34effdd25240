"""The work folders of runs that have ended are cleared away a little later, when nobody waits for anything.

To remove one takes as long as everything else that an end brings about, and many runs may end while others begin.
"""

from __future__ import annotations

from collections import deque

from supervisor.base.files import remove_quietly
from supervisor.runs.result import make_work_folder, remove_work_folder
from supervisor.runs.spare import SpareFolders

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.base.loop import Loop
    from supervisor.model.launch import User
    from supervisor.runs.run import Run

LATER_S = 0.5
SLICE_S = 0.002  # at a time, so that the loop stays awake for others
AGAIN_S = 0.01


class Sweeping:
    """What a scheduler does not come to is left to the daily tidying."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        # Results of its steps, and whether it may be another run's.
        self._folders: deque[tuple[str, list[str], bool]] = deque()
        self._spare = SpareFolders(loop, remove_work_folder)
        self._comes = False
        self.at_once = False  # nothing comes later any more

    def make(self, run: Run, user: User | None) -> None:
        """The folder for its present step, which goes into the one of the steps before it."""
        is_first = run.progress.number == 1 and run.progress.attempt <= 1
        if user is not None or not is_first or not self._spare.take(run.work):
            make_work_folder(run.work, user)

    def put(self, run: Run) -> None:
        """It has ended."""
        if not run.work:
            return
        self._folders.append((run.work, run.results, not run.has_strays))
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
            folder, is_alone = self._next()
            if not (is_alone and self._spare.keep(folder)):
                remove_work_folder(folder)
            if self._loop.clock.now() >= until:
                break
        self._come(AGAIN_S)

    def sweep_all(self) -> None:
        """Now, and for good."""
        while self._folders:
            remove_work_folder(self._next()[0])
        self._spare.remove_all()

    def _next(self) -> tuple[str, bool]:
        """Without what its steps have said."""
        folder, results, is_alone = self._folders.popleft()
        for result in results:
            remove_quietly(result)
        return folder, is_alone
