"""Which run of the benchmarks becomes the kept one."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import check
from benchmarks.__main__ import wanted
from benchmarks.options import why_not_kept
from benchmarks.parts import FIGURES


def test_a_run_without_options_is_all_of_it_and_is_kept() -> None:
    found = wanted([])

    assert found.parts == list(FIGURES)
    assert found.counts[0] == 100
    assert 500 in found.counts
    assert found.is_whole
    assert why_not_kept(found, []) == ""


def test_one_part_is_kept_too() -> None:
    found = wanted(["--only", "restart,stop,start"])

    assert found.parts == ["restart", "start"]
    assert found.is_whole
    assert why_not_kept(found, []) == ""


@pytest.mark.parametrize("option", ["--quick", "--no-peers", "--n=100", "--folder=/dev/shm"])
def test_less_than_a_whole_run_is_not_kept_unless_asked(option: str) -> None:
    assert option.partition("=")[0] in why_not_kept(wanted([option]), [])
    assert why_not_kept(wanted([option, "--write"]), []) == ""


def test_a_folder_that_is_not_there_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        wanted(["--folder", "/no/such/folder"])

    assert ended.value.code == 2
    assert "--folder: /no/such/folder is not a folder that can be written into" in capsys.readouterr().err


def test_a_folder_is_the_same_from_wherever_a_peer_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path)

    assert wanted(["--folder", "here"]).folder == tmp_path / "here"


@pytest.mark.parametrize("option", ["--slack=-1", "--retries=-1"])
def test_less_than_nothing_is_refused(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        check.wanted([option])

    assert "--slack and --retries: a number from 0 on" in capsys.readouterr().err


def test_without_somebody_it_is_not_kept_either() -> None:
    assert "not everybody" in why_not_kept(wanted([]), ["the peers are left out: no network"])
    assert why_not_kept(wanted(["--write"]), ["the peers are left out: no network"]) == ""


def test_who_only_wants_to_look_can() -> None:
    assert why_not_kept(wanted(["--no-write"]), []) == "--no-write"


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--only", "telepathy"], "there is no figure 'telepathy'; there are start"),
        (["--n", "0"], "--n: numbers from 1 to 2000"),
        (["--n", "many"], "--n: numbers from 1 to 2000"),
        (["--write", "--no-write"], "not allowed with"),
    ],
)
def test_what_can_not_be_done_is_said(capsys: pytest.CaptureFixture[str], argv: list[str], words: str) -> None:
    with pytest.raises(SystemExit):
        wanted(argv)

    assert words in capsys.readouterr().err
