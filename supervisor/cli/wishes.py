"""What people have wished of schedules, from logs/state.json, while no scheduler runs."""

from __future__ import annotations

import json

from supervisor.base.files import read_small
from supervisor.model.wishes import Wishes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.model.home import Home


def wishes_of(home: Home) -> Wishes:
    """None of them, where the file is not there or can't be read: the scheduler says so when it starts."""
    try:
        content = json.loads(read_small(home.intent_file))
    except (OSError, ValueError, RecursionError):
        return Wishes()
    return Wishes(content.get("schedules") if isinstance(content, dict) else None)
