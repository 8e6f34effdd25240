"""Verbs for single services against daemons of make-believe: patterns, what is enabled, what comes along."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.cli import Sbctl
from support.fake_daemon import FakeDaemon, row

from supervisor.base.errors import Problem
from supervisor.cli.rolling import watch_steps
from supervisor.cli.settling import is_up, what_is_up, what_is_wrong, why_hint
from supervisor.model.home import Home

NAMES = ("mail", "web:1", "web:2", "web:10")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "sbctl.yaml").write_text("format: 1\n")
    for name in ("mail", "web"):
        (tmp_path / "plugins" / name).mkdir(parents=True)
    return Home(str(tmp_path))


@pytest.fixture
def scheduler(home: Home) -> Iterator[FakeDaemon]:
    """With `start` beside it; `web` has three instances."""
    with ExitStack() as stack:
        stack.enter_context(FakeDaemon(home, "start", [row("scheduler"), row("config")]))
        yield stack.enter_context(FakeDaemon(home, "scheduler", [row(name) for name in NAMES]))


# names


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["web"], ["web:1", "web:2", "web:10"]),
        (["web:*"], ["web:1", "web:2", "web:10"]),
        (["web:2", "web"], ["web:2", "web:1", "web:10"]),
        (["*"], list(NAMES)),
        (["m?il", "config"], ["mail", "config"]),
    ],
)
@pytest.mark.usefixtures("scheduler")
def test_a_word_may_mean_several_services(sbctl: Sbctl, words: list[str], meant: list[str]) -> None:
    assert [line.split("\t")[0] for line in sbctl("status", "--plain", *words)[1].splitlines()] == meant
    assert [one["name"] for one in json.loads(sbctl("status", "--json", *words)[1])["services"]] == meant


def test_the_daemon_writes_patterns_out(sbctl: Sbctl, scheduler: FakeDaemon) -> None:
    assert sbctl("stop", "web*")[:2] == (0, "web:1 stopped\nweb:2 stopped\nweb:10 stopped\n")
    assert scheduler.fake.asked == [{"names": ["web*"]}]
    assert sbctl("status", "--plain", "mail")[1].split("\t")[1] == "running"


@pytest.mark.parametrize("word", ["wbe", "wbe*", "web:3", "[", "conf*"])
@pytest.mark.parametrize("verb", ["start", "stop", "restart", "signal", "reload"])
def test_a_word_that_means_nothing(sbctl: Sbctl, scheduler: FakeDaemon, verb: str, word: str) -> None:
    code, out, err = sbctl(verb, "mail", word, *(["HUP"] if verb == "signal" else []))
    assert (code, out) == (2, "")
    assert "no service " in err
    assert repr(word) in err
    assert scheduler.fake.asked == []


# what comes along


def test_who_is_required_is_named(sbctl: Sbctl, scheduler: FakeDaemon) -> None:
    sbctl("stop", "web")
    scheduler.fake.also = ["mail"]
    code, out, err = sbctl("start", "web:1")
    assert (code, out) == (0, f"web:1 is up (pid {row('web:1')['pid']})\n")
    assert "started as well, because it is required: mail" in err
    assert json.loads(sbctl("start", "web:1", "--json")[1])["with"] == ["mail"]


def test_who_requires_it_is_named(sbctl: Sbctl, scheduler: FakeDaemon) -> None:
    scheduler.fake.also = ["web:1"]
    scheduler.fake.rows["web:1"] = row("web:1", "waiting", detail="waits for mail (stopped)")
    code, out, err = sbctl("stop", "mail")
    assert (code, out) == (0, "mail stopped\n")
    assert "stopped as well, because it requires what is stopped: web:1" in err


# what one that is not simply running is


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"state": "external", "detail": "runs outside sbctl, pid 77", "pid": 77}, "web runs outside sbctl, pid 77"),
        ({"state": "stopped", "detail": "finished"}, "web finished"),
        ({"state": "running", "ready": True}, f"web is up (pid {row('web')['pid']})"),
        ({"state": "running", "ready": False}, f"web is up, but degraded (pid {row('web')['pid']})"),
    ],
)
def test_as_it_should_be(changes: dict[str, object], said: str) -> None:
    one = {**row("web"), **changes}
    assert is_up(one)
    assert what_is_up(one, already=False) == said


@pytest.mark.parametrize(
    ("changes", "said", "hint"),
    [
        (
            {"state": "waiting", "detail": "waits for db (failed: exit code 1)"},
            "waits for db (failed: exit code 1)",
            "sbctl why db",
        ),
        (
            {"state": "waiting", "detail": "waits for port 80 to be free"},
            "waits for port 80 to be free",
            "sbctl why web",
        ),
        # of a start that is not waited for any longer: the end of the process before says nothing about this one
        ({"state": "starting", "cause": "stopped: SIGTERM"}, "starting", "sbctl why web"),
        ({"state": "stopped", "detail": "", "cause": "exit code 3"}, "stopped: exit code 3", "sbctl why web"),
        ({"state": "stopped", "detail": "disabled"}, "stopped: disabled", "sbctl why web"),
        ({"state": "failed", "detail": "gave up"}, "failed: gave up", "sbctl why web"),
    ],
)
def test_not_as_it_should_be(changes: dict[str, object], said: str, hint: str) -> None:
    one = {**row("web"), **changes}
    assert not is_up(one)
    assert (what_is_wrong(one), why_hint(one)) == (said, hint)


# restart


def test_a_rolling_restart_tells_its_steps(sbctl: Sbctl, scheduler: FakeDaemon) -> None:
    code, out, err = sbctl("restart", "web", "--rolling")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert [line.partition(" (")[0] for line in lines[:3]] == [f"web:{n} restarted" for n in (1, 2, 10)]
    assert lines[2].endswith("3 of 3")
    assert scheduler.fake.asked == [{"names": ["web"], "rolling": True}]


@pytest.mark.parametrize(("option", "sent"), [((), {}), (("--at-once",), {"rolling": False})])
def test_how_is_the_daemons_choice(
    sbctl: Sbctl, scheduler: FakeDaemon, option: tuple[str, ...], sent: dict[str, bool]
) -> None:
    assert sbctl("restart", "web", *option)[0] == 0
    assert scheduler.fake.asked == [{"names": ["web"], **sent}]


def test_a_restart_in_which_one_does_not_come_up(sbctl: Sbctl, scheduler: FakeDaemon) -> None:
    scheduler.fake.stubborn = frozenset({"web:2"})
    code, out, err = sbctl("restart", "web", "--json")
    assert (code, out) == (1, "")
    assert "web:2 did not come up again: backoff: exit code 1" in err
    assert "restarted: web:1, web:10" in err
    assert "sbctl why web:2; then: sbctl restart web:2" in err


def test_one_that_is_up_for_a_moment_is_not_taken_for_restarted(home: Home, scheduler: FakeDaemon) -> None:
    """It ends after it has been looked at: the daemon stops there, and nothing further would ever happen."""
    rows = scheduler.fake.rows
    rows["web:2"] = row("web:2", pid=7777, uptime_s=0.0)
    before = {"web:2": "2", "web:10": str(rows["web:10"]["pid"])}
    ended = row("web:2", "backoff", desired="up", cause="exit code 3")
    scheduler.fake.after_status = lambda: rows.update({"web:2": ended})
    with pytest.raises(Problem) as raised:
        watch_steps(home, before, 5.0)
    assert "the restart stopped at web:2, which is backoff: exit code 3" in raised.value.text()
    assert "running as before: web:10" in raised.value.text()


def test_those_restarted_along_are_waited_for_and_told(sbctl: Sbctl, scheduler: FakeDaemon) -> None:
    scheduler.fake.also = ["mail"]
    code, out, err = sbctl("restart", "web:1")
    assert (code, [line.partition(" (")[0] for line in out.splitlines()]) == (0, ["web:1 is up", "mail is up"])
    assert "along with it, because it requires it or is required: mail" in err
    scheduler.fake.rows["mail"] = row("mail", "backoff", desired="up", cause="exit code 1")
    code, out, err = sbctl("restart", "web:1", "--json")
    assert (code, [each["name"] for each in json.loads(out)["services"]]) == (1, ["web:1", "mail"])
    assert "mail is not up: backoff: exit code 1" in err


@pytest.mark.parametrize("args", [["--rolling", "--at-once", "web"], ["--rolling"], ["--at-once"]])
def test_restarts_that_can_not_be_meant(sbctl: Sbctl, args: list[str]) -> None:
    assert sbctl("restart", *args)[0] == 2


# reload


def test_reload_of_services(sbctl: Sbctl, scheduler: FakeDaemon) -> None:
    assert sbctl("reload", "web:1") == (0, "web:1 was asked to reload\n", "")
    assert json.loads(sbctl("reload", "web", "--json")[1]) == {"accepted": ["web:1", "web:2", "web:10"]}
    assert sbctl("reload", "web", "--dry-run")[0] == 2
    assert scheduler.fake.asked == [{"names": ["web:1"]}, {"names": ["web"]}]


# enable, disable


def test_disable_and_enable_of_a_running_home(sbctl: Sbctl, scheduler: FakeDaemon) -> None:
    assert sbctl("disable", "mail") == (0, "mail is disabled and stopped\n", "")
    assert sbctl("disable", "mail")[1] == "mail was disabled already and stopped\n"
    assert scheduler.fake.disabled == {"mail"}
    answer = json.loads(sbctl("enable", "mail", "--json")[1])
    assert (answer["accepted"], answer["already"], answer["with"]) == (["mail"], [], [])
    assert [one["state"] for one in answer["services"]] == ["running"]
    assert all(asked["by"] for asked in scheduler.fake.asked)


def test_one_that_is_enabled_and_does_not_come_up(sbctl: Sbctl, scheduler: FakeDaemon) -> None:
    scheduler.fake.stubborn = frozenset({"mail"})
    sbctl("disable", "mail")
    code, out, err = sbctl("enable", "mail")
    assert (code, out) == (1, "mail is enabled\n")
    assert "mail is not up: backoff: exit code 1" in err


def test_disable_and_enable_of_a_stopped_home(sbctl: Sbctl, home: Home) -> None:
    assert sbctl("disable", "w*") == (0, "web is disabled\n", "")
    assert json.loads(Path(home.intent_file).read_text())["services"]["web"]["enabled"] is False
    assert sbctl("disable", "web", "mail")[1] == "mail is disabled\nweb was disabled already\n"
    assert sbctl("enable", "web")[1] == "web is enabled\n"
    assert json.loads(Path(home.intent_file).read_text())["services"]["web"]["enabled"] is True
    assert sbctl("enable", "wbe")[0] == 2


def test_a_start_of_what_is_disabled_says_so(sbctl: Sbctl, home: Home) -> None:
    sbctl("disable", "mail")
    with FakeDaemon(home, "start", [row("scheduler")]), FakeDaemon(home, "scheduler", [row("mail", "stopped")]):
        code, out, err = sbctl("start", "mail")
    assert (code, out) == (0, f"mail is up (pid {row('mail')['pid']})\n")
    assert "mail is disabled: the next time it is not started by itself (sbctl enable mail)" in err


def test_a_state_file_that_is_none_is_not_overwritten(sbctl: Sbctl, home: Home) -> None:
    Path(home.logs).mkdir()
    Path(home.intent_file).write_text("{torn")
    code, _, err = sbctl("disable", "mail")
    assert code == 1
    assert "state.json can't be read" in err
    assert Path(home.intent_file).read_text() == "{torn"


@pytest.mark.parametrize(
    ("verb", "name", "said"),
    [
        ("enable", "config", "config: {enabled: true}"),
        ("disable", "config", "config: {enabled: false}"),
        ("enable", "tunnel", "tunnel: {enabled: true, command: ...}"),
        ("disable", "tunnel", "tunnel: {enabled: false}"),
        ("enable", "scheduler", "sbctl start scheduler"),
        ("disable", "scheduler", "sbctl stop scheduler"),
    ],
)
def test_services_of_sbctl_itself_are_the_settings_business(sbctl: Sbctl, verb: str, name: str, said: str) -> None:
    code, _, err = sbctl(verb, name)
    assert code == 2
    assert said in err


# JSON


@pytest.mark.usefixtures("scheduler")
@pytest.mark.parametrize("verb", ["start", "stop", "restart"])
def test_one_object_instead_of_sentences(sbctl: Sbctl, verb: str) -> None:
    code, out, err = sbctl(verb, "web", "mail", "--json")
    answer = json.loads(out)
    assert (code, err) == (0, "")
    assert {"accepted", "already", "with", "services"} <= set(answer)
    assert sorted(answer["accepted"] + answer["already"]) == sorted(NAMES)
    assert [one["name"] for one in answer["services"]]


def test_of_a_stopped_home(sbctl: Sbctl) -> None:
    assert json.loads(sbctl("stop", "mail", "--json")[1])["already"] == ["mail"]
    assert json.loads(sbctl("stop", "--json")[1])["stopped"] is None


@pytest.mark.usefixtures("scheduler")
def test_of_a_tree_that_runs(sbctl: Sbctl) -> None:
    assert json.loads(sbctl("start", "--json")[1]) == {"started": False, "pid": 4242, "seconds": 0.0}
