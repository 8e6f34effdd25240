"""Are the compiled settings still those of the files? Answered by stat alone, at every start.

Contents are not read: 500 manifests cost a millisecond or two here. A file that was rewritten within one tick of the
kernel's clock, to the same size, in place, after it was read would be missed; `reload` always reads.
"""

from __future__ import annotations

import binascii
import os

from supervisor import __version__
from supervisor.base.files import read_small
from supervisor.model.identity import read_home_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.model.home import Home

FORMAT = 1  # of the compiled files

VARIABLE = "env:"  # before the name of a variable of the environment, which settings may take values from

MAX_COMPILED = 64 << 20
_MISSING = (-1, -1, -1, -1)


def look(path: str) -> list[Any]:
    """One entry of the list `inputs`: [path, mtime_ns, ctime_ns, size, inode], -1s for what is not there.

    Of a variable (`env:NAME`) it is a checksum: its value may be none of this file's business.
    """
    if path.startswith(VARIABLE):
        value = os.environ.get(path.removeprefix(VARIABLE))
        return [path, -1 if value is None else binascii.crc32(value.encode("utf-8", "surrogateescape")), 0, 0, 0]
    try:
        seen = os.stat(path)
    except (OSError, ValueError):
        return [path, *_MISSING]
    return [path, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_size, seen.st_ino]


def made_for(compiled: dict[str, Any], home: Home) -> bool:
    """Is this (the content of start.json) of this home as it lies now, not of one it was copied or moved from?"""
    inputs, own = compiled.get("inputs"), read_home_id(home)
    return bool(inputs and own and inputs[0][0] == home.settings_file and compiled.get("home_id") == own)


def stale(compiled: dict[str, Any], home: Home) -> bool:
    """Must the settings be compiled again before these (the content of start.json) are used?"""
    try:
        return _is_stale(compiled, home)
    except (TypeError, LookupError, AttributeError, ValueError):
        return True  # it was spoilt: it does not even look like what we write


def intact(compiled: dict[str, Any], home: Home) -> bool:
    """Are the other compiled files those that were written with this one (start.json)? No daemon begins with others."""
    sums = compiled.get("sums")
    for role, written in sums.items() if isinstance(sums, dict) else ():
        try:
            data = read_small(home.compiled_file(role), MAX_COMPILED)
        except OSError:
            return False
        if binascii.crc32(data) != written:
            return False
    return True


def _is_stale(compiled: dict[str, Any], home: Home) -> bool:
    if not made_for(compiled, home):
        return True
    if compiled.get("format") != FORMAT or compiled.get("version") != __version__:
        return True
    return any(look(entry[0]) != entry for entry in compiled["inputs"])
