"""Starting at boot, against programs that stand in for crontab and systemctl: small real scripts on PATH."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from supervisor.cli import boot_systemd
from supervisor.cli.boot_systemd import quoted, unit_name
from supervisor.cli.commands import boot
from supervisor.cli.main import main
from supervisor.model.home import Home

Sbctl = Callable[..., tuple[int, str, str]]

CRONTAB = """#!/bin/sh
table=${0%/*}/table
echo "$*" >>"${0%/*}/asked"
case $1 in
-l) [ -e "$table" ] || { echo "no crontab for $(id -un)" >&2; exit 1; }; cat "$table" ;;
-) cat >"$table" ;;
*) exit 64 ;;
esac
"""

# Enabled is what a link stands for, as with the real one.
SYSTEMCTL = """#!/bin/sh
here=${0%/*}
echo "$*" >>"$here/asked"
[ "$1" != --user ] || shift
case $1 in
daemon-reload) ;;
enable) touch "$here/enabled-$2" ;;
disable) rm -f "$here/enabled-$2" ;;
is-enabled) [ -e "$here/enabled-$2" ] ;;
*) exit 64 ;;
esac
"""
FOREIGN = b"# mine\n5 4 * * * /bin/true % x\n@reboot sbctl start  # sbctl boot /elsewhere\n\n\xff = not text"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs, first on PATH."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setattr(boot_systemd, "RUNS", str(tmp_path / "no-systemd"))
    return folder


def add(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


@pytest.fixture
def crontab(programs: Path) -> Path:
    add(programs, "crontab", CRONTAB)
    return programs / "table"


@pytest.fixture
def units(programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """systemd is the init; where its units are."""
    add(programs, "systemctl", SYSTEMCTL)
    monkeypatch.setattr(boot_systemd, "RUNS", str(tmp_path))
    monkeypatch.setattr(boot_systemd, "SYSTEM_UNITS", str(tmp_path / "units"))
    monkeypatch.setattr(boot_systemd, "LINGERING", str(tmp_path / "linger"))
    monkeypatch.setattr(boot_systemd.os, "geteuid", lambda: 0)
    monkeypatch.setattr(boot, "check_own", lambda _home: None)
    return tmp_path / "units"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    path = tmp_path / "my home 100%"
    (path / "etc").mkdir(parents=True)
    return Home(str(path))


@pytest.fixture
def sbctl(home: Home, capfd: pytest.CaptureFixture[str]) -> Sbctl:
    def run(*args: str, path: str = "") -> tuple[int, str, str]:
        capfd.readouterr()
        code = main(["--home", path or home.path, "boot", *args])
        out, err = capfd.readouterr()
        return code, out, err

    return run


# cron


def test_cron_keeps_every_other_line(sbctl: Sbctl, crontab: Path, home: Home) -> None:
    crontab.write_bytes(FOREIGN)
    assert sbctl("status")[1] == f"{home} is not started at boot\n"
    code, out, err = sbctl("enable")
    assert (code, out, err) == (0, f"{home} is started at boot, by cron (crontab -l)\n", "")
    lines = crontab.read_bytes().split(b"\n")
    assert b"\n".join(lines[:5]) == FOREIGN
    assert lines[5].startswith(b"@reboot ")
    assert lines[5].endswith(b" start >/dev/null # sbctl boot " + home.path.replace("%", r"\%").encode())
    assert lines[6:] == [b""]
    assert json.loads(sbctl("status", "--json")[1])["enabled"] is True
    assert sbctl("disable")[:2] == (0, f"{home} is not started at boot\n")
    assert crontab.read_bytes() == FOREIGN + b"\n"


def test_cron_writes_only_when_something_changes(sbctl: Sbctl, crontab: Path, programs: Path) -> None:
    assert "and was not before" in sbctl("disable")[1]
    assert not crontab.exists()
    sbctl("enable")
    (programs / "asked").unlink()
    assert "already" in sbctl("enable")[1]
    assert "-" not in (programs / "asked").read_text().splitlines()


def test_the_line_of_cron_starts_this_home(sbctl: Sbctl, crontab: Path, home: Home) -> None:
    """As cron does it: \\% is %, and the rest is a command for /bin/sh."""
    sbctl("enable")
    command = crontab.read_text().removeprefix("@reboot ").replace("\\%", "%")
    shown = command.replace(" start >/dev/null", " config path")
    done = subprocess.run(["/bin/sh", "-c", shown], capture_output=True, text=True, check=True, env={})
    assert done.stdout.startswith(f"home      {home}\n")


def test_each_home_has_its_own_line(sbctl: Sbctl, crontab: Path, home: Home, tmp_path: Path) -> None:
    other = tmp_path / "other"
    (other / "etc").mkdir(parents=True)
    sbctl("enable")
    sbctl("enable", path=str(other))
    assert len(crontab.read_text().splitlines()) == 2
    sbctl("disable")
    assert [line.rpartition(" ")[2] for line in crontab.read_text().splitlines()] == [str(other)]


def test_a_crontab_that_can_not_be_read_is_not_taken_for_an_empty_one(sbctl: Sbctl, programs: Path) -> None:
    add(programs, "crontab", "#!/bin/sh\necho 'you are not allowed to use this program' >&2; exit 1\n")
    code, out, err = sbctl("enable")
    assert (code, out) == (1, "")
    assert "not allowed" in err


def test_an_old_line_is_told_and_renewed(sbctl: Sbctl, crontab: Path, home: Home) -> None:
    sbctl("enable")
    crontab.write_text(crontab.read_text().replace("@reboot ", "@reboot /usr/bin/env "))
    assert "sbctl boot enable renews it" in sbctl("status")[2]
    sbctl("enable")
    assert "/usr/bin/env" not in crontab.read_text()
    assert len(crontab.read_text().splitlines()) == 1


# systemd


def test_a_unit_of_the_system(sbctl: Sbctl, units: Path, programs: Path, home: Home) -> None:
    code, out, err = sbctl("enable")
    unit = units / unit_name(home.path)
    assert (code, out, err) == (0, f"{home} is started at boot, by systemd ({unit})\n", "")
    text = unit.read_text()
    for line in (
        "Type=exec",
        "KillMode=mixed",
        "Restart=on-failure",
        "TimeoutStopSec=90",
        "WantedBy=multi-user.target",
    ):
        assert f"\n{line}\n" in text
    assert f'"--home" "{home.path.replace("%", "%%")}" "start" "--foreground"\n' in text
    asked = (programs / "asked").read_text().splitlines()
    assert asked[-2:] == [f"is-enabled {unit.name}", f"is-enabled {unit.name}"]
    assert asked[:2] == ["daemon-reload", f"enable {unit.name}"]
    assert "already" in sbctl("enable")[1]
    assert sbctl("disable")[0] == 0
    assert not unit.exists()
    assert json.loads(sbctl("status", "--json")[1])["enabled"] is False


def test_a_unit_of_a_user(
    sbctl: Sbctl, units: Path, programs: Path, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boot_systemd.os, "geteuid", lambda: os.getuid() or 1)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    code, _, err = sbctl("enable")
    assert code == 0
    unit = tmp_path / "config" / "systemd" / "user" / unit_name(home.path)
    assert "WantedBy=default.target" in unit.read_text()
    assert "loginctl enable-linger" in err
    assert (programs / "asked").read_text().splitlines()[0] == "--user daemon-reload"


def test_a_systemd_that_refuses_leaves_nothing_behind(sbctl: Sbctl, units: Path, programs: Path) -> None:
    add(programs, "systemctl", "#!/bin/sh\necho 'Failed to connect to bus' >&2; exit 1\n")
    code, out, err = sbctl("enable")
    assert (code, out) == (1, "")
    assert "Failed to connect to bus" in err
    assert list(units.iterdir()) == []


def test_the_time_for_a_stop_is_that_of_the_settings(home: Home) -> None:
    assert boot.stop_seconds(home) == 90.0
    compiled = Path(home.compiled_file("start"))
    compiled.parent.mkdir(parents=True)
    compiled.write_text('{"services": [{"name": "of another version"}]}')
    assert boot.stop_seconds(home) == 90.0


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze")
def test_systemd_takes_the_unit(sbctl: Sbctl, units: Path, home: Home) -> None:
    sbctl("enable")
    unit = units / unit_name(home.path)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False, timeout=30
    )
    about = [line for line in done.stderr.splitlines() if unit.name in line or "home" in line]
    assert about == []


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/srv/web", "sbctl-srv-web.service"),
        ("/srv/my-web", r"sbctl-srv-my\x2dweb.service"),
        ("/a b", r"sbctl-a\x20b.service"),
    ],
)
def test_names_of_units(path: str, name: str) -> None:
    assert unit_name(path) == name
    assert len(unit_name("/" + "x-" * 400)) < 255


def test_words_of_a_unit() -> None:
    assert quoted("/a b") == '"/a b"'
    assert quoted('100% $HOME "x" \\') == r'"100%% $$HOME \"x\" \\"'
    assert quoted("a\nb") == r'"a\x0ab"'


# both, and neither


@pytest.mark.parametrize("kind", ["crontab", "units"])
def test_a_dry_run_writes_nothing(
    sbctl: Sbctl, kind: str, request: pytest.FixtureRequest, tmp_path: Path, home: Home
) -> None:
    place: Path = request.getfixturevalue(kind)
    code, out, err = sbctl("enable", "--print")
    assert code == 0
    assert "@reboot" in out if kind == "crontab" else "[Service]" in out
    assert str(home).replace("%", "\\%" if kind == "crontab" else "%%") in out
    assert err
    assert not place.exists()
    assert json.loads(sbctl("enable", "--print", "--json")[1])["text"].strip() == out.strip()


def test_where_nothing_starts_programs(sbctl: Sbctl, programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(programs))
    code, out, err = sbctl("enable")
    assert (code, out) == (5, "")
    assert "--foreground" in err
    for verb in ("status", "disable"):
        assert sbctl(verb)[0] == 0
        assert json.loads(sbctl(verb, "--json")[1])["method"] is None
