"""What a schedule may be called: `plugin`, or `plugin.name`."""

from __future__ import annotations

from supervisor.settings.manifest import ID, RESERVED
from supervisor.settings.scheduler_file import NAME


def id_problem(schedule: str) -> tuple[str, str] | None:
    """What is wrong with an id and what to do about it; None: nothing is."""
    plugin, dot, name = schedule.partition(".")
    if not ID.fullmatch(plugin) or (dot and not NAME.fullmatch(name)):
        return "not the id of a schedule", "it is PLUGIN or PLUGIN.NAME: letters, digits, - and _"
    if plugin in RESERVED:
        return f"{plugin} is a word of sbctl itself", "take the id of a plugin"
    return None


def for_unknown(plugin: str) -> str:
    """The remedy where a plugin is named that is not there."""
    if not ID.fullmatch(plugin) or plugin in RESERVED:
        return "remove it here: no plugin can have this name"
    return f"make plugins/{plugin}/manifest.json, or remove it here"
