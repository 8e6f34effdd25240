"""Who else could change what a file or folder says? Asked by root, who must run nobody's words but root's."""

from __future__ import annotations

import os
import stat

# Whoever follows a link to a device and mends that as told has broken it for the whole machine.
_INSTEAD = "put a regular file there, which belongs to root"


def danger(path: str, *, above: bool = False) -> tuple[str, str] | None:
    """What lets somebody but root change `path`, and what mends that; None: nothing, or it is not there.

    `above`: a folder on the way to what is ours. Its owner does not matter, for what he puts in our place is his and
    refused as such; and others may write where it is sticky, as /tmp is.
    """
    try:
        seen = os.stat(path)
    except OSError:
        return None  # whoever reads it says so
    ordinary = stat.S_ISREG(seen.st_mode) or stat.S_ISDIR(seen.st_mode)
    if seen.st_uid != 0 and not above:
        remedy = f"chown root {path}" if ordinary else _INSTEAD
        return f"belongs to user {seen.st_uid}, who could change what root runs", remedy
    if above and seen.st_mode & stat.S_ISVTX:
        return None
    if seen.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        who = "everybody" if seen.st_mode & stat.S_IWOTH else "its group"
        remedy = f"chmod go-w {path}" if ordinary else _INSTEAD
        return f"can be written by {who}, who could change what root runs", remedy
    return None
