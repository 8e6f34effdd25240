"""The file of a schedule that can't be read: what is wrong with it, and what it was, before it goes."""

from __future__ import annotations

import os

from supervisor.base.errors import BAD_SETTINGS, Problem
from supervisor.base.files import read_small
from supervisor.cli.out import note
from supervisor.cli.secrets import mask_of
from supervisor.model.rows import clean
from supervisor.settings import api
from supervisor.settings.schedule_files import schedule_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.model.home import Home

SHOWN = 30  # lines


def has_file(home: Home, schedule: str) -> bool:
    return os.path.lexists(schedule_file(home, schedule))


def what_is_wrong(home: Home, schedule: str) -> Problem | None:
    """None: it can be read, or there is none."""
    try:
        api.read_schedule_file(home, schedule)
    except Problem as problem:
        if problem.code != BAD_SETTINGS:
            raise
        return problem
    return None


def keys_of_file(home: Home, schedule: str, unset: tuple[str, ...]) -> dict[str, Any]:
    """What is to be changed in it; of one that can't be read nothing is left but what is new."""
    wrong = what_is_wrong(home, schedule)
    if wrong is None:
        return api.read_schedule_file(home, schedule) or {}
    if unset:
        remedy = f"sbctl schedule edit {schedule} --editor, or sbctl schedule rm {schedule}"
        raise Problem(wrong.what, why="no key can be taken out of that", remedy=remedy, code=BAD_SETTINGS)
    return {}


def text_of_file(home: Home, schedule: str) -> str:
    """As it is; what is no text in it is shown as such."""
    try:
        return read_small(schedule_file(home, schedule)).decode("utf-8", "backslashreplace")
    except OSError as error:
        return f"({error.strerror or error})"


def tell(home: Home, schedule: str, *, removed: bool, dry_run: bool) -> None:
    """On stderr, so that nothing is lost that somebody has typed."""
    wrong = what_is_wrong(home, schedule)
    if wrong is None:
        return
    note(wrong.what)
    would = "would be" if dry_run else "is"
    note(f"  it {would} {'removed' if removed else 'replaced as a whole'}; it was:")
    lines = mask_of(home).hide_text(text_of_file(home, schedule)).splitlines()
    for line in lines[:SHOWN]:
        note(f"  | {clean(line)}")
    if len(lines) > SHOWN:
        note(f"  | ... and {len(lines) - SHOWN} lines more")
