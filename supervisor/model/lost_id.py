"""The id of a home whose `logs/run/home_id` was removed or spoilt, as its compiled settings still name it.

With a new one nobody would find the processes that carry the old one, and all would be started a second time. A copy
of a home brings the settings of the original along, so they count only if they were made of files of this very folder.
"""

from __future__ import annotations

import os

from supervisor.base import jsons
from supervisor.base.files import read_small
from supervisor.model.identity import is_id, is_of_another, read_home_id
from supervisor.model.inputs import MAX_COMPILED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.model.home import Home


def known_id(home: Home) -> str:
    """The id of this home by whatever tells it; "" of one that has none yet."""
    return read_home_id(home) or lost_id(home)


def lost_id(home: Home) -> str:
    """What the compiled settings say, where the file of the id says nothing; "" if they were made elsewhere."""
    if is_of_another(home):
        return ""
    try:
        compiled = jsons.loads(read_small(home.compiled_file("start"), MAX_COMPILED))
        made, inputs = compiled["home_id"], compiled["inputs"]
        is_here = inputs[0][0] == home.settings_file and any(_is_there(entry, home) for entry in inputs)
    except (OSError, ValueError, TypeError, LookupError, RecursionError):
        return ""
    return made if is_here and is_id(made) else ""


def _is_there(entry: list[object], home: Home) -> bool:
    """Is this file or folder of the home still the one that was read? Of a copy each is another one."""
    path, inode = str(entry[0]), entry[4]
    try:
        return path.startswith(home.join("")) and os.stat(path).st_ino == inode
    except OSError:
        return False
