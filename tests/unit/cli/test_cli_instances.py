"""A plugin with several instances: its name is a name, too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.cli import Sbctl, knows
from support.fake_daemon import FakeDaemon, row

from supervisor.base.clock import iso
from supervisor.model.home import Home

NAMES = ("mail", "web:1", "web:2", "web:10")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "sbctl.yaml").write_text("format: 1\n")
    home = Home(str(tmp_path))
    knows(home, services=list(NAMES))
    return home


@pytest.fixture
def scheduler(home: Home) -> Iterator[FakeDaemon]:
    with ExitStack() as stack:
        stack.enter_context(FakeDaemon(home, "start", [row("scheduler"), row("config")]))
        yield stack.enter_context(FakeDaemon(home, "scheduler", [row(name) for name in NAMES]))


def test_why_of_a_plugin_is_that_of_each_instance(sbctl: Sbctl, scheduler: FakeDaemon) -> None:
    scheduler.fake.rows["web:2"] = row("web:2", "failed", cause="exit code 3")
    code, out, err = sbctl("why", "web")

    assert (code, err) == (0, "")
    assert [part.split(" is ")[0] for part in out.split("\n\n")] == ["web:1", "web:2", "web:10"]
    assert out.split("\n\n")[1].startswith("web:2 is failed")
    answer = json.loads(sbctl("why", "web", "--json")[1])
    assert [facts["row"]["name"] for facts in answer["services"]] == ["web:1", "web:2", "web:10"]
    assert not any("ok" in facts for facts in answer["services"])
    assert json.loads(sbctl("why", "web:2", "--json")[1])["row"]["cause"] == "exit code 3"


def test_why_of_each_instance_also_when_nothing_runs(sbctl: Sbctl, home: Home) -> None:
    event = {"seq": "1.1", "at": iso(0), "kind": "service.exited", "service": "web:2", "text": "x", "data": {}}
    Path(home.journal_file).write_text(json.dumps(event, separators=(",", ":")) + "\n")
    code, out, _ = sbctl("why", "web:2")
    assert (code, out.splitlines()[0]) == (0, "web:2 is stopped; sbctl is not running")
    code, out, err = sbctl("why", "web")
    assert (code, err.splitlines()[1:]) == (0, ["web:1: sbctl is not running", "web:10: sbctl is not running"])
    assert out.splitlines()[0] == "web:2 is stopped; sbctl is not running"


@pytest.mark.usefixtures("scheduler")
@pytest.mark.parametrize("verb", ["start", "stop", "restart", "why", "logs", "status"])
def test_a_misspelt_plugin_with_instances_is_known(sbctl: Sbctl, verb: str) -> None:
    _, out, err = sbctl(verb, "wbe")
    assert "did you mean 'web'?" in out + err
