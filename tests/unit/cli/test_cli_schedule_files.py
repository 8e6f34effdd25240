"""`schedule add|edit|rm` where something is odd: warnings, and a file that can't be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest
from support.cli import Sbctl, compiled, running, utc_home

from supervisor.model.home import Home

pytestmark = pytest.mark.usefixtures("compiler")
BROKEN = '{"format": 1,\n "cron": "0 6 * * *",\n'


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = utc_home(tmp_path, "mail", "disk")
    return compiled(home, [{"plugins": ["mail"], "commands": ["get"], "cron": "0 6 * * *"}])


@pytest.fixture
def broken(home: Home) -> Path:
    """The file of a schedule that nothing else has."""
    path = Path(home.schedules, "disk.json")
    path.parent.mkdir()
    path.write_text(BROKEN)
    return path


# warnings


def test_a_warning_is_said_once_and_points_into_the_file(sbctl: Sbctl, home: Home) -> None:
    words = ("schedule", "add", "disk", "--every", "6h", "--commands", "get,nope")
    for options in (("--dry-run",), ()):
        with running(home, []):
            code, _, err = sbctl(*words, *options)
        assert (code, err.count("no command nope")) == (0, 1), err
        assert "etc/schedules.d/disk.json:5:5: warning" in err
    assert '"nope"' in Path(home.schedules, "disk.json").read_text().splitlines()[4]


def test_the_id_says_which_plugin_it_is(sbctl: Sbctl) -> None:
    code, _, err = sbctl("schedule", "add", "night", "--plugin", "disk", "--every", "6h")
    assert code == 2
    assert "No such option" in err
    assert "PLUGIN.NAME" in sbctl("schedule", "add", "--help")[1]


def test_a_plugin_that_is_not_there_is_said(sbctl: Sbctl, home: Home) -> None:
    code, _, err = sbctl("schedule", "add", "nope.fast", "--every", "7s", "--commands", "get")
    assert code == 0
    assert err.count("there is no such plugin") == 1
    assert "plugins/nope" in err
    assert "such plugin" not in sbctl("schedule", "add", "disk", "--every", "7s")[2]
    assert "such plugin" not in sbctl("schedule", "rm", "nope.fast")[2]


# what changes


def changes(sbctl: Sbctl, *words: str) -> dict[str, Any]:
    code, out, err = sbctl("schedule", *words, "--dry-run", "--json")
    assert code == 0, err
    facts: dict[str, Any] = json.loads(out)
    return facts


def test_only_slots_that_would_run_are_counted_and_shown(sbctl: Sbctl, home: Home) -> None:
    hours = ("--set", 'activeHours={"start": 7, "end": 9}', "--set", "outsideHours=skip")
    facts = changes(sbctl, "add", "disk", "--cron", "30 * * * *", "--tz", "UTC", *hours)
    assert (facts["gained"], facts["lost"], facts["counted_to"]) == (14, 0, None)
    assert [slot["nominal"][11:16] for slot in facts["after"]].count("07:30") in (2, 3)
    assert {slot["would"] for slot in facts["after"]} == {"run"}
    facts = changes(sbctl, "edit", "mail", "--cron", "30 * * * *", *hours)
    assert (facts["gained"], facts["lost"]) == (14, 7)
    assert changes(sbctl, "add", "disk", "--cron", "30 * * * *", "--set", "enabled=false")["gained"] == 0


def test_what_is_not_counted_to_its_end_is_at_least_that(sbctl: Sbctl, home: Home) -> None:
    facts = changes(sbctl, "add", "disk", "--every", "7s")
    assert facts["counted_to"]
    assert facts["gained"] == 20_000
    out = sbctl("schedule", "add", "disk", "--every", "7s")[1]
    assert "the next 7 days: at least 20000 slots more, 0 less; counted up to " in out
    facts = changes(sbctl, "rm", "disk")
    assert (facts["gained"], facts["lost"]) == (0, 20_000)
    facts = changes(sbctl, "edit", "disk", "--every", "14s")
    assert facts["counted_to"]
    assert facts["gained"] <= facts["lost"] <= 20_000


# a file that can't be read


def test_a_broken_file_can_be_removed(sbctl: Sbctl, home: Home, broken: Path) -> None:
    code, _, err = sbctl("schedule", "rm", "disk", "--dry-run")
    assert (code, broken.exists()) == (0, True)
    code, out, err = sbctl("schedule", "rm", "disk")
    assert (code, broken.exists()) == (0, False), err
    assert "disk is removed: etc/schedules.d/disk.json" in out
    assert "etc/schedules.d/disk.json:3" in err  # what was wrong with it
    assert '  | "cron": "0 6 * * *",' in err.replace("  |  ", "  | ")  # and what it was


def test_a_broken_file_is_replaced_as_a_whole(sbctl: Sbctl, home: Home, broken: Path) -> None:
    code, out, err = sbctl("schedule", "edit", "disk", "--every", "6h")
    assert code == 0, err
    assert json.loads(broken.read_text()) == {"format": 1, "intervalHours": 6}
    assert "it is replaced as a whole; it was:" in err
    assert "0 6 * * *" in err
    assert "disk is changed" in out


def test_no_key_is_taken_out_of_a_broken_file(sbctl: Sbctl, broken: Path) -> None:
    code, _, err = sbctl("schedule", "edit", "disk", "--unset", "cron")
    assert code == 6
    assert "sbctl schedule edit disk --editor" in err
    assert broken.read_text() == BROKEN


def test_an_editor_gets_a_broken_file_as_it_is(sbctl: Sbctl, broken: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []

    def edit(text: str, **_: object) -> str:
        shown.append(text)
        return text + ' "tenant": "x"}'

    monkeypatch.setattr(click, "edit", edit)
    assert sbctl("schedule", "edit", "disk", "--editor")[0] == 0
    assert shown == [BROKEN]
    assert json.loads(broken.read_text()) == {"format": 1, "cron": "0 6 * * *", "tenant": "x"}


def test_a_broken_file_is_not_written_over_by_add(sbctl: Sbctl, broken: Path) -> None:
    code, _, err = sbctl("schedule", "add", "disk", "--every", "6h")
    assert code == 2
    assert "sbctl schedule edit disk" in err
    assert broken.read_text() == BROKEN


def test_another_file_that_is_broken_is_in_the_way(sbctl: Sbctl, home: Home, broken: Path) -> None:
    """Both can be mended, one after the other: what is wrong elsewhere is said, and this file stays as it is."""
    other = Path(home.schedules, "mail.json")
    other.write_text("{")
    code, _, err = sbctl("schedule", "rm", "disk")
    assert (code, broken.exists()) == (6, True)
    assert "etc/schedules.d/mail.json" in err


def test_a_file_that_beats_another_shows_what_counts_then(sbctl: Sbctl, home: Home) -> None:
    path = Path(home.schedules, "mail.json")
    path.parent.mkdir()
    path.write_text("{")
    code, out, _ = sbctl("schedule", "rm", "mail")
    assert code == 0
    assert out.count("06:00:00") >= 10  # before, as it was compiled last, and after
