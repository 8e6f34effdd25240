"""What a TAB offers; and that the table behind it is what the commands take."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from support.fake_daemon import FakeDaemon, row

from supervisor.base.where import ROOT
from supervisor.cli import completing, verbs
from supervisor.cli.main import sbctl
from supervisor.model.home import Home

HOT = [sys.executable, "-I", "-S", os.path.join(ROOT, "supervisor", "cli", "hot.py")]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "sbctl.yaml").write_text("format: 1\n")
    for name in ("mail", "web"):
        (tmp_path / "plugins" / name).mkdir(parents=True)
    monkeypatch.setenv("SB_HOME", str(tmp_path))
    return Home(str(tmp_path))


def offered(line: str) -> list[str]:
    return [word for word, _ in completing.offered(completing.split(line)[1:])]


def command(verb: str) -> click.Command:
    found = sbctl.get_command(click.Context(sbctl), verb.partition(" ")[0])
    if isinstance(found, click.Group):
        found = found.commands[verb.partition(" ")[2]]
    assert found is not None
    return found


def test_every_verb_is_in_the_table() -> None:
    whole = {verb for verb in verbs.VERBS if verb not in verbs.SUB_VERBS}
    parts = {f"{verb} {name}" for verb, names in verbs.SUB_VERBS.items() for name in names}
    assert set(verbs.FOLLOWS) == whole | parts


@pytest.mark.parametrize("verb", verbs.SUB_VERBS)
def test_the_table_has_the_verbs_below_a_verb(verb: str) -> None:
    group = sbctl.get_command(click.Context(sbctl), verb)
    assert isinstance(group, click.Group)
    assert set(group.commands) == set(verbs.SUB_VERBS[verb])


@pytest.mark.parametrize("verb", verbs.FOLLOWS)
def test_the_table_has_the_options_of_the_commands(verb: str) -> None:
    """If this fails, `FOLLOWS` in supervisor/cli/verbs.py is to be brought in line."""
    options = [param for param in command(verb).params if isinstance(param, click.Option)]
    options = [option for option in options if "--home" not in option.opts]
    longest = {
        max(names, key=len): option for option in options for names in (option.opts, option.secondary_opts) if names
    }
    table = verbs.FOLLOWS[verb][1]
    assert set(table) == set(longest)
    # One with a value that may be left out counts as one without.
    bare = {name for name, option in longest.items() if option.is_flag or isinstance(option.flag_value, float)}
    assert {name for name, kind in table.items() if kind == verbs.FLAG} == bare


def test_the_table_has_the_options_before_the_verb() -> None:
    longest = {max(param.opts, key=len) for param in sbctl.params}
    assert set(verbs.GLOBAL_OPTIONS) == longest | {"--help"}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("sbctl sta", ["start", "status"]),
        ("sbctl --color ", ["auto", "always", "never"]),
        ("sbctl --color=al", ["--color=always"]),
        ("sbctl --color auto sto", ["stop"]),
        ("sbctl why m", ["mail"]),
        ("sbctl why mail ", []),
        ("sbctl stop mail w", ["web"]),
        ("sbctl stop mail m", []),
        ("sbctl restart web --r", ["--rolling"]),
        ("sbctl restart --rolling --r", []),
        ("sbctl enable s", []),
        ("sbctl start s", ["scheduler"]),
        ("sbctl logs s", ["scheduler", "start"]),
        ("sbctl signal H", []),
        ("sbctl signal web H", ["HUP"]),
        ("sbctl config ", ["validate", "show", "path", "schema", "history", "undo"]),
        ("sbctl config schema m", ["manifest.json"]),
        ("sbctl boot st", ["status"]),
        ("sbctl boot enable --p", ["--print"]),
        ("sbctl serve t", ["tunnel"]),
        ("sbctl help hom", ["homes"]),
        ("sbctl completion z", ["zsh"]),
        ("sbctl start --wait ", []),
        ("sbctl start --wait 5s ma", ["mail"]),
        ("sbctl init ", [":dirs"]),
        ("sbctl status --home ", [":dirs"]),
        ("sbctl homes --ho", []),
        ("sbctl 'why' \"ma", ["mail"]),
        ("sbctl nonsense ", []),
        ("sbctl config nonsense ", []),
    ],
)
@pytest.mark.usefixtures("home")
def test_what_is_offered(line: str, words: list[str]) -> None:
    assert offered(line) == words


def test_services_that_run_are_asked_for(home: Home) -> None:
    core = [row("scheduler")]
    plugins = [row("web:1"), row("web:2", "failed"), row("cron-like")]
    with FakeDaemon(home, "start", core), FakeDaemon(home, "scheduler", plugins):
        assert offered("sbctl start ") == ["web", "cron-like", "scheduler", "web:1", "web:2"]
        assert dict(completing.offered(["restart", "web"])) == {
            "web": "all 2",
            "web:1": "running",
            "web:2": "failed",
        }


def test_services_of_compiled_settings(home: Home) -> None:
    compiled = Path(home.compiled_file("scheduler"))
    compiled.parent.mkdir(parents=True)
    compiled.write_text(json.dumps({"services": [{"name": "web:1"}, {"name": "web:2"}]}))
    assert offered("sbctl start w") == ["web", "web:1", "web:2"]


def test_the_home_may_be_named(tmp_path: Path, home: Home) -> None:
    other = tmp_path / "other"
    (other / "plugins" / "elsewhere").mkdir(parents=True)
    (other / "etc").mkdir()
    assert offered(f"sbctl --home {other} why e") == ["elsewhere"]
    assert offered(f"sbctl start --home={other} e") == ["elsewhere"]


def test_after_a_word_break_bash_wants_only_the_rest(home: Home) -> None:
    (Path(home.plugins) / "web:1").mkdir()
    done = subprocess.run([*HOT, "__complete", "bash", "sbctl why web:", " =:"], capture_output=True, check=True)
    assert done.stdout == b"1\n"


@pytest.mark.parametrize("args", [[], ["bash"], ["fish"], ["bash", "sbctl why ", ":="], ["zsh", "--home", "/none", ""]])
def test_whatever_is_wrong_it_says_nothing(tmp_path: Path, args: list[str]) -> None:
    """It can't look anywhere here, and makes nothing either."""
    env = {**os.environ, "SB_HOME": str(tmp_path / "none")}
    done = subprocess.run([*HOT, "__complete", *args], capture_output=True, check=False, env=env)
    assert b"Traceback" not in done.stderr
    assert done.stderr == b""
    assert not list(tmp_path.iterdir())


def test_a_tab_loads_neither_click_nor_json_while_sbctl_runs(home: Home) -> None:
    with FakeDaemon(home, "start", [row("scheduler")]), FakeDaemon(home, "scheduler", [row("web")]):
        timed = [sys.executable, "-X", "importtime", *HOT[1:], "__complete", "fish", "start", ""]
        done = subprocess.run(timed, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["scheduler\trunning", "web\trunning"]
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "supervisor.cli.completing" in loaded
    assert loaded & {"click", "json", "re", "typing", "subprocess", "dataclasses"} == set()
