"""The command that is named as the next one reaches the same home."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.cli import compiled, knows, make_plugins, remember
from support.fake_daemon import FakeDaemon, row
from support.fake_schedules import run_row

from supervisor.cli import home as homes
from supervisor.cli import out
from supervisor.cli.main import main
from supervisor.model.home import Home


@pytest.fixture
def there(tmp_path: Path) -> Path:
    folder = tmp_path / "my home"
    (folder / "etc").mkdir(parents=True)
    (folder / "etc" / "sbctl.yaml").write_text("format: 1\n")
    return folder


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # of what the other tests have: hints without a home
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SB_HOME", raising=False)


def error_of(capfd: pytest.CaptureFixture[str], *args: str) -> str:
    main(list(args))
    return capfd.readouterr().err


def test_a_home_that_was_named_is_named_again(there: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert f"next: sbctl --home '{there}' start\n" in error_of(capfd, "--home", str(there), "reload")
    assert "next: sbctl --home 'my home' start\n" in error_of(capfd, "reload", "--home", "my home")


def test_one_that_is_found_anyway_is_not(
    there: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(there)
    assert "next: sbctl start\n" in error_of(capfd, "--home", str(there), "reload")
    monkeypatch.chdir("/")
    monkeypatch.setenv("SB_HOME", str(there))
    assert "next: sbctl start\n" in error_of(capfd, "--home", str(there), "reload")
    assert "next: sbctl start\n" in error_of(capfd, "reload")


def test_only_commands_are_changed(there: Path) -> None:
    homes.find_home(str(there))
    said = out.at_home("sbctl is not running; sbctl why web, sbctl init DIR, sbctl --home X stop")
    assert said == f"sbctl is not running; sbctl --home '{there}' why web, sbctl init DIR, sbctl --home X stop"


def out_of(capfd: pytest.CaptureFixture[str], *args: str) -> str:
    main(list(args))
    return capfd.readouterr().out


def test_what_why_names_as_next_is_in_the_same_home(there: Path, capfd: pytest.CaptureFixture[str]) -> None:
    home = Home(str(there))
    knows(home, services=["web"])
    with FakeDaemon(home), FakeDaemon(home, "scheduler", [row("web", "failed")]):
        said = out_of(capfd, "--home", str(there), "why", "web")
    at = f"sbctl --home '{there}'"
    assert said.splitlines()[-1] == f"next        {at} logs web; then: {at} start web (a fresh budget)"


def test_what_why_and_show_name_as_next_of_a_schedule_is_in_the_same_home(
    there: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    home = Home(str(there))
    make_plugins(home, "mail")
    compiled(home, [{"plugins": ["mail"], "commands": ["get"], "cron": "0 6 * * *"}])
    remember(home, "runs", **run_row("r_1"))
    at = f"sbctl --home '{there}'"
    assert out_of(capfd, "--home", str(there), "why", "mail").splitlines()[-1] == f"next        {at} run mail"
    assert f"{at} show r_1 --log" in out_of(capfd, "--home", str(there), "show", "r_1")
    assert out_of(capfd, "--home", str(there), "pause").endswith(f"; {at} resume goes on\n")
