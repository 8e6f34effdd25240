"""All schedules of a home, wherever they are written: tasks, manifests, and files of single schedules."""

from __future__ import annotations

from supervisor.settings.document import Document
from supervisor.settings.findings import has_errors, shorten
from supervisor.settings.load import Loaded, Plugin
from supervisor.settings.manifest import ScheduleDefaults
from supervisor.settings.schedule_keys import INTERVALS, ScheduleKeys
from supervisor.settings.scheduler_file import Task
from supervisor.settings.written_schedule import Layer, WrittenSchedule, layer

# What a manifest's `mode` stands for, and the fields that agree with it.
MODES = {"interval": INTERVALS, "at": ("at",), "cron": ("cron",), "once": ("once",)}


def written_schedules(loaded: Loaded) -> dict[str, WrittenSchedule]:
    """By id. Of two with one id only the first is there; that is reported."""
    ground = _ground(loaded)
    found = _of_tasks(loaded, ground)
    _add_manifests(loaded, ground, found)
    _add_overrides(loaded, ground, found)
    return found


def _ground(loaded: Loaded) -> list[Layer]:
    """What is said of all schedules."""
    its, document = loaded.scheduler, loaded.scheduler_document
    common = {"safety": its.safety}
    if its.active_hours is not None:
        common["active_hours"] = its.active_hours  # type: ignore[assignment]
    return [
        Layer(document, (), common, is_own=False),
        layer(document, ("defaults",), its.defaults, is_own=False),
    ]


def schedule_id(plugin: str, name: str | None) -> str:
    return f"{plugin}.{name}" if name else plugin


def _of_tasks(loaded: Loaded, ground: list[Layer]) -> dict[str, WrittenSchedule]:
    """A schedule is `plugin`, or `plugin.name` in a task that has a name: each only once."""
    document = loaded.scheduler_document
    found: dict[str, WrittenSchedule] = {}
    owners: dict[str, int] = {}
    for number, task in enumerate(loaded.scheduler.tasks):
        layers = [*ground, layer(document, ("tasks", number), task)]
        for place, plugin in enumerate(task.plugins):
            schedule = schedule_id(plugin, task.name)
            path = ("tasks", number, "plugins", place)
            if schedule not in owners:
                owners[schedule] = number
                found[schedule] = WrittenSchedule(schedule, plugin, layers, path)
            elif owners[schedule] == number:
                document.report(path, f"{shorten(plugin)} is in this list twice", "remove one of the two")
            else:
                _report_twice(document, path, schedule, owners[schedule], task)
    return found


def _report_twice(document: Document, path: tuple[str | int, ...], schedule: str, first: int, task: Task) -> None:
    name = "another name" if task.name else "a name of its own"
    document.report(
        path, f"the schedule {shorten(schedule)} is also in tasks.{first}", f"give one of the two tasks {name}"
    )


def _add_manifests(loaded: Loaded, ground: list[Layer], found: dict[str, WrittenSchedule]) -> None:
    named = {schedule.plugin for schedule in found.values()}
    for name, plugin in loaded.plugins.items():
        keys = plugin.manifest.scheduler
        if keys is None:
            continue
        own = _manifest_layer(plugin, keys)
        if name not in named:
            found[name] = WrittenSchedule(name, name, [*ground, own], ("scheduler",))


def _manifest_layer(plugin: Plugin, keys: ScheduleDefaults) -> Layer:
    """With the manifest's own words taken for those that a task has."""
    document, own = plugin.document, layer(plugin.document, ("scheduler",), keys)
    for word, field, other in (
        ("defaultIntervalHours", "interval_hours", keys.default_interval_hours),
        ("cmd", "commands", keys.cmd),
    ):
        if other is None:
            continue
        both = [name for name in (INTERVALS if field in INTERVALS else (field,)) if name in own.values]
        if both:
            written = type(keys).model_fields[both[0]].alias
            document.report(("scheduler", word), f"there is also {written}", "keep one of the two", at_key=True)
        own.values[field] = other
    _check_mode(document, keys, own)
    return own


def _check_mode(document: Document, keys: ScheduleDefaults, own: Layer) -> None:
    if keys.mode is None:
        return
    wanted = MODES[keys.mode]
    fields = ScheduleKeys.model_fields
    others = [name for names in MODES.values() for name in names if name in own.values and name not in wanted]
    if others:
        written = fields[others[0]].alias
        document.report(
            ("scheduler", "mode"), f"is {keys.mode}, but there is {written}", "correct it, or remove one of the two"
        )
    elif not any(name in own.values for name in wanted):
        key = "defaultIntervalHours" if keys.mode == "interval" else keys.mode
        document.report(("scheduler", "mode"), f"is {keys.mode}, but there is no {key}", f"add {key}")


def _add_overrides(loaded: Loaded, ground: list[Layer], found: dict[str, WrittenSchedule]) -> None:
    for schedule, override in loaded.overrides.items():
        document = override.document
        if has_errors(document.findings):
            continue
        own = layer(document, (), override.keys)
        plugin = schedule.partition(".")[0]
        if override.keys.plugin not in (None, plugin):
            document.report(("plugin",), f"the name of the file says {plugin}", f'write "{plugin}", or leave it out')
        elif schedule in found:
            below = found[schedule]
            found[schedule] = WrittenSchedule(schedule, plugin, [*below.layers, own], ())
        else:
            found[schedule] = WrittenSchedule(schedule, plugin, [*ground, own], ())
