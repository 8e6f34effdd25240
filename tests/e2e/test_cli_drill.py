"""`sbctl drill` on services that come back, that come back too late, that hang; and nobody is left stopped."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from support.children import child
from support.home import LAUNCHER, Result, TemporaryHome
from support.ports import free_port
from support.processes import alive, kill
from support.waiting import eventually

from supervisor.cli.doctor.exam import is_suspended

SLEEPER = ["/bin/sleep", "1000"]


@pytest.fixture
def home(home: TemporaryHome) -> TemporaryHome:
    home.settings["config"]["enabled"] = False
    home.supervision["fastCrashSeconds"] = 0.05
    home.write()
    home.add_plugin("db", SLEEPER)
    return home


def drill(home: TemporaryHome, *words: object) -> tuple[Result, dict[str, Any]]:
    result = home.sbctl("drill", *words, "--yes", "--json")
    return result, result.json() if result.out else {}


def passed(facts: dict[str, Any]) -> dict[str, bool | None]:
    return {step["step"]: step["passed"] for step in facts["steps"]}


def pid_of(home: TemporaryHome, name: str) -> int:
    return int(home.status(name)["services"][0]["pid"])


def add_watched(home: TemporaryHome, tmp_path: Path, **alive_keys: Any) -> None:
    """An HTTP server that is asked ten times a second."""
    port = free_port()
    check = {"http": f"http://127.0.0.1:{port}/", "intervalSeconds": 0.1, "timeoutSeconds": 0.2, "failures": 2}
    home.add_plugin(
        "web", child("health", port, tmp_path / "health"), ready={"http": check["http"]}, alive={**check, **alive_keys}
    )


def test_a_service_that_comes_back(home: TemporaryHome) -> None:
    home.add_plugin("web", SLEEPER)
    assert home.sbctl("start").code == 0
    web, db = pid_of(home, "web"), pid_of(home, "db")
    result, facts = drill(home, "kill", "web")
    assert (result.code, facts["passed"], facts["name"], facts["drill"]) == (0, True, "web", "kill"), facts
    assert list(passed(facts)) == ["killed", "seen", "restarted", "ready", "journal", "status", "others"]
    assert not alive(web)
    assert (pid_of(home, "web") != web, pid_of(home, "db")) == (True, db)
    seen = next(step for step in facts["steps"] if step["step"] == "seen")
    assert 0 <= seen["after_s"] < seen["limit_s"]
    text = home.sbctl("drill", "kill", "web", "--yes", env={"LC_ALL": "C.UTF-8"})
    assert text.out.startswith("drill kill web: pass in ")
    assert "✔ restarted" in text.out


@pytest.mark.slow
def test_one_whose_restart_takes_longer_than_it_may(home: TemporaryHome) -> None:
    home.supervision.update({"fastCrashSeconds": 600, "delaysSeconds": [600]})
    home.write()
    assert home.sbctl("start").code == 0
    result, facts = drill(home, "kill", "db", "--timeout", "1s")
    assert (result.code, facts["passed"]) == (1, False)
    assert passed(facts) == {"killed": True, "seen": True, "restarted": False, "ready": None, "others": True}
    assert "600" in str(facts["steps"]) or "10m" in str(facts["steps"])
    assert facts["next"] == "sbctl why db; sbctl events -n 20"


@pytest.mark.slow
def test_one_that_is_not_ready_any_more(home: TemporaryHome, tmp_path: Path) -> None:
    once = f"mkdir '{tmp_path}/once' && echo here I am; exec sleep 1000"
    home.supervision["startTimeoutSeconds"] = 1
    home.write()
    home.add_plugin("web", ["/bin/sh", "-c", once], ready={"log": "here I am"})
    assert home.sbctl("start").code == 0
    result, facts = drill(home, "kill", "web")
    assert result.code == 1
    assert (passed(facts)["restarted"], passed(facts)["ready"]) == (True, False)


@pytest.mark.slow
def test_others_that_do_not_stay_who_they_were(home: TemporaryHome, tmp_path: Path) -> None:
    """One whose death takes another along without anybody having said that it is required."""
    home.add_plugin("web", SLEEPER)
    file = f"'{home.path}/logs/web/server.pid'"
    tied = f"until [ -s {file} ]; do sleep 0.02; done; pid=$(cat {file}); while kill -0 $pid; do sleep 0.02; done"
    home.add_plugin("tied", ["/bin/sh", "-c", tied])
    home.add_plugin("needs", SLEEPER, requires=["web"])
    home.supervision["settleSeconds"] = 1  # so long it is looked at before the others are
    home.write()
    assert home.sbctl("start").code == 0
    result, facts = drill(home, "kill", "web")
    others = next(step for step in facts["steps"] if step["step"] == "others")
    assert (result.code, others["passed"]) == (1, False)
    assert others["what"] == "not the same processes as before: tied"


def test_the_scheduler_dies_and_its_servers_do_not_notice(home: TemporaryHome) -> None:
    home.add_plugin("web", SLEEPER)
    assert home.sbctl("start").code == 0
    before = {name: pid_of(home, name) for name in ("web", "db")}
    result, facts = drill(home, "kill", "scheduler")
    assert (result.code, facts["passed"]) == (0, True), facts
    assert facts["steps"][-1]["what"] == "all 2 kept their process and its uptime"
    assert {name: pid_of(home, name) for name in before} == before


def test_a_hang_that_a_check_notices(home: TemporaryHome, tmp_path: Path) -> None:
    add_watched(home, tmp_path)
    assert home.sbctl("start").code == 0
    web = pid_of(home, "web")
    result, facts = drill(home, "hang", "web")
    assert (result.code, facts["passed"]) == (0, True), facts
    names = ["stopped", "noticed", "ended", "restarted", "ready", "journal", "status", "others"]
    assert list(passed(facts)) == names
    assert not alive(web)


@pytest.mark.slow
def test_a_scheduler_that_hangs_is_replaced(home: TemporaryHome) -> None:
    home.supervision["reconcileSeconds"] = 0.5
    home.settings["core"] = {"scheduler": {"watchdogSeconds": 1.5}}
    home.write()
    assert home.sbctl("start").code == 0
    db = pid_of(home, "db")
    result, facts = drill(home, "hang", "scheduler")
    assert (result.code, facts["passed"]) == (0, True), facts
    assert pid_of(home, "db") == db


@pytest.mark.slow
def test_a_hang_that_is_shown_and_lets_it_run(home: TemporaryHome, tmp_path: Path) -> None:
    add_watched(home, tmp_path, onFailure="degrade")
    assert home.sbctl("start").code == 0
    web = pid_of(home, "web")
    result, facts = drill(home, "hang", "web")
    assert (result.code, passed(facts)) == (0, dict.fromkeys(["stopped", "noticed", "status", "others"], True)), facts
    assert pid_of(home, "web") == web
    eventually(lambda: home.status("web")["services"][0]["ready"])


@pytest.mark.slow
def test_where_nothing_would_notice_nothing_is_done(home: TemporaryHome) -> None:
    assert home.sbctl("start").code == 0
    pid, events = pid_of(home, "db"), len(home.events())
    result = home.sbctl("drill", "hang", "db", "--json")  # nothing is changed, so nobody has to be asked
    facts = result.json()
    assert (result.code, passed(facts)) == (1, {"noticed": False})
    assert "plugins/db/manifest.json" in facts["next"]
    assert not is_suspended(pid)
    assert [event for event in home.events()[events:] if event.get("service") == "db"] == []


@pytest.mark.slow
def test_one_that_is_not_noticed_in_time_goes_on(home: TemporaryHome, tmp_path: Path) -> None:
    add_watched(home, tmp_path, intervalSeconds=30)
    assert home.sbctl("start").code == 0
    web = pid_of(home, "web")
    result, facts = drill(home, "hang", "web", "--timeout", "0.3s")
    assert (result.code, passed(facts)["stopped"], passed(facts)["noticed"]) == (1, True, False)
    assert alive(web)
    assert not is_suspended(web)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_whoever_ends_the_drill_the_process_goes_on(home: TemporaryHome, tmp_path: Path, number: int) -> None:
    add_watched(home, tmp_path, intervalSeconds=30)
    assert home.sbctl("start").code == 0
    web = pid_of(home, "web")
    command = [LAUNCHER, "drill", "hang", "web", "--yes"]
    with subprocess.Popen(command, env=home.environment(), stdout=subprocess.DEVNULL) as process:
        eventually(lambda: is_suspended(web))
        kill(process.pid, number)
        code = process.wait(10)
    assert code == (-number if number == signal.SIGKILL else 130)
    eventually(lambda: not is_suspended(web))
    assert alive(web)
    assert pid_of(home, "web") == web


def test_without_consent_nothing_is_done(home: TemporaryHome) -> None:
    assert home.sbctl("start").code == 0
    pid = pid_of(home, "db")
    result = home.sbctl("drill", "kill", "db")
    assert (result.code, result.out) == (2, "")
    assert "sbctl drill kill db --yes" in result.err
    assert alive(pid)


def test_what_is_refused(home: TemporaryHome) -> None:
    home.add_plugin("rests", SLEEPER, autoStart=False)
    home.add_plugin("once", SLEEPER, restart="never")
    assert home.sbctl("drill", "kill", "db", "--yes").code == 7
    assert home.sbctl("start").code == 0
    assert home.sbctl("drill", "kill", "start", "--yes").code == 2
    assert "did you mean 'db'" in home.sbctl("drill", "kill", "dv", "--yes").err
    stopped = home.sbctl("drill", "kill", "rests", "--yes")
    assert (stopped.code, "rests is stopped" in stopped.err) == (1, True)
    never = home.sbctl("drill", "kill", "once", "--yes")
    assert (never.code, "would not start it again" in never.err) == (1, True)
    assert home.status("once")["services"][0]["state"] == "running"


@pytest.mark.slow
def test_one_death_before_it_is_given_up_takes_force(home: TemporaryHome) -> None:
    home.supervision.update({"fastCrashSeconds": 600, "giveUpAfter": 2, "delaysSeconds": [0.1]})
    home.write()
    assert home.sbctl("start").code == 0
    assert drill(home, "kill", "db")[0].code == 0
    refused, _ = drill(home, "kill", "db")
    assert (refused.code, "one more of 2 and it is given up" in refused.err) == (1, True)
    assert home.status("db")["services"][0]["state"] == "running"
    result, facts = drill(home, "kill", "db", "--force")
    assert (result.code, passed(facts)["stays down"], passed(facts)["status"]) == (0, True, True), facts
    assert home.status("db")["services"][0]["state"] == "failed"


def test_the_mark_of_a_stopped_process_is_seen() -> None:
    with subprocess.Popen(SLEEPER) as process:
        assert not is_suspended(process.pid)
        os.kill(process.pid, signal.SIGSTOP)
        eventually(lambda: is_suspended(process.pid))
        process.kill()
