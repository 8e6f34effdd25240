"""What tests of the command line share: calling it in this process, daemons of make-believe, rows in a real history."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from supervisor.cli.main import main
from supervisor.model.home import Home
from supervisor.settings.api import compile_home, preview
from supervisor.settings.findings import Finding, has_errors
from supervisor.store.database import open_writer
from support.fake_daemon import FakeDaemon, row
from support.fake_schedules import NOW, FakeSchedules

Sbctl = Callable[..., tuple[int, str, str]]  # exit code, stdout, stderr
LAUNCH = {"env": {}, "cwd": "/"}


def caller(home: Home, capfd: pytest.CaptureFixture[str]) -> Sbctl:
    def run(*args: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = main(["--home", home.path, *args])
        out, err = capfd.readouterr()
        return code, out, err

    return run


@contextmanager
def running(home: Home, services: list[str], *schedules: dict[str, Any]) -> Iterator[FakeSchedules]:
    """A home with a make-believe scheduler that has these."""
    with ExitStack() as stack:
        stack.enter_context(FakeDaemon(home, "start", [row("scheduler")]))
        found = stack.enter_context(FakeDaemon(home, "scheduler", [row(name) for name in services])).fake.schedules
        found.add(*schedules)
        yield found


def make_plugins(home: Home, *names: str) -> None:
    for name in names:
        folder = Path(home.plugins, name)
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text(json.dumps({"id": name, "name": name, "commands": {"get": "true"}}))


def plain_home(folder: Path) -> Home:
    """With settings that say nothing."""
    (folder / "etc").mkdir()
    (folder / "etc" / "sbctl.yaml").write_text("format: 1\n")
    return Home(str(folder))


def utc_home(folder: Path, *plugins: str) -> Home:
    """Whose zone is not that of this machine; nothing is compiled yet."""
    (folder / "etc").mkdir()
    (folder / "etc" / "sbctl.yaml").write_text("format: 1\ntimezone: UTC\n")
    (folder / "plugins").mkdir()
    home = Home(str(folder))
    make_plugins(home, *plugins)
    return home


def compiled(home: Home, tasks: list[dict[str, Any]]) -> Home:
    """As after a first start."""
    Path(home.etc, "scheduler.json").write_text(json.dumps({"tasks": tasks}))
    assert compile_home(home).ok
    return home


def compile_here(home: Home, *options: str) -> dict[str, Any]:
    """What the compiler answers, without its process: a unit test has no time for one."""
    findings: list[Finding]
    if "--preview" in options:
        seen = preview(home)
        answer, findings = {"documents": json.loads(json.dumps(seen.documents)), "revision": ""}, seen.findings
    else:
        result = compile_home(home)
        answer, findings = {"revision": result.revision}, result.findings
    told = [finding.as_dict() for finding in findings]
    return {**answer, "ok": not has_errors(findings), "findings": told}


def knows(home: Home, *ids: str, services: list[str] | None = None, zone: str = "UTC") -> None:
    """The compiled settings have these schedules, whatever the files say."""
    common = {"steps": ["get"], "triggers": [], "policy": 0, "zone": zone}
    schedules = [{"id": id, "plugin": id.partition(".")[0], **common} for id in ids]
    section = {"zone": zone, "policies": [{}], "commands": {}, "schedules": schedules}
    rows = [{"name": name, "launch": LAUNCH} for name in services or ()]
    path = Path(home.compiled_file("scheduler"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"services": rows, "schedules": section}))


def remember(home: Home, table: str, **values: object) -> None:
    """One row in its history."""
    db = open_writer(home.history_file, NOW)
    names, marks = ", ".join(values), ", ".join("?" * len(values))
    db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values()))
    db.close()
