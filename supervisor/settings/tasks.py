"""Schedules against the plugins that they name: what one file alone can't tell."""

from __future__ import annotations

from supervisor.settings.document import Document
from supervisor.settings.findings import shorten
from supervisor.settings.load import Loaded
from supervisor.settings.manifest import ID, RESERVED
from supervisor.settings.scheduler_file import Task


def check_tasks(loaded: Loaded) -> None:
    """Notes in the scheduler file's document. Errors first: about one place only the first word is kept."""
    tasks, document = loaded.scheduler.tasks, loaded.scheduler_document
    if not tasks:
        return
    _check_ids(tasks, document)
    for number, task in enumerate(tasks):
        _warn_of_plugins(loaded, number, task)
        _warn_of_commands(loaded, number, task)
    document.report(
        ("tasks",),
        "schedules are read but not run by this version",
        "run what is due by other means until then",
        level="warning",
        at_key=True,
    )


def _check_ids(tasks: list[Task], document: Document) -> None:
    """A schedule is `plugin`, or `plugin.name` in a task that has a name: each only once."""
    owners: dict[str, int] = {}
    for number, task in enumerate(tasks):
        for place, plugin in enumerate(task.plugins):
            schedule = f"{plugin}.{task.name}" if task.name else plugin
            first = owners.setdefault(schedule, number)
            path = ("tasks", number, "plugins", place)
            if first == number and plugin in task.plugins[:place]:
                document.report(path, f"{shorten(plugin)} is in this list twice", "remove one of the two")
            elif first != number:
                name = "another name" if task.name else "a name of its own"
                document.report(
                    path,
                    f"the schedule {shorten(schedule)} is also in tasks.{first}",
                    f"give one of the two tasks {name}",
                )


def _warn_of_plugins(loaded: Loaded, number: int, task: Task) -> None:
    for place, plugin in enumerate(task.plugins):
        if plugin not in loaded.plugins and plugin not in loaded.left_out:
            loaded.scheduler_document.report(
                ("tasks", number, "plugins", place),
                "there is no such plugin",
                for_unknown(plugin),
                level="warning",
            )


def for_unknown(plugin: str) -> str:
    """The remedy where a plugin is named that is not there."""
    if not ID.fullmatch(plugin) or plugin in RESERVED:
        return "remove it here: no plugin can have this name"
    return f"make plugins/{plugin}/manifest.json, or remove it here"


def _warn_of_commands(loaded: Loaded, number: int, task: Task) -> None:
    document = loaded.scheduler_document
    named = [(name, loaded.plugins[name].manifest.commands) for name in task.plugins if name in loaded.plugins]
    for place, verb in enumerate(task.commands or ()):
        without = sorted({name for name, commands in named if getattr(commands, verb) is None})
        if without:
            document.report(
                document.positions.known_part(("tasks", number, "commands", place)),
                f"{shorten(', '.join(without))}: no command {verb}",
                f"add commands.{verb} to plugins/{without[0]}/manifest.json, or leave it out here",
                level="warning",
            )
