"""`signal`: which words are one, who gets it, and in which order the daemons are asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from support.cli import Sbctl, plain_home
from support.fake_daemon import Fake, FakeDaemon, row

from supervisor.control.api import signal_number
from supervisor.model.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return plain_home(tmp_path)


@pytest.fixture
def scheduler(home: Home) -> Iterator[FakeDaemon]:
    """With `start` beside it; `web` has three instances."""
    with ExitStack() as stack:
        stack.enter_context(FakeDaemon(home, "start", [row("scheduler"), row("config")]))
        names = ("mail", "web:1", "web:2", "web:10")
        yield stack.enter_context(FakeDaemon(home, "scheduler", [row(name) for name in names]))


@pytest.mark.parametrize("word", ["HUP", "hup", "SIGHUP", "1"])
def test_signals_by_name_and_number(sbctl: Sbctl, scheduler: FakeDaemon, word: str) -> None:
    assert sbctl("signal", "mail", "web:1", word) == (0, "mail got SIGHUP\nweb:1 got SIGHUP\n", "")
    assert scheduler.fake.asked == [{"names": ["mail", "web:1"], "signal": "HUP", "group": False}]


@pytest.mark.parametrize("args", [["web:1", "-HUP"], ["-HUP", "web:1"], ["-1", "web:1"], ["web:1", "-SIGHUP"]])
def test_signals_as_kill_takes_them(sbctl: Sbctl, scheduler: FakeDaemon, args: list[str]) -> None:
    assert sbctl("signal", *args) == (0, "web:1 got SIGHUP\n", "")
    assert scheduler.fake.asked == [{"names": ["web:1"], "signal": "HUP", "group": False}]


@pytest.mark.parametrize(
    ("word", "name"), [("64", "RTMAX"), ("RTMIN+1", "RTMIN+1"), ("-35", "RTMIN+1"), ("IOT", "ABRT")]
)
def test_signals_that_have_a_number_rather_than_a_name(
    sbctl: Sbctl, scheduler: FakeDaemon, word: str, name: str
) -> None:
    assert sbctl("signal", "web:1", word) == (0, f"web:1 got SIG{name}\n", "")
    assert signal_number(scheduler.fake.asked[0]["signal"])


def test_help_of_signal_is_no_signal(sbctl: Sbctl) -> None:
    assert "SIG" in sbctl("signal", "-h")[1]
    assert sbctl("signal", "-x", "web:1")[0] == 2


def test_a_signal_for_the_group(sbctl: Sbctl, scheduler: FakeDaemon) -> None:
    answer = json.loads(sbctl("signal", "mail", "USR1", "--group", "--json")[1])
    assert answer == {"accepted": ["mail"], "signal": "USR1", "group": True}
    assert scheduler.fake.asked[0]["group"] is True


def test_who_does_not_run_gets_no_signal(sbctl: Sbctl, scheduler: FakeDaemon) -> None:
    scheduler.fake.rows["web:2"] = row("web:2", "stopped")
    code, out, err = sbctl("signal", "web", "HUP")
    assert (code, out) == (0, "web:1 got SIGHUP\nweb:10 got SIGHUP\n")
    assert err == "not running, so there was nothing to signal: web:2\n"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["mail", "HPU"], "did you mean HUP"),
        (["mail", "99"], "no signal '99'"),
        (["mail", "FOO"], "write a name like HUP"),
        (["mail"], "a service and a signal"),
        ([], "a service and a signal"),
        (["start", "HUP"], "supervisor itself"),
    ],
)
def test_no_such_signal(sbctl: Sbctl, scheduler: FakeDaemon, args: list[str], said: str) -> None:
    code, out, err = sbctl("signal", *args)
    assert (code, out) == (2, "")
    assert said in err
    assert scheduler.fake.asked == []


@pytest.mark.parametrize("names", [("scheduler", "mail"), ("mail", "scheduler")])
def test_the_scheduler_gets_its_signal_last(
    sbctl: Sbctl, home: Home, monkeypatch: pytest.MonkeyPatch, names: tuple[str, str]
) -> None:
    """It may end by it, and is needed for those of its services."""
    got: list[str] = []
    real = Fake.do_signal

    def do_signal(self: Fake, args: dict[str, Any], reply: Any) -> None:
        got.extend(args["names"])
        real(self, args, reply)

    monkeypatch.setattr(Fake, "do_signal", do_signal)
    with FakeDaemon(home, "start", [row("scheduler")]), FakeDaemon(home, "scheduler", [row("mail")]):
        assert sbctl("signal", *names, "KILL") == (0, "mail got SIGKILL\nscheduler got SIGKILL\n", "")
    assert got == ["mail", "scheduler"]
