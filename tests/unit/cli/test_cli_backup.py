"""`backup` and `restore`: what is in the file, what is refused, and that nothing is lost on the way."""

from __future__ import annotations

import io
import json
import os
import stat
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support.fake_schedules import NOW, run_row

from supervisor.base.files import take_lock
from supervisor.cli.archive import Entry, problem_of, write_archive
from supervisor.cli.history_copy import cursors, set_cursors
from supervisor.cli.main import main
from supervisor.cli.past import run, slots
from supervisor.model.home import Home
from supervisor.store.database import open_writer

Sbctl = Callable[..., tuple[int, str, str]]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    folder = tmp_path / "home"
    (folder / "etc" / "secrets").mkdir(parents=True)
    (folder / "etc" / "sbctl.yaml").write_text("format: 1\n")
    (folder / "etc" / "secrets" / "dashboard.key").write_text("a-secret-key")
    (folder / "plugins" / "mail").mkdir(parents=True)
    manifest = {"id": "mail", "name": "mail", "commands": {"get": "./get.sh", "server": "./x"}, "cwd": "deep/down"}
    (folder / "plugins" / "mail" / "manifest.json").write_text(json.dumps(manifest))
    (folder / "plugins" / "mail" / "data.bin").write_text("no settings")
    (folder / "logs").mkdir()
    (folder / "logs" / "state.json").write_text('{"format": 1, "services": {}}\n')
    found = Home(str(folder))
    remember(found, "r_old")
    set_cursors(found.history_file, {"mail": 100, "gone": 100})
    return found


@pytest.fixture
def sbctl(home: Home, capfd: pytest.CaptureFixture[str]) -> Sbctl:
    def call(*args: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = main(["--home", home.path, *args])
        out, err = capfd.readouterr()
        return code, out, err

    return call


@pytest.fixture
def backup(sbctl: Sbctl, tmp_path: Path) -> str:
    path = str(tmp_path / "b.tar.gz")
    assert sbctl("backup", path)[0] == 0
    return path


def remember(home: Home, id: str) -> None:
    db = open_writer(home.history_file, NOW)
    values = run_row(id)
    db.execute(
        f"INSERT INTO runs ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})", tuple(values.values())
    )
    db.close()


def names_in(path: str) -> list[str]:
    with tarfile.open(path) as tar:
        return tar.getnames()


def made(path: Path, *entries: Entry) -> str:
    """A backup that somebody has made up."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    write_archive(fd, {"version": "0", "made_at": "then"}, list(entries))
    os.close(fd)
    return str(path)


# backup


def test_what_is_in_it(backup: str) -> None:
    assert names_in(backup) == [
        "manifest.json",
        "etc/sbctl.yaml",
        "plugins/mail/manifest.json",
        "logs/state.json",
        "logs/history.db",
    ]
    assert stat.S_IMODE(os.stat(backup).st_mode) == 0o600
    assert [name for name in os.listdir(os.path.dirname(backup)) if name.startswith(".")] == []


def test_secrets_only_if_asked(sbctl: Sbctl, tmp_path: Path) -> None:
    path = str(tmp_path / "s.tar.gz")
    code, _, err = sbctl("backup", path, "--with-secrets")
    assert code == 0
    assert "secrets" in err
    assert "etc/secrets/dashboard.key" in names_in(path)


def test_nothing_is_written_over(sbctl: Sbctl, backup: str, tmp_path: Path) -> None:
    before = Path(backup).read_bytes()
    assert sbctl("backup", backup)[0] == 2
    assert Path(backup).read_bytes() == before
    assert sbctl("backup", backup, "--force")[0] == 0
    assert sbctl("backup", str(tmp_path / "none" / "b.tar.gz"))[0] == 1
    answer = json.loads(sbctl("backup", backup, "--force", "--json")[1])
    assert [each["path"] for each in answer["files"]] == names_in(backup)[1:]


# restore


def test_everything_comes_back_and_what_was_there_is_kept(sbctl: Sbctl, home: Home, backup: str) -> None:
    Path(home.settings_file).write_text("format: 1\ntimezone: UTC\n")
    Path(home.schedules).mkdir()
    Path(home.schedules, "mail.json").write_text('{"format": 1, "intervalHours": 6}')
    remember(home, "r_new")
    set_cursors(home.history_file, {"mail": 900})
    Path(home.history_file + ".waiting").write_text("what could not be written into the one that was there\n")
    code, out, err = sbctl("restore", backup, "--yes")
    assert code == 0, err
    assert Path(home.settings_file).read_text() == "format: 1\n"
    assert not Path(home.history_file + ".waiting").exists()
    assert not Path(home.schedules, "mail.json").exists()
    assert Path(home.key_file).read_text() == "a-secret-key"
    assert run(home, "r_old")
    assert not run(home, "r_new")
    (aside,) = Path(home.run).glob("before-restore-*")
    assert str(aside) in out
    assert (aside / "etc" / "sbctl.yaml").read_text() == "format: 1\ntimezone: UTC\n"
    assert (aside / "etc" / "schedules.d" / "mail.json").exists()
    assert (aside / "logs" / "history.db").exists()
    assert (aside / "logs" / "history.db.waiting").exists()
    assert [path.name for path in Path(home.run).iterdir() if path.name.startswith(".restore")] == []


def test_present_cursors_stay(sbctl: Sbctl, home: Home, backup: str) -> None:
    set_cursors(home.history_file, {"mail": 900, "later": 800})
    assert sbctl("restore", backup, "--yes")[0] == 0
    assert cursors(home.history_file) == {"mail": 900, "later": 800, "gone": 100}
    assert sbctl("restore", backup, "--yes", "--cursors", "from-backup")[0] == 0
    assert cursors(home.history_file) == {"mail": 100, "gone": 100}


def put(home: Home, statement: str, *values: object) -> None:
    db = open_writer(home.history_file, NOW)
    db.execute(statement, values)
    db.close()


@pytest.mark.parametrize("elsewhere", [False, True])
def test_what_had_not_ended_at_the_backup_does_not_begin_again(
    sbctl: Sbctl, home: Home, tmp_path: Path, elsewhere: bool
) -> None:
    for id, state in (("r_waits", "queued"), ("r_goes", "running")):
        remember(home, id)
        put(home, "UPDATE runs SET state = ?, ended = NULL, cause = NULL WHERE id = ?", state, id)
        columns = "(schedule, nominal, nominal_to, outcome, run, decided)"
        put(home, f"INSERT INTO slots {columns} VALUES ('mail', ?1, ?1, 'claimed', ?2, 1)", 500 + len(id), id)
    path = str(tmp_path / "live.tar.gz")
    assert sbctl("backup", path)[0] == 0
    put(home, "UPDATE runs SET state = 'succeeded', ended = started + 1000 WHERE id = 'r_goes'")
    target = Home(str(tmp_path / "other")) if elsewhere else home

    assert sbctl("--home", target.path, "restore", path, "--yes")[0] == 0

    row = run(target, "r_goes")
    assert row is not None
    known = ("lost", "it had not ended when the backup was made") if elsewhere else ("succeeded", None)
    assert (row["state"], row["cause"]) == known
    found = {(slot["outcome"], slot["reason"]) for slot in slots(target, "mail", limit=9)}
    if elsewhere:
        assert run(target, "r_waits") is None
        assert found == {("run", None), ("skipped", "missed")}
    else:  # there it still waits
        assert found == {("run", None), ("claimed", None)}
    assert sbctl("--home", target.path, "restore", path, "--yes", "--cursors", "from-backup")[0] == 0
    for id, state in (("r_waits", "queued"), ("r_goes", "running")):
        again = run(target, id)
        assert again is not None
        assert again["state"] == state


def wait_for_history(home: Home) -> Path:
    """What a scheduler has left that could not write: a run, its end, a cursor; and a line that is no write."""
    slot = {"schedule": "mail", "nominal": 900, "nominal_to": 900, "outcome": "claimed", "run": "r_late", "decided": 1}
    values = {"id": "r_late", "schedule": "mail", "state": "claimed", "claimed": 1, "nominal": 900}
    lines = [
        ["claim", "r_late", values, [slot]],
        ["claim", "r_bad", {"id": "r_bad"}, [{}]],
        ["end", "r_late", {"id": "r_late", "state": "succeeded", "claimed": 1, "ended": 2}, []],
        ["state", "later", {"id": "later", "cursor": 800}, []],
    ]
    file = Path(home.history_file + ".waiting")
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return file


def test_what_waits_for_the_history_counts_as_decided(sbctl: Sbctl, home: Home, backup: str) -> None:
    file = wait_for_history(home)
    code, out, _ = sbctl("restore", backup, "--dry-run", "--json")
    assert (code, "logs/history.db.waiting" in json.loads(out)["set_aside"]) == (0, True)
    assert file.exists()

    code, _, err = sbctl("restore", backup, "--yes")

    assert (code, "takes out logs/history.db.waiting" in err) == (0, True)
    assert not file.exists()
    assert cursors(home.history_file) == {"mail": 900, "later": 800, "gone": 100}


def test_also_without_a_history_of_now(sbctl: Sbctl, home: Home, backup: str) -> None:
    wait_for_history(home)
    os.unlink(home.history_file)
    assert sbctl("restore", backup, "--yes")[0] == 0
    found = cursors(home.history_file)
    assert (found["mail"], found["later"]) == (900, 800)


def test_a_backup_has_what_waits_for_a_history_that_is_gone(sbctl: Sbctl, home: Home, tmp_path: Path) -> None:
    wait_for_history(home)
    os.unlink(home.history_file)
    path = str(tmp_path / "late.tar.gz")
    assert sbctl("backup", path)[0] == 0
    assert not os.path.exists(home.history_file)
    assert "logs/history.db" in names_in(path)
    assert sbctl("restore", path, "--yes", "--cursors", "from-backup")[0] == 0
    assert cursors(home.history_file) == {"mail": 900, "later": 800}


def test_a_backup_has_what_waits_for_the_history(sbctl: Sbctl, home: Home, tmp_path: Path) -> None:
    file = wait_for_history(home)
    path = str(tmp_path / "late.tar.gz")
    assert sbctl("backup", path)[0] == 0
    assert file.exists()  # it still waits
    assert not run(home, "r_late")

    assert sbctl("restore", path, "--yes", "--cursors", "from-backup")[0] == 0
    late = run(home, "r_late")
    assert late
    assert late["state"] == "succeeded"
    assert cursors(home.history_file) == {"mail": 900, "later": 800, "gone": 100}


def test_without_a_history_of_now_nothing_is_made_up_for(sbctl: Sbctl, home: Home, backup: str) -> None:
    os.unlink(home.history_file)
    assert sbctl("restore", backup, "--yes")[0] == 0
    assert all(abs(cursor - time.time()) < 60 for cursor in cursors(home.history_file).values())


def test_a_look_changes_nothing(sbctl: Sbctl, home: Home, backup: str) -> None:
    Path(home.settings_file).write_text("format: 1\ntimezone: UTC\n")
    code, out, _ = sbctl("restore", backup, "--dry-run")
    assert code == 0
    assert "replaces  etc/sbctl.yaml" in out
    assert "timezone" in Path(home.settings_file).read_text()
    assert sbctl("restore", backup)[0] == 2  # nobody is there to be asked
    assert list(Path(home.run).glob("before-restore-*")) == []


def test_not_while_it_runs(sbctl: Sbctl, home: Home, backup: str) -> None:
    os.makedirs(home.run, exist_ok=True)
    lock = take_lock(home.lock_file)
    assert lock is not None
    code, _, err = sbctl("restore", backup, "--yes")
    os.close(lock)
    assert code == 1
    assert "next: sbctl stop" in err


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "etc/../../x", "etc/./x", "../x", "plugins/mail/run.sh", "plugins/a/b/manifest.json", "logs/x",
     "etc", "", "etc//x", "bin/sbctl", "etc/a\\b"],
)  # fmt: skip
def test_a_path_that_leads_elsewhere_is_refused(sbctl: Sbctl, home: Home, tmp_path: Path, name: str) -> None:
    assert problem_of(name)
    if not name:
        return
    bad = made(tmp_path / "bad.tar.gz", Entry("etc/sbctl.yaml", b"format: 1\n", 0o600), Entry(name, b"evil", 0o644))
    assert sbctl("restore", bad, "--yes")[0] == 6
    assert list(Path(home.run).glob("before-restore-*")) == []


def test_links_and_strangers_are_refused(sbctl: Sbctl, tmp_path: Path, backup: str) -> None:
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.REGTYPE):
        path = tmp_path / "bad.tar.gz"
        with tarfile.open(backup) as old, tarfile.open(path, "w:gz") as tar:
            for member in old:
                tar.addfile(member, old.extractfile(member))
            info = tarfile.TarInfo("etc/more")
            info.type, info.linkname = kind, "/etc/passwd"
            tar.addfile(info)
        code, _, err = sbctl("restore", str(path), "--yes")
        assert code == 6
        assert "etc/more" in err


def test_another_content_is_noticed(sbctl: Sbctl, tmp_path: Path, backup: str) -> None:
    path = tmp_path / "bad.tar.gz"
    with tarfile.open(backup) as old, tarfile.open(path, "w:gz") as tar:
        for member in old:
            data = old.extractfile(member)
            assert data is not None
            content = data.read()
            if member.name == "etc/sbctl.yaml":
                content = content.upper()
            tar.addfile(member, io.BytesIO(content))
    code, _, err = sbctl("restore", str(path), "--yes")
    assert code == 6
    assert "etc/sbctl.yaml: its checksum" in err


@pytest.mark.parametrize("size", [0, 10, 200, -400])
def test_half_a_file_is_none(sbctl: Sbctl, home: Home, backup: str, size: int) -> None:
    Path(backup).write_bytes(Path(backup).read_bytes()[:size])
    assert sbctl("restore", backup, "--yes")[0] == 6
    assert Path(home.settings_file).exists()


def test_settings_that_are_not_good_replace_nothing(sbctl: Sbctl, home: Home, tmp_path: Path) -> None:
    bad = made(tmp_path / "bad.tar.gz", Entry("etc/sbctl.yaml", b"nonsense: 1\n", 0o600))
    code, _, err = sbctl("restore", bad, "--yes")
    assert code == 6
    assert "nonsense: not a known key" in err
    assert Path(home.settings_file).read_text() == "format: 1\n"


def test_a_damaged_history_replaces_nothing(sbctl: Sbctl, home: Home, tmp_path: Path) -> None:
    bad = made(tmp_path / "bad.tar.gz", Entry("logs/history.db", b"SQLite format 3\0" + b"x" * 5000, 0o600))
    assert sbctl("restore", bad, "--yes")[0] == 6
    assert run(home, "r_old")
    assert sbctl("restore", str(tmp_path / "none"), "--yes")[0] == 1
