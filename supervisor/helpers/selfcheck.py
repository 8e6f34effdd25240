"""Would this version run here? Asked by `sbctl upgrade` of the new one, by its own interpreter, before anything is
handed over to it: all modules are loaded, and all that the running version has written is read. Nothing is changed.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import sqlite3
import sys
import traceback
from collections.abc import Callable
from typing import Any

import supervisor
from supervisor import __version__
from supervisor.base import proc
from supervisor.base.errors import FAILED, USAGE
from supervisor.base.files import read_small
from supervisor.daemons.common import COMPILED_FORMAT
from supervisor.engine.records import read_records
from supervisor.model.handed_on import READS
from supervisor.model.home import Home
from supervisor.model.identity import read_home_id
from supervisor.model.intent import Intent
from supervisor.model.service import Spec
from supervisor.store import schema

LEAST_PYTHON = (3, 11)
ROLES = ("start", "scheduler", "tunnel")
MAX_BYTES = 64 << 20
LEFT_OUT = ("supervisor.examples", "supervisor.__main__")  # no modules; the one that called us

Check = Callable[[Home], str]


class Failed(Exception):
    """What is wrong, for people."""


def main(argv: list[str]) -> int:
    """HOME [STATE-FORMAT]: one JSON object; 0 when everything is well."""
    if not 1 <= len(argv) <= 2 or not argv[-1]:
        sys.stderr.write("selfcheck HOME [STATE-FORMAT]\n")
        return USAGE
    checks: dict[str, Check] = {
        "python": _python,
        "code": _code,
        "settings": _settings,
        "records": _records,
        "state.json": _intents,
        "history.db": _history,
    }
    if len(argv) > 1:
        checks["state of start"] = lambda _home: _state(int(argv[1]))
    found = [_run(name, check, Home(argv[0])) for name, check in checks.items()]
    ok = all(each["ok"] for each in found)
    facts = {"ok": ok, "version": __version__, "settings_format": COMPILED_FORMAT, "checks": found}
    sys.stdout.write(json.dumps(facts) + "\n")
    return 0 if ok else FAILED


def _run(name: str, check: Check, home: Home) -> dict[str, Any]:
    try:
        return {"name": name, "ok": True, "text": check(home)}
    except Failed as error:
        return {"name": name, "ok": False, "text": str(error)}
    except Exception as error:
        return {"name": name, "ok": False, "text": f"{type(error).__name__}: {error}"}


def _python(_home: Home) -> str:
    if sys.version_info < LEAST_PYTHON:
        raise Failed(f"Python {sys.version.split()[0]} is too old, {'.'.join(map(str, LEAST_PYTHON))} is needed")
    return sys.version.split()[0]


def _code(_home: Home) -> str:
    """Every module there is: what is loaded later, when a server is sick or a disk is full, too."""
    names = [each.name for each in pkgutil.walk_packages(supervisor.__path__, "supervisor.", onerror=_pass)]
    names = [name for name in names if not name.startswith(LEFT_OUT)]
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            raise Failed(
                f"{name} can't be loaded: {type(error).__name__}: {error} ({where.filename}:{where.lineno})"
            ) from None
    return f"{len(names)} modules"


def _pass(_name: str) -> None:
    """It is loaded, and told, afterwards."""


def _settings(home: Home) -> str:
    """As they are in force; if this version has another format, as it would compile them."""
    read = []
    for role in ROLES:
        path = home.compiled_file(role)
        if not os.path.exists(path):
            continue
        with open(path, "rb") as file:
            data = json.loads(file.read(MAX_BYTES))
        if data.get("format") != COMPILED_FORMAT:
            return _compile(home)
        for each in data["services"]:
            Spec.from_dict(each)
        read.append(role)
    return ", ".join(read) or "not compiled yet"


def _compile(home: Home) -> str:
    from supervisor.settings import api

    seen = api.preview(home)
    errors = [str(finding.as_dict()) for finding in seen.findings if finding.is_error]
    if errors:
        raise Failed(f"this version can't compile them: {errors[0]}")
    return "of another format: they will be compiled anew"


def _records(home: Home) -> str:
    return f"{len(read_records(home.records_file, proc.boot_id(), read_home_id(home)))} processes"


def _intents(home: Home) -> str:
    try:
        Intent.from_bytes(read_small(home.intent_file, MAX_BYTES))
    except FileNotFoundError:
        return "not there yet"
    return "read"


def _history(home: Home) -> str:
    if not os.path.exists(home.history_file):
        return "not there yet"
    db = sqlite3.connect(f"file:{home.history_file}?mode=ro", uri=True, timeout=5)
    try:
        version = int(db.execute("PRAGMA user_version").fetchone()[0])
    finally:
        db.close()
    if version > schema.VERSION:
        raise Failed(f"its tables are of version {version}, this version of sbctl knows {schema.VERSION}")
    return f"tables of version {version}" + (f", to become {schema.VERSION}" if version < schema.VERSION else "")


def _state(written: int) -> str:
    if written not in READS:
        raise Failed(f"start hands on format {written}, this version understands {', '.join(map(str, READS))}")
    return f"format {written}"
