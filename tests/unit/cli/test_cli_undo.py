"""`config history`, `config undo`, `config schema`, and misspelt verbs below a verb."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from support.fake_daemon import FakeDaemon, row

from supervisor.cli.commands.config import FILES
from supervisor.cli.main import main
from supervisor.model.home import Home
from supervisor.settings import api

Config = Callable[..., tuple[int, str, str]]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "etc").mkdir()
    (tmp_path / "plugins").mkdir()
    (tmp_path / "etc" / "sbctl.yaml").write_text("format: 1\n")
    return Home(str(tmp_path))


@pytest.fixture
def config(home: Home, capfd: pytest.CaptureFixture[str]) -> Config:
    def run(*args: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = main(["--home", home.path, "config", *args])
        out, err = capfd.readouterr()
        return code, out, err

    return run


@pytest.fixture
def revisions(home: Home) -> list[str]:
    """Three of them: the port is 4001, 4002, 4003."""
    made = []
    for port in (4001, 4002, 4003):
        write(home, port)
        made.append(api.compile_home(home).revision)
    return made


def write(home: Home, port: int) -> None:
    Path(home.settings_file).write_text(f"config: {{port: {port}}}\n")


def port(home: Home) -> int:
    text = Path(home.settings_file).read_text()
    return int(text.rpartition(" ")[2].strip("}\n"))


def test_no_history_yet(config: Config) -> None:
    assert config("history") == (0, "no revisions yet: sbctl start makes the first\n", "")
    code, _, err = config("undo", "--yes")
    assert code == 1
    assert "nothing to undo" in err


def test_history_newest_first(config: Config, revisions: list[str]) -> None:
    code, out, _ = config("history")
    lines = out.splitlines()
    assert code == 0
    assert [line.split()[0] for line in lines] == revisions[::-1]
    assert "in force" in lines[0]
    assert "in force" not in out.partition("\n")[2]
    assert "changed config" in lines[0]
    assert [one["number"] for one in json.loads(config("history", "--json")[1])["revisions"]] == revisions


def test_undo_of_the_last_change_and_of_the_undo(config: Config, home: Home, revisions: list[str]) -> None:
    code, out, err = config("undo", "--yes")
    assert code == 0
    assert "back to revision 0002" in err
    assert "write   etc/sbctl.yaml" in err
    assert out == "the files are those of revision 0002 again, as revision 0004\n"
    assert port(home) == 4002
    assert config("undo", "--yes")[0] == 0
    assert port(home) == 4003


def test_edits_that_are_not_in_force_are_undone_first(config: Config, home: Home, revisions: list[str]) -> None:
    write(home, 4999)
    assert json.loads(config("undo", "--yes", "--json")[1])["revision"] == revisions[-1]
    assert port(home) == 4003


def test_undo_of_a_number(config: Config, home: Home, revisions: list[str]) -> None:
    answer = json.loads(config("undo", "1", "--yes", "--json")[1])
    assert answer == {
        "revision": "0001",
        "files": [{"file": "etc/sbctl.yaml", "action": "write"}],
        "dry_run": False,
        "undone": True,
        "changes": [],
        "in_force": "0004",
    }
    assert port(home) == 4001
    assert "nothing to undo" in config("undo", "1", "--yes")[1]


@pytest.mark.usefixtures("compiler")
def test_an_undo_without_a_scheduler_shows_what_changes(config: Config, home: Home) -> None:
    """As reload does: the settings that it went by are read before they are compiled anew."""
    plugin = Path(home.plugins, "web")
    plugin.mkdir()
    for command in ("true", "false"):
        server = {"id": "web", "commands": {"server": command}, "server": {"autoStart": True}}
        (plugin / "manifest.json").write_text(json.dumps(server))
        assert api.compile_home(home).ok
    with FakeDaemon(home, "start", [row("scheduler", "backoff")]):
        code, out, err = config("undo", "--yes")
    assert code == 0
    assert "scheduler is not running: it takes the new settings over when it starts" in err
    assert out.splitlines()[1:] == ["changed:", "  restart  web  commands.server"]


def test_nothing_is_done_without_a_yes(config: Config, home: Home, revisions: list[str]) -> None:
    code, out, err = config("undo", "1")
    assert (code, out) == (2, "")
    assert "back to revision 0001" in err
    assert "--yes" in err
    assert config("undo", "1", "--dry-run")[0] == 0
    assert port(home) == 4003
    assert config("undo", "77", "--yes")[0] != 0


def test_schema_of_each_file(config: Config) -> None:
    for name in FILES:
        code, out, _ = config("schema", name)
        assert code == 0
        assert json.loads(out)["type"] == "object"
        assert config("schema", name, "--json")[1].count("\n") == 1
    assert set(FILES) == set(api.FILES)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["config", "vaildate"], "did you mean: sbctl config validate"),
        (["boot", "enabel"], "did you mean: sbctl boot enable"),
        (["config", "xyzzy"], "sbctl config --help"),
        (["config", "validate", "--jsno"], "--json"),
    ],
)
def test_a_misspelt_verb_below_a_verb(args: list[str], said: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(args) == 2
    assert said in capfd.readouterr().err
