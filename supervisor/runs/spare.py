"""The work folder of a run that has ended becomes that of the next run of its plugin, if it is as it was made.

Some file systems pay for each folder that is removed: ext4 without a journal gives the inodes of the last five minutes
to nobody, and looks at each of them whenever a file or folder is made. With a hundred runs a second those looks took
more and more, up to a third of all that the scheduler did.

No run may meet what another has left. So only a folder is kept that lies empty, is still ours and nobody else's, and
whose processes are all gone; by its name it can't be found from the moment on at which its run's folder goes.
"""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.base.loop import Loop

NAMES = ("spare-0", "spare-1", "spare-2", "spare-3")  # beside the folders of its plugin's runs
KEPT_S = 30.0
AS_MADE = stat.S_IFDIR | 0o700


class SpareFolders:
    """Of all plugins. What a killed scheduler leaves, its successor writes over or the daily tidying removes."""

    def __init__(self, loop: Loop, remove: Callable[[str], None]) -> None:
        self._loop = loop
        self._remove = remove
        self._of: dict[str, dict[str, float]] = {}  # by where they lie: names, and until when they are kept
        self._is_watched = False

    def keep(self, folder: str) -> bool:
        """False: it is still there, and somebody has to remove it."""
        place = os.path.dirname(folder)
        kept = self._of.setdefault(place, {})
        name = next((name for name in NAMES if name not in kept), "")
        spare = os.path.join(place, name)
        try:
            if not name:
                return False
            os.rename(folder, spare)  # before the look: by the name that its run knew nobody can come any more
            if not _is_as_made(spare):
                os.rename(spare, folder)
                return False
        except OSError:
            return False
        kept[name] = self._loop.clock.now() + KEPT_S
        self._watch()
        return True

    def take(self, folder: str) -> bool:
        """It is there now; False: one has to be made."""
        place = os.path.dirname(folder)
        kept = self._of.get(place)
        if not kept:
            return False
        name, _ = kept.popitem()  # the newest: those that are not needed grow old
        try:
            os.rename(os.path.join(place, name), folder)
        except OSError:  # somebody has removed it meanwhile
            return False
        return True

    def remove_all(self) -> None:
        self._remove_until(None)

    def _watch(self) -> None:
        if not self._is_watched and any(self._of.values()):
            self._is_watched = True
            self._loop.after(KEPT_S, self._look)

    def _look(self) -> None:
        self._is_watched = False
        self._remove_until(self._loop.clock.now())
        self._watch()

    def _remove_until(self, now: float | None) -> None:
        for place, kept in list(self._of.items()):
            for name in [name for name, until in kept.items() if now is None or until <= now]:
                del kept[name]
                self._remove(os.path.join(place, name))
            if not kept:
                del self._of[place]


def _is_as_made(folder: str) -> bool:
    try:
        found = os.lstat(folder)
        if found.st_mode != AS_MADE or found.st_uid != os.geteuid() or os.listdir(folder) or _is_marked(folder):
            return False
        os.utime(folder)  # else the tidying would take it for one that somebody left long ago
    except OSError:
        return False
    return True


def _is_marked(folder: str) -> bool:
    """By attributes: a default ACL, say, which would reach the files of the next run."""
    try:
        return any(not name.startswith("security.") for name in os.listxattr(folder, follow_symlinks=False))
    except OSError:  # this file system knows none
        return False
