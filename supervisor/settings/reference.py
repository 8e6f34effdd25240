"""Writes docs/settings.md from the schema: `python -m supervisor.settings.reference > docs/settings.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from supervisor.settings.api import json_schema
from supervisor.settings.schedule_keys import ScheduleKeys
from supervisor.settings.server_keys import ServerPolicy

INTRODUCTION = """\
# Settings

This page is generated from the schema (`python -m supervisor.settings.reference > docs/settings.md`); a test compares.

Four kinds of files, all optional but a plugin's manifest:

| file | holds |
|---|---|
| `etc/sbctl.yaml` | the config server, the tunnel, logs, and the numbers of supervision |
| `etc/scheduler.json` or `.yaml` (not both) | which servers start and how they are kept, and schedules |
| `etc/schedules.d/<id>.json` | one schedule each, or what differs of one; written by `sbctl schedule`, or by hand |
| `plugins/<id>/manifest.json` | what a plugin is and can do; folders whose names begin with `.` or `_` are left alone |

`sbctl config validate` names everything that is wrong in all of them at once, errors first, as
`file:line:column: error: path: message` with a remedy. A reload with an error anywhere changes nothing; a start with
one runs the settings of before and says so. At the very first start a plugin with errors is left out and the rest
runs. Warnings stop nothing.

- How to write schedules, with examples, is in [schedules.md](schedules.md).
- What has no effect or can't work together is said: a key that needs another one is a warning without it, a
  contradiction is an error.
- Unknown keys are errors. A key that begins with `x-` is a note and may hold anything.
- In a file whose `format` is higher than this version knows, unknown keys are warnings.
- A key without a value (YAML) or with `null` counts as not given. Values are never converted: `"5"` is no number.
- A key given twice is an error. Files are UTF-8, at most 1 MiB, at most 50 levels deep.
- For a server, the scheduler file beats the manifest and the manifest beats `supervision`, key by key, also within
  maps like `stop`, `limits` and `log`. A list is replaced as a whole. Where one of several keys is wanted (the kind of
  a check, `signal` or `signals`), the one in the scheduler file replaces the other.
- As root: files and folders that somebody else owns or can write are refused, and so is a start from such a home,
  whatever was compiled in it (exit code 4).

## Commands

A text is executed directly, without a shell, when it holds nothing but letters, digits, blanks, quotes and
`_ . / : = @ % + , -` and does not begin with an assignment or a word of the shell (`exec`, `cd`, `if`, ...). Any other
text is given to `/bin/sh -c`. A list of words is always executed directly. A name without a slash is looked up on PATH,
a path with one is taken from the working folder.

A command that is a step has limits, an account and groups of its own where it is a map:
`"get": {"command": "python3 get.py", "limits": {"nice": 10}, "user": "nobody"}`. `limits` of the plugin hold for all of
them, key by key where a command has none; the server has its own in `server`. The keys are those of `server.limits`,
`openFiles` to `cgroup`; what is watched there (`memoryMb`, `cpuPercent`, `maxAgeHours`) is for servers only. See
[limits.md](limits.md).

## Environment

A plugin gets the environment of `sbctl start` without sbctl's own secrets (`DASHBOARD_KEY`, `DISCORD_WEBHOOK`,
`GITHUB_TOKEN`; `passEnv` gives them), plus `SB_HOME`, `SB_PLUGIN`, `SB_LOG_DIR` and `PYTHONUNBUFFERED=1`, plus `env`.
In the values of `env`, `env:NAME` (a whole value), `file:PATH` (a whole value; relative to the plugin's folder) and
`${NAME}` are filled in when the plugin is started, and never written down. The folder `.venv/bin` of the plugin, if it
is there, comes first on PATH.

`SB_LOG_DIR` is the plugin's folder for files of its own: `logs/<id>`, beside its `server.log`. A plugin with a `user`
gets `logs/<id>/own`, which belongs to that user, and a command with another `user` than its plugin
`logs/<id>/own-<user>`; the folder around them stays with whoever runs sbctl.

## Servers

**Ready and alive.** A server with `ready` is up when its check succeeds; who requires it waits for that, and after
`startTimeoutSeconds` without it the start has failed. `alive` is asked while it is up. Of `http`, `tcp`, `exec`, `log`
and `notify` (the last two only for `ready`) exactly one is given. `localhost` is taken for 127.0.0.1: nothing waits
for a name server. An address that is not a literal loopback one, and `https://`, is asked by a process of its own, as
an `exec` check is; that costs more, so give it a longer interval, and everybody on the machine can read it in `ps`.
What follows a `?` is never part of a status or an event. `log` is a plain text, no pattern. Sockets (`unix:PATH`) are
relative to `cwd`.

**Order.** `requires` and `after` name plugins (with all their instances) or instances (`web:2`). A name that is not
there, and a circle, is an error. `"requires": ["db", {"name": "migrate", "condition": "finished"}]` waits for a
one-shot: that one needs `"restart": "never"` or `"on-failure"`. What waits costs no tries. All stop in reverse; the
scheduler has the time that the longest chain of them may take, and 2 s more.

**Instances.** `"instances": 3` makes the services `web:1`, `web:2` and `web:3`, each with `SB_INSTANCE` in its
environment and with log and pid file of its own (`server-1.log`, ...). A command that holds `$SB_INSTANCE` is run by
the shell, so that `serve --port 808$SB_INSTANCE` gives each its port. The address of a check is the same for all
instances; an `exec` check finds `SB_INSTANCE` in its environment too. With `"instances": 1`, or without it, the name
is `web`, and there is no `SB_INSTANCE`.

**Stopping.** `stop.command` first, then the signals in turn, then SIGKILL:
`"stop": {"signals": [{"signal": "INT", "seconds": 5}, {"signal": "TERM", "seconds": 10}]}`.

**Limits.** `limits` are set in front of the command (`openFiles` to `cgroup`: a change restarts the server) or watched
while it runs (`memoryMb`, `cpuPercent`, `maxAgeHours`: taken over live). A limit of the kernel that can't be set is
said, and the server then does not start, or with `"ifRefused": "start"` starts without it.

## History

Every revision keeps a copy of the files it was made of. `sbctl config history` shows the last 20 and
`sbctl config undo NUMBER` brings the files of one back: those that differ are written, and a settings file or manifest
that has come since is removed (its program and data stay). What was there before becomes a revision itself, so an undo
can be undone. Copies are as private as the compiled settings (0600 in a folder with 0700).
"""

FILES = {
    "sbctl.yaml": "`etc/sbctl.yaml`",
    "scheduler.json": "`etc/scheduler.json`",
    "schedule.json": "`etc/schedules.d/<id>.json`",
    "manifest.json": "`plugins/<id>/manifest.json`",
}


def page() -> str:
    return "\n".join([INTRODUCTION, *(_section(name, title) for name, title in FILES.items())])


def _section(name: str, title: str) -> str:
    schema = json_schema(name)
    rows = [
        f"| `{path}` | {kind} | {default} | {meaning} |"
        for path, kind, default, meaning in _rows(schema, schema, "")
        if not _is_told_elsewhere(name, path)
    ]
    return "\n".join(
        [
            f"## {title}",
            "",
            schema["description"],
            "",
            "| key | value | if not given | meaning |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _is_told_elsewhere(name: str, path: str) -> bool:
    """The keys of a server are explained once, with the manifest; those of a schedule with the tasks.

    Those of a command stand there once for all of them, and those of its limits with the server's.
    """
    if name == "scheduler.json":
        server, _, key = path.partition(".<id>.")
        return path.startswith(("defaults.", "safety.")) or (server == "servers" and _first(key) in _SERVER_KEYS)
    if name == "schedule.json":
        return _first(path) in _SCHEDULE_KEYS
    command, _, key = path.removeprefix("commands.").partition(".")
    if path.startswith("limits.") or (path.startswith("commands.") and key):
        return command != "<id>" or key.startswith("limits.")
    return path.startswith("scheduler.") and _first(path.removeprefix("scheduler.")) in _SCHEDULE_KEYS


def _first(path: str) -> str:
    return path.partition(".")[0].removesuffix("[]")


_SERVER_KEYS = frozenset(ServerPolicy.model_json_schema()["properties"])
_SCHEDULE_KEYS = frozenset(ScheduleKeys.model_json_schema()["properties"])

Row = tuple[str, str, str, str]


def _rows(root: dict[str, Any], schema: dict[str, Any], prefix: str) -> Iterator[Row]:
    required = schema.get("required", ())
    for name, value in schema["properties"].items():
        path = f"{prefix}{name}"
        inner = _resolved(root, value)
        meaning = value.get("description", "")
        default = "**must be given**" if name in required else _default(value)
        yield path, _kind(root, inner), default, meaning
        yield from _inner_rows(root, inner, path)


def _inner_rows(root: dict[str, Any], schema: dict[str, Any], path: str) -> Iterator[Row]:
    """What stands in a map, in a list of maps, or in a map by name; also where a short form would do."""
    choices = _choices(root, schema)
    listed = [each for choice in choices if "items" in choice for each in _choices(root, choice["items"])]
    for choice in choices:
        if "properties" in choice and choice not in listed:
            yield from _rows(root, choice, f"{path}.")
        for key, mark in (("items", "[]"), ("additionalProperties", ".<id>")):
            inner = choice.get(key)
            for each in _choices(root, inner) if isinstance(inner, dict) else ():
                if "properties" in each:
                    yield from _rows(root, each, f"{path}{mark}.")


def _choices(root: dict[str, Any], schema: dict[str, Any]) -> list[dict[str, Any]]:
    schema = _resolved(root, schema)
    return [_resolved(root, each) for each in schema["anyOf"]] if "anyOf" in schema else [schema]


def _resolved(root: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference, and take the null out of what may be left out."""
    choices = [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]
    if len(choices) == 1:
        return _resolved(root, choices[0])
    if "$ref" in schema:
        return _resolved(root, root["$defs"][schema["$ref"].rpartition("/")[2]])
    return schema


def _default(schema: dict[str, Any]) -> str:
    match schema.get("default"):
        case None | "" | [] | dict():  # a map's keys have lines of their own
            return ""
        case bool() as truth:
            return "true" if truth else "false"
        case list() as values:
            return "[" + ", ".join(f"{value:g}" for value in values) + "]"
        case float() as number:
            return f"{number:g}"
        case other:
            return f"`{other}`"


_WORDS = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}


def _kind(root: dict[str, Any], schema: dict[str, Any]) -> str:
    schema = _resolved(root, schema)
    if "const" in schema:
        return str(schema["const"]).lower()
    if "enum" in schema:
        return ", ".join(f"`{each}`" for each in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(_kind(root, each) for each in schema["anyOf"] if each.get("type") != "null")
    if schema.get("type") == "array":
        inner = _resolved(root, schema.get("items", {}))
        return "list of maps" if "properties" in inner else f"list of {_kind(root, inner)}"
    if schema.get("type") == "object":
        return "map" if "properties" in schema else "map by name"
    return _WORDS[schema["type"]] + _bounds(schema)


def _bounds(schema: dict[str, Any]) -> str:
    words = []
    if "exclusiveMinimum" in schema:
        words.append(f"above {schema['exclusiveMinimum']:g}")
    if "minimum" in schema:
        words.append(f"from {schema['minimum']:,}")
    if "maximum" in schema:
        words.append(f"up to {schema['maximum']:,.10g}")
    return f", {' '.join(words)}" if words else ""


if __name__ == "__main__":
    sys.stdout.write(page())
