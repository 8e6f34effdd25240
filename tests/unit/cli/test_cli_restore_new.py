"""`restore` where nothing is yet, and where plugins are that the backup does not know."""

from __future__ import annotations

import json
import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from supervisor.cli.main import main
from supervisor.model.home import Home

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No home is found by where one stands."""
    monkeypatch.delenv("SB_HOME", raising=False)
    monkeypatch.setattr("supervisor.cli.home.ROOT", "")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str]) -> Call:
    def its(*args: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = main(list(args))
        out, err = capfd.readouterr()
        return code, out, err

    return its


@pytest.fixture
def backup(call: Call, tmp_path: Path) -> str:
    """Of a home with one plugin, with its secrets."""
    home, path = tmp_path / "old", str(tmp_path / "b.tar.gz")
    (home / "etc" / "secrets").mkdir(parents=True)
    (home / "etc" / "sbctl.yaml").write_text("format: 1\n")
    (home / "etc" / "secrets" / "dashboard.key").write_text("a-secret-key")
    (home / "plugins" / "mail").mkdir(parents=True)
    (home / "plugins" / "mail" / "manifest.json").write_text('{"id": "mail", "commands": {"get": "true"}}')
    code, _, err = call("--home", str(home), "backup", path, "--with-secrets")
    assert code == 0, err
    return path


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


RESTORED = ["etc/sbctl.yaml", "etc/secrets/dashboard.key", "plugins/mail/manifest.json"]


@pytest.mark.parametrize("is_there", [True, False])
def test_an_empty_folder_becomes_a_home(call: Call, backup: str, tmp_path: Path, *, is_there: bool) -> None:
    new = tmp_path / "new"
    if is_there:
        new.mkdir()

    code, out, err = call("--home", str(new), "restore", backup, "--yes")

    assert code == 0, err
    assert [name for name in files(new) if not name.startswith("logs/")] == RESTORED
    assert stat.S_IMODE(os.stat(new / "etc" / "secrets").st_mode) == 0o700
    assert "plugins/mail is not here" in err
    assert out == "restored\nnext: sbctl start\n"  # nothing was there before
    assert call("--home", str(new), "config", "validate")[0] == 0


def test_a_look_makes_nothing(call: Call, backup: str, tmp_path: Path) -> None:
    new = tmp_path / "new"
    code, out, err = call("--home", str(new), "restore", backup, "--dry-run")

    assert code == 0, err
    assert "new       etc/sbctl.yaml" in out
    assert not new.exists()
    assert json.loads(call("--home", str(new), "restore", backup, "--dry-run", "--json")[1])["set_aside"] == []


def test_after_one_that_failed_it_may_be_tried_again(call: Call, backup: str, tmp_path: Path) -> None:
    new, bad = str(tmp_path / "new"), tmp_path / "bad.tar.gz"
    bad.write_bytes(Path(backup).read_bytes()[:100])

    assert call("--home", new, "restore", str(bad), "--yes")[0] != 0
    assert call("--home", new, "restore", backup, "--yes")[0] == 0


def test_a_folder_of_something_else_is_not_used(call: Call, backup: str, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "letter.txt").write_text("dear")

    code, _, err = call("--home", str(other), "restore", backup, "--yes")

    assert code == 6
    assert "is no home" in err
    assert "letter.txt" in err
    assert "sbctl --home DIR restore FILE" in err
    assert files(other) == ["letter.txt"]


def test_without_a_name_nothing_is_made(call: Call, backup: str) -> None:
    code, _, err = call("restore", backup, "--yes")

    assert code == 6
    assert "no home found" in err
    assert "sbctl --home DIR restore FILE" in err


def test_other_verbs_want_a_home_as_before(call: Call, tmp_path: Path) -> None:
    code, _, err = call("--home", str(tmp_path / "new"), "start")
    assert (code, f"sbctl init {tmp_path}/new" in err) == (6, True)


def test_plugins_that_the_backup_does_not_know_are_taken_out(call: Call, backup: str, tmp_path: Path) -> None:
    """As are settings: what runs is what ran then. Those of `init` would start by themselves."""
    new = tmp_path / "new"
    assert call("init", str(new))[0] == 0
    (new / "plugins" / "bare").mkdir()
    (new / "plugins" / "bare" / "manifest.json").write_text('{"id": "bare", "commands": {"get": "true"}}')

    code, _, err = call("--home", str(new), "restore", backup, "--yes")

    assert code == 0, err
    assert "takes out plugins/disk-watch/manifest.json" in err
    assert [path.parent.name for path in new.glob("plugins/*/manifest.json")] == ["mail"]
    assert (new / "plugins" / "disk-watch" / "server.py").exists()
    assert not (new / "plugins" / "bare").exists()  # nothing else was in it
    (aside,) = Path(Home(str(new)).run).glob("before-restore-*")
    kept = sorted(path.parent.name for path in aside.glob("plugins/*/manifest.json"))
    assert kept == ["bare", "disk-watch", "hello-web"]


def test_a_plugin_on_another_disk_is_restored_as_well(call: Call, backup: str, tmp_path: Path) -> None:
    """A link to a checkout elsewhere, say."""
    if not os.access("/dev/shm", os.W_OK) or os.stat("/dev/shm").st_dev == os.stat(tmp_path).st_dev:
        pytest.skip("there is no second file system to write on")
    new = tmp_path / "new"
    assert call("init", str(new))[0] == 0
    with tempfile.TemporaryDirectory(dir="/dev/shm", prefix="sbctl-test-") as elsewhere:
        Path(elsewhere, "manifest.json").write_text('{"id": "mail", "commands": {"get": "false"}}')
        (new / "plugins" / "mail").symlink_to(elsewhere)

        code, _, err = call("--home", str(new), "restore", backup, "--yes")

        assert code == 0, err
        assert '"true"' in Path(elsewhere, "manifest.json").read_text()
        (kept,) = new.glob("logs/run/before-restore-*/plugins/mail/manifest.json")
        assert '"false"' in kept.read_text()
