"""All settings files of a home, read and judged in one pass. Changes nothing."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from supervisor.base.errors import BAD_SETTINGS, Problem
from supervisor.base.zones import LOCALTIME
from supervisor.model.home import Home
from supervisor.model.inputs import VARIABLE, look
from supervisor.settings.document import Document, parse, read_document
from supervisor.settings.explain import validate
from supervisor.settings.findings import Finding, has_errors, in_order
from supervisor.settings.manifest import Manifest
from supervisor.settings.permissions import Permissions, shown
from supervisor.settings.schedule_ids import id_problem
from supervisor.settings.scheduler_file import ScheduleFile, SchedulerFile
from supervisor.settings.schema import SbctlFile
from supervisor.settings.zone_names import machine_zone_problem

MANIFEST = "manifest.json"
ENDING = ".json"  # of files in etc/schedules.d

_UNREAD = {"sbctl.yml": "sbctl.yaml", "sbctl.json": "sbctl.yaml", "scheduler.yml": "scheduler.yaml"}


@dataclass
class Plugin:
    """A folder with a manifest that holds."""

    folder: str
    manifest: Manifest
    document: Document


@dataclass
class Override:
    """A file of one schedule. Where it can't be used `keys` says nothing, and there is an error in its findings."""

    document: Document
    keys: ScheduleFile


@dataclass
class Loaded:
    """What the files say. Where a file can't be used its defaults stand here, and an error in `findings`."""

    home: Home
    settings: SbctlFile = field(default_factory=SbctlFile)
    scheduler: SchedulerFile = field(default_factory=SchedulerFile)
    settings_document: Document = field(default_factory=lambda: Document("etc/sbctl.yaml", "yaml"))
    scheduler_document: Document = field(default_factory=lambda: Document("etc/scheduler.json"))
    plugins: dict[str, Plugin] = field(default_factory=dict)  # by id, in the order of names
    overrides: dict[str, Override] = field(default_factory=dict)  # by the id of the schedule, in the order of names
    left_out: dict[str, list[Finding]] = field(default_factory=dict)  # by folder: plugins with errors
    common: list[Finding] = field(default_factory=list)  # what concerns all
    inputs: list[list[Any]] = field(default_factory=list)
    sources: dict[str, bytes] = field(default_factory=dict)  # contents of all that was read, by path in the home
    instead: dict[str, bytes | None] = field(default_factory=dict)  # by path: what is read instead; None: nothing

    @property
    def findings(self) -> list[Finding]:
        """Everything, each once: errors, then warnings, by file and place."""
        found = set(self._of_all())
        found.update(finding for each in self.left_out.values() for finding in each)
        found.update(finding for plugin in self.plugins.values() for finding in plugin.document.findings)
        return in_order(found)

    def _of_all(self) -> list[Finding]:
        found = [*self.common, *self.settings_document.findings, *self.scheduler_document.findings]
        for override in self.overrides.values():
            found += override.document.findings
        return found

    def has_read(self, path: str) -> bool:
        return os.path.relpath(path, self.home.path) in self.sources

    @property
    def has_common_errors(self) -> bool:
        """An error that leaving out a plugin would not mend?"""
        return has_errors(self._of_all())


def load(home: Home, instead: dict[str, bytes | None] | None = None) -> Loaded:
    """`instead`: contents by path that are judged as if they were there; None: as if there were no such file."""
    require(home)
    loaded = Loaded(home, instead=instead or {})
    permissions = Permissions(home)
    _load_settings(loaded, permissions)
    _load_scheduler(loaded, permissions)
    _load_overrides(loaded, permissions)
    _load_plugins(loaded, permissions)
    return loaded


def require(home: Home) -> None:
    """A home that is mistyped must not come into being."""
    if not os.path.isdir(home.path):
        raise Problem(f"there is no folder {home.path}", remedy="make it, or name another home", code=BAD_SETTINGS)


def _exists(entry: list[Any]) -> bool:
    return bool(entry[1] != -1)


def _read(loaded: Loaded, path: str) -> Document:
    name = shown(path, loaded.home.path)
    wanted = loaded.instead.get(path)
    if wanted is None:
        document = read_document(path, name)
    else:
        document = Document(name, "json" if path.endswith(".json") else "yaml")
        document.raw = wanted
        parse(document, wanted)
    if document.raw is not None:
        loaded.sources[os.path.relpath(path, loaded.home.path)] = document.raw
    return document


def _watch(loaded: Loaded, path: str) -> bool:
    """Note how the file looks *before* it is read: a change in between then shows as a difference."""
    if path in loaded.instead:
        return loaded.instead[path] is not None
    entry = look(path)
    loaded.inputs.append(entry)
    return _exists(entry) or os.path.islink(path)


def _load_settings(loaded: Loaded, permissions: Permissions) -> None:
    path = loaded.home.settings_file
    exists = _watch(loaded, path)
    _watch(loaded, loaded.home.etc)
    loaded.common += permissions.findings(path)
    _warn_of_unread_names(loaded)
    if exists:
        loaded.settings_document = document = _read(loaded, path)
        if document.can_be_judged:
            loaded.settings = validate(SbctlFile, document) or loaded.settings
    if loaded.settings.timezone is None:  # the machine's: `start` must notice when that becomes another one
        loaded.inputs += [look(f"{VARIABLE}TZ"), look(LOCALTIME)]
        if (problem := machine_zone_problem()) and not has_errors(loaded.settings_document.findings):
            where = os.path.relpath(path, loaded.home.path)
            loaded.common.append(Finding(where, 0, 0, "timezone", *problem, level="warning"))


def _warn_of_unread_names(loaded: Loaded) -> None:
    for name, right in _UNREAD.items():
        if os.path.exists(os.path.join(loaded.home.etc, name)):
            remedy = f"rename it to etc/{right}"
            loaded.common.append(Finding(f"etc/{name}", 0, 0, "", "a file of this name is not read", remedy, "warning"))


def _load_scheduler(loaded: Loaded, permissions: Permissions) -> None:
    home = loaded.home
    paths = [os.path.join(home.etc, name) for name in ("scheduler.json", "scheduler.yaml")]
    found = [path for path in paths if _watch(loaded, path)]
    if not found:
        return
    document, *_ = [_read(loaded, path) for path in found]
    loaded.scheduler_document = document
    loaded.common += permissions.findings(found[0])
    if len(found) > 1:
        document.report((), "there are both scheduler.json and scheduler.yaml", "remove one of the two")
    if document.can_be_judged:
        loaded.scheduler = validate(SchedulerFile, document) or loaded.scheduler
        _check_restarts(loaded.scheduler, document)


def _check_restarts(scheduler: SchedulerFile, document: Document) -> None:
    for name, entry in scheduler.servers.items():
        words = {True: "always", False: "never"}
        if entry.restart and entry.restart_on_crash is not None and entry.restart != words[entry.restart_on_crash]:
            document.report(
                ("servers", name, "restartOnCrash"), "contradicts restart", "keep one of the two", at_key=True
            )


def _load_overrides(loaded: Loaded, permissions: Permissions) -> None:
    """The files of single schedules. Names that no command makes are said, not passed over."""
    folder = loaded.home.schedules
    exists = _watch(loaded, folder)
    made = {os.path.basename(path) for path in loaded.instead if os.path.dirname(path) == folder}
    if not exists and not made:
        return
    loaded.common += permissions.findings(folder)
    for name in sorted({*_names_in(loaded, folder), *made}):
        path = os.path.join(folder, name)
        if not name.endswith(ENDING):
            where = shown(path, loaded.home.path)
            remedy = f"rename it to ID{ENDING}, or move it away"
            loaded.common.append(Finding(where, 0, 0, "", "a file of this name is not read", remedy, "warning"))
        elif _watch(loaded, path):
            loaded.common += permissions.findings(path)
            _load_override(loaded, name.removesuffix(ENDING), path)


def _load_override(loaded: Loaded, schedule: str, path: str) -> None:
    document = _read(loaded, path)
    override = loaded.overrides[schedule] = Override(document, ScheduleFile())
    if problem := id_problem(schedule):
        document.report((), *problem)
    elif document.can_be_judged:
        override.keys = validate(ScheduleFile, document) or override.keys


def _names_in(loaded: Loaded, folder: str) -> list[str]:
    try:
        return [name for name in os.listdir(folder) if not name.startswith(".")]
    except FileNotFoundError:
        return []
    except OSError as error:
        message = f"can't be read: {error.strerror}"
        loaded.common.append(
            Finding(shown(folder, loaded.home.path), 0, 0, "", message, "make it a folder that you can read")
        )
        return []


def _load_plugins(loaded: Loaded, permissions: Permissions) -> None:
    plugins = loaded.home.plugins
    _watch(loaded, plugins)
    loaded.common += permissions.findings(plugins)
    try:
        names = sorted(name for name in os.listdir(plugins) if not name.startswith((".", "_")))
    except FileNotFoundError:
        return
    except OSError as error:
        message = f"can't be read: {error.strerror}"
        loaded.common.append(Finding("plugins", 0, 0, "", message, "make it a folder that you can read"))
        return
    documents = {}
    for name in names:
        path = os.path.join(plugins, name, MANIFEST)
        if _watch(loaded, path):
            documents[name] = _read(loaded, path)
            documents[name].findings += permissions.findings(path)
            _watch(loaded, os.path.join(plugins, name, ".venv", "bin"))
        elif os.path.isdir(os.path.join(plugins, name)):
            _warn_of_missing_manifest(loaded, name)
    _report_same_ids(documents)
    for name, document in documents.items():
        _load_plugin(loaded, name, document)


def _warn_of_missing_manifest(loaded: Loaded, name: str) -> None:
    message = f"there is no {MANIFEST} in this folder: it is not taken for a plugin"
    remedy = f"write one, or rename the folder to _{name}: such folders are left alone"
    loaded.common.append(Finding(os.path.join("plugins", name), 0, 0, "", message, remedy, "warning"))


def _load_plugin(loaded: Loaded, name: str, document: Document) -> None:
    folder = loaded.home.plugin(name)
    manifest = None
    if document.can_be_judged:
        manifest = validate(Manifest, document, {"folder": name})
    if manifest is None or has_errors(document.findings):
        loaded.left_out[name] = document.findings
    else:
        loaded.plugins[manifest.id] = Plugin(folder, manifest, document)


def _report_same_ids(documents: dict[str, Document]) -> None:
    """On systems that fold case, and for people, `Web` and `web` are one."""
    owners: dict[str, list[str]] = defaultdict(list)
    for name, document in documents.items():
        given = document.data.get("id") if isinstance(document.data, dict) else None
        if isinstance(given, str):
            owners[given.casefold()].append(name)
    for names in owners.values():
        for name in names if len(names) > 1 else []:
            others = ", ".join(documents[other].file for other in names if other != name)
            documents[name].report(("id",), f"the same id as in {others}", "give each plugin an id of its own")
