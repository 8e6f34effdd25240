"""What schedules run: the commands of plugins, and which of them a schedule has."""

from __future__ import annotations

import os
from typing import Any

from supervisor.model.schedule import DEFAULT_STEPS
from supervisor.settings import commands
from supervisor.settings.document import Document
from supervisor.settings.findings import shorten
from supervisor.settings.launches import command_path, plugin_launch, search_path, warn_of_launch
from supervisor.settings.load import Loaded, Plugin
from supervisor.settings.manifest import Commands
from supervisor.settings.schedule_ids import for_unknown
from supervisor.settings.schedule_keys import STEP
from supervisor.settings.servers import set_logs
from supervisor.settings.step_keys import StepKeys
from supervisor.settings.step_limits import check_limits, limits_of, set_account
from supervisor.settings.written_schedule import WrittenSchedule

KNOWN = tuple(Commands.model_fields)


def check_command_names(plugin: Plugin) -> None:
    """Any name will do, but for one that is nearly another that means something: it was meant, and would never run."""
    document = plugin.document
    for name in plugin.manifest.commands.model_extra or {}:
        path = ("commands", name)
        if meant := next((known for known in KNOWN if is_typo(name, known)), None):
            document.report(path, "not a known key", f"did you mean {meant}?", at_key=True)
        elif not STEP.fullmatch(name):
            letters = "use small letters, digits, - and _, a letter first, at most 32"
            document.report(path, "not a name for a command", letters, at_key=True)


def is_typo(name: str, known: str) -> bool:
    """One slip of the finger away? Another letter in a word of three is another word (get, set)."""
    word = name.casefold().replace("-", "").replace("_", "")
    if word == known:
        return name != known
    if abs(len(word) - len(known)) > 1 or not word.isalpha():
        return False
    longer, shorter = (word, known) if len(word) > len(known) else (known, word)
    if len(longer) > len(shorter):
        return len(known) > 3 and any(longer[:at] + longer[at + 1 :] == shorter for at in range(len(longer)))
    differing = [at for at in range(len(word)) if word[at] != known[at]]
    if len(differing) == 2:
        first, second = differing
        return second == first + 1 and word[first] == known[second] and word[second] == known[first]
    return len(differing) == 1 and len(known) > 3


def plugin_commands(loaded: Loaded) -> dict[str, dict[str, dict[str, Any]]]:
    """Of every plugin that can do more than serve, whether it has a schedule or not: it may be run by hand."""
    found = {}
    for name, plugin in sorted(loaded.plugins.items()):
        check_limits(plugin)
        if steps := plugin.manifest.commands.steps:
            found[name] = {step: _launch(loaded, name, plugin, step, command) for step, command in steps.items()}
    return found


def _launch(loaded: Loaded, name: str, plugin: Plugin, step: str, keys: StepKeys) -> dict[str, Any]:
    launch = plugin_launch(loaded.home, name, plugin, commands.server_words(keys.command))
    set_logs(launch, loaded.settings.logs)
    if step == next(iter(plugin.manifest.commands.steps)) and plugin.manifest.commands.server is None:
        warn_of_launch(plugin, launch, step)
    elif os.path.isdir(launch.cwd) and (problem := commands.find_problem(launch.argv, launch.cwd, search_path(launch))):
        plugin.document.report(command_path(plugin, step), *problem, level="warning")
    set_account(launch, loaded.home, name, plugin, step)
    launch.limits = limits_of(plugin, keys)
    return launch.as_dict()


def steps_of(loaded: Loaded, written: WrittenSchedule) -> list[str]:
    """Those that its plugin has; none, with a warning, and there is no such schedule."""
    plugin = loaded.plugins.get(written.plugin)
    if plugin is None:
        if written.plugin not in loaded.left_out:
            written.report_whole("there is no such plugin", for_unknown(written.plugin), level="warning")
        return []
    has = plugin.manifest.commands.steps
    wanted = written.keys.commands
    if wanted is None:
        found = [name for name in DEFAULT_STEPS if name in has]
        if not found:
            others = f': name others of it in "commands" ({shorten(", ".join(has))})' if has else ""
            written.report_whole(
                "this plugin has none of the commands get, process and push: no schedule",
                f"add one of them to plugins/{written.plugin}/manifest.json{others}",
                level="warning",
            )
        return found
    if twice := [name for place, name in enumerate(wanted) if name in wanted[:place]]:
        written.report(("commands",), f"{twice[0]} is in this list twice", "remove one of the two", at_key=True)
    return [name for name in wanted if name in has]


def warn_of_missing(loaded: Loaded, schedules: list[WrittenSchedule]) -> None:
    """Commands that are named and not there: of the plugins that share a task in one sentence."""
    missing: dict[tuple[str, tuple[str | int, ...], str], list[str]] = {}
    places: dict[tuple[str, tuple[str | int, ...], str], tuple[Document, int]] = {}
    for written in schedules:
        plugin = loaded.plugins.get(written.plugin)
        its = next((each for each in reversed(written.layers) if "commands" in each.values), None)
        if plugin is None or its is None:
            continue
        has = plugin.manifest.commands.steps
        for place, name in enumerate(its.values["commands"]):
            if name not in has:
                key = (its.document.file, its.path, name)
                missing.setdefault(key, []).append(written.plugin)
                places.setdefault(key, (its.document, place))
    for key, plugins in missing.items():
        (document, place), (_, path, name) = places[key], key
        names = sorted(set(plugins))
        remedy = f"add commands.{name} to plugins/{names[0]}/manifest.json, or leave it out here"
        steps = loaded.plugins[names[0]].manifest.commands.steps
        if meant := next((each for each in steps if is_typo(name, each)), ""):
            remedy = f"did you mean {meant}?"
        word = "cmd" if (*path, "cmd") in document.positions.values else "commands"
        document.report(
            document.positions.as_written((*path, word, place)),
            f"{shorten(', '.join(names))}: no command {name}",
            remedy,
            level="warning",
        )
