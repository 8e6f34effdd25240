"""`why` while the scheduler hangs: it is asked once, and what is known without it is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from support.cli import Sbctl, knows, utc_home
from support.fake_daemon import Fake, FakeDaemon, row
from support.fake_schedules import FakeSchedules
from support.waiting import eventually

from supervisor.base.clock import iso
from supervisor.cli import service_why
from supervisor.control.dial import no_answer
from supervisor.model.home import Home

NAMES = ["web:1", "web:2", "web:3"]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = utc_home(tmp_path)
    knows(home, "web", services=NAMES)
    text = "\n".join(
        json.dumps({"seq": f"1.{number}", "at": iso(number), "kind": "service.exited", "service": name, "text": "x",
                    "data": {}}, separators=(",", ":"))
        for number, name in enumerate(NAMES[:2], 1)
    )  # fmt: skip
    Path(home.journal_file).write_text(text + "\n")
    return home


@pytest.fixture
def asked(home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What was asked of a scheduler that hangs; and each look at the whole status."""
    asked: list[str] = []

    def hang(_self: object, args: dict[str, Any], _reply: object) -> None:
        asked.append(args["name"])
        raise no_answer(home, "scheduler")

    monkeypatch.setattr(Fake, "do_why", hang)
    monkeypatch.setattr(FakeSchedules, "do_why_schedule", hang)
    with ExitStack() as stack:
        start = stack.enter_context(FakeDaemon(home, "start", [row("scheduler")]))
        start.fake.after_status = lambda: asked.append("status")
        stack.enter_context(FakeDaemon(home, "scheduler", [row(name) for name in NAMES]))
        yield asked


def test_it_is_asked_once_and_the_others_are_told_from_the_journal(sbctl: Sbctl, home: Home, asked: list[str]) -> None:
    knows(home, services=NAMES)
    code, out, err = sbctl("why", "web")

    assert [part.partition(";")[0].split(",")[0] for part in out.split("\n\n")] == [
        f"{one} is running" for one in NAMES
    ]
    assert out.count("; the scheduler does not answer\n") == 3
    assert (code, err) == (
        0,
        f"scheduler does not answer: this is what the journal remembers, up to {iso(2)}\n",
    )
    eventually(lambda: asked == ["web:1", "status"])  # the second is noted once it is answered


def test_the_services_are_shown_though_nobody_tells_of_the_schedule(sbctl: Sbctl, asked: list[str]) -> None:
    code, out, err = sbctl("why", "web")

    assert [part.split(" is ")[0] for part in out.split("\n\n")] == NAMES
    assert code == 124
    said, *error = err.splitlines()
    assert said.startswith("scheduler does not answer: this is what the journal remembers")
    assert error[0] == "error: nothing is known of the schedule web: scheduler does not answer"
    eventually(lambda: asked == ["web:1", "status"])  # the second is noted once it is answered

    code, out, _ = sbctl("why", "web", "--json")
    facts = json.loads(out)
    assert code == 124
    assert ([one["row"]["name"] for one in facts["services"]], facts["schedule"]) == (NAMES, None)


@pytest.mark.usefixtures("asked")
def test_the_scheduler_that_hangs_is_not_called_stopped_because_a_service_is(
    sbctl: Sbctl, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    knows(home, services=NAMES)
    rows = [row("scheduler"), row("web:1", "stopped")]
    monkeypatch.setattr(service_why, "build_status", lambda _home: {"services": rows})
    said = sbctl("why", "web:1")[1].splitlines()
    assert said[0] == "web:1 is stopped; the scheduler does not answer"
    assert said[-1] == "next        sbctl why scheduler"
    rows[0] = row("scheduler", "stopped")
    said = sbctl("why", "web:1")[1].splitlines()
    assert (said[0], said[-1]) == ("web:1 is stopped; the scheduler is stopped", "next        sbctl start scheduler")


def test_a_schedule_alone_that_nobody_tells_of_is_an_error(sbctl: Sbctl, home: Home, asked: list[str]) -> None:
    knows(home, "mail", services=NAMES)
    code, out, err = sbctl("why", "mail")
    assert (code, out, err.splitlines()[0]) == (124, "", "error: scheduler does not answer")
    assert asked == ["mail"]


def test_a_start_that_hangs_is_not_said_to_be_stopped(
    sbctl: Sbctl, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hang(_self: object, _args: dict[str, Any], _reply: object) -> None:
        raise no_answer(home, "start")

    monkeypatch.setattr(Fake, "do_why", hang)
    monkeypatch.setattr(Fake, "do_status", hang)
    with FakeDaemon(home, "start", [row("config")]):
        code, out, err = sbctl("why", "config")
    assert (code, out) == (124, "")
    assert err.startswith(
        "error: start does not answer\n  why:  it is suspended, or very busy\n  next: look at it with"
    )
