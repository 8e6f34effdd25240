"""`sbctl doctor` as a whole: time limits, defects, secrets, and whoever may not ask."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from support.cli import Sbctl, knows, plain_home, running

from supervisor.base.errors import NO_PERMISSION, Problem
from supervisor.cli.doctor import exam, examining
from supervisor.cli.doctor.check import PROBLEM, Check
from supervisor.model.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return plain_home(tmp_path)


def test_a_file_that_never_answers_costs_its_own_lines_only(
    home: Home, sbctl: Sbctl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examining, "LIMIT_S", 1.0)
    fifo = f"{home.path}/fifo"
    os.mkfifo(fifo)

    def hangs(_exam: object) -> list[Check]:
        with open(fifo, "rb"):  # waits for a writer that never comes
            return []

    whole = [subject for subject in examining.SUBJECTS if subject[0] in ("tree", "disk")]
    monkeypatch.setattr(examining, "SUBJECTS", [*whole, ("leftovers", (hangs,))])
    began = time.monotonic()
    code, out, _ = sbctl("doctor", "--json")
    assert time.monotonic() - began < 4
    checks = json.loads(out)["checks"]
    hung = [check for check in checks if check["what"].startswith("no answer within")]
    assert [(check["subject"], check["level"], check["what"]) for check in hung] == [
        ("leftovers", PROBLEM, f"no answer within 1 s ({__name__.rpartition('.')[2]})")
    ]
    assert code == 1
    assert {check["subject"] for check in checks} == {"tree", "leftovers", "disk"}
    with open(fifo, "wb", buffering=0):
        pass  # whoever waits for it may go


def test_a_defect_in_one_subject_is_told_as_such(home: Home, sbctl: Sbctl, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_exam: object) -> list[Check]:
        raise ValueError("odd")

    monkeypatch.setattr(examining, "SUBJECTS", (("tree", (broken,)), ("disk", (lambda _exam: [Check("x", "y")],))))
    code, out, _ = sbctl("doctor")
    assert code == 0
    assert "could not be looked at: ValueError: odd" in out
    assert out.endswith("1 ok, 1 warning\n")


def test_secrets_are_masked(home: Home, sbctl: Sbctl, monkeypatch: pytest.MonkeyPatch) -> None:
    os.makedirs(home.secrets, mode=0o700)
    Path(home.secrets, "token").write_text("hunter2hunter2\n")
    found = Check("leftovers", "left: hunter2hunter2", level=PROBLEM, where="server --with hunter2hunter2")
    monkeypatch.setattr(examining, "SUBJECTS", (("tree", (lambda _exam: [found],)),))
    for options in ((), ("--json",)):
        out = sbctl("doctor", *options)[1]
        assert "left: " in out
        assert "hunter2" not in out


def test_whoever_may_not_ask_is_told_so(home: Home, sbctl: Sbctl, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise Problem("no permission to control it", remedy="use sbctl as that user", code=NO_PERMISSION)

    monkeypatch.setattr(exam, "connect", refuse)
    code, out, err = sbctl("doctor")
    assert (code, out) == (NO_PERMISSION, "")
    assert "use sbctl as that user" in err


def test_pids_of_a_container_mean_nothing_outside(home: Home, sbctl: Sbctl) -> None:
    """The daemons of make-believe say that they are pid 4242, which is no process of theirs."""
    knows(home, services=["web"])
    with running(home, ["web"]):
        code, out, _ = sbctl("doctor", "--json", "--fix")
        facts = json.loads(out)
        lock = next(check for check in facts["checks"] if check["check"] == "lock")
        assert "pid 4242, which is another process here" in lock["what"]
        assert not {"leftovers", "PID files"} & {check["check"] for check in facts["checks"]}
        assert facts["fixed"] == []
        code, out, err = sbctl("drill", "kill", "web", "--yes")
        assert (code, out) == (1, "")
        assert "pid 4242, which is another process here" in err


def test_signs_are_those_that_the_terminal_can_show(home: Home, sbctl: Sbctl, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [Check("lock", "held"), Check("web", "failed", level=PROBLEM, why="it matters", next="sbctl why web")]
    monkeypatch.setattr(examining, "SUBJECTS", (("tree", (lambda _exam: found,)),))
    assert sbctl("doctor")[:2] == (
        1,
        "tree\n  ✔ lock  held\n  ✖ web   failed\n"
        "          why:   it matters\n          next:  sbctl why web\n1 ok, 1 problem\n",
    )
    assert sbctl("--color", "always", "doctor")[1].startswith("\x1b[1mtree\x1b[0m\n  \x1b[32m✔\x1b[0m lock")
    monkeypatch.setenv("LC_ALL", "C")
    assert sbctl("doctor")[1].startswith("tree\n  ok lock  held\n  XX web   failed\n")
