"""`sbctl doctor` on homes that are really broken: suspended daemons, leftovers, full disks, damaged files."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.children import child
from support.home import Result, TemporaryHome
from support.processes import alive, all_marked, kill
from support.waiting import eventually

from supervisor.model.home import Home
from supervisor.model.identity import read_home_id

SLEEPER = ["/bin/sleep", "1000"]
LIMIT_S = 10.0
KEYS = ["subject", "check", "level", "what", "where", "why", "next", "fixable"]


@pytest.fixture
def running(home: TemporaryHome) -> TemporaryHome:
    home.settings["config"]["enabled"] = False
    home.write()
    home.add_plugin("web", SLEEPER)
    assert home.sbctl("start").code == 0
    return home


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(SLEEPER)
    yield process
    process.kill()
    process.wait()


def doctor(home: TemporaryHome, *options: str) -> tuple[Result, dict[str, Any]]:
    """Its answer, which has to come in time whatever hangs."""
    result = home.sbctl("doctor", "--json", *options)
    facts = result.json()
    assert facts["took_s"] < LIMIT_S or facts["fixed"]
    return result, facts


def found(facts: dict[str, Any], level: str = "problem") -> dict[str, dict[str, Any]]:
    """By name; the clock of the machine that the tests run on is no concern of theirs."""
    return {each["check"]: each for each in facts["checks"] if each["level"] == level and not of_machine(each)}


def of_machine(check: dict[str, Any]) -> bool:
    """Its disk, and how busy it is: then not all settings are read in time."""
    is_busy = check["what"].startswith("not all read within")
    return (
        check["subject"] == "machine"
        or (check["check"].startswith("disk of") and check["level"] == "warning")
        or is_busy
    )


def kill_tree(home: TemporaryHome) -> None:
    """`start` and the scheduler at once, so that neither can tidy up."""
    pids = [pid for role in ("start", "scheduler") if (pid := home.pid(role))]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    for pid in pids:
        kill(pid)
    eventually(lambda: not any(alive(pid) for pid in pids))


def marked(home: TemporaryHome) -> dict[str, list[int]]:
    return all_marked(read_home_id(Home(str(home))))


def test_a_home_that_is_well(running: TemporaryHome) -> None:
    result, facts = doctor(running)
    assert (result.code, result.err) == (0, "")
    assert found(facts) == {}
    assert list(facts) == ["home", "at", "took_s", "state", "counts", "checks", "fixed"]
    assert all(list(each) == KEYS for each in facts["checks"])
    assert sum(facts["counts"].values()) == len(facts["checks"])
    named = {each["check"]: each["what"] for each in facts["checks"]}
    assert named["lock"].startswith(f"held by start, pid {running.pid('start')}")
    assert named["services"] == "all 2 are as they should be, 2 run"
    assert named["death of start"].startswith("ends scheduler by a signal")
    assert named["history"] == "none yet"  # there are no schedules

    def history() -> str:
        return next(each["what"] for each in doctor(running)[1]["checks"] if each["check"] == "history")

    assert running.sbctl("next").code == 0  # a question about them
    eventually(lambda: history().startswith("whole, "))

    text = running.sbctl("doctor", env={"LC_ALL": "C.UTF-8"})
    assert text.code == 0
    assert "tree\n  ✔ lock " in text.out
    assert "\x1b" not in text.out


@pytest.mark.slow
def test_a_home_that_is_stopped_and_one_that_never_ran(home: TemporaryHome) -> None:
    assert doctor(home)[0].code == 0
    assert not (home.path / "logs").exists()  # a look changes nothing
    home.add_plugin("web", SLEEPER)
    home.sbctl("start")
    home.sbctl("stop")
    result, facts = doctor(home)
    assert (result.code, found(facts), found(facts, "warning")) == (0, {}, {})


def test_a_scheduler_that_is_suspended(running: TemporaryHome) -> None:
    pid = running.pid("scheduler")
    assert pid
    os.kill(pid, signal.SIGSTOP)
    try:
        result, facts = doctor(running)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
    assert result.code == 1
    check = found(facts)["scheduler"]
    assert check["what"] == f"is suspended (pid {pid})"
    assert check["next"].startswith(f"kill -CONT {pid}")
    assert set(found(facts)) == {"scheduler"}


@pytest.mark.slow
def test_start_and_scheduler_both_suspended(running: TemporaryHome) -> None:
    pids = [running.pid("start"), running.pid("scheduler")]
    for pid in pids:
        assert pid
        os.kill(pid, signal.SIGSTOP)
    try:
        result, facts = doctor(running, "--fix")
        fixed = facts["fixed"]
    finally:
        for pid in pids:
            os.kill(pid or 0, signal.SIGCONT)
    assert (result.code, fixed) == (1, [])
    assert found(facts)["lock"]["what"].startswith(f"start (pid {pids[0]}) is suspended")
    assert [running.pid("start"), running.pid("scheduler")] == pids
    eventually(lambda: running.status()["state"] == "running")


def test_what_a_killed_tree_has_left_is_ended(home: TemporaryHome) -> None:
    home.supervision["graceSeconds"] = 0.5
    home.settings["config"]["enabled"] = False
    home.write()
    home.add_plugin("web", SLEEPER)
    home.add_plugin("deaf", child("ignore_term"))
    assert home.sbctl("start").code == 0
    eventually(lambda: "ready" in home.log("deaf"))
    kill_tree(home)
    pids = sorted(pid for some in marked(home).values() for pid in some)
    assert len(pids) >= 2

    result, facts = doctor(home)
    assert result.code == 1
    problems = found(facts)
    assert set(problems) == {"leftovers", "start.pid"}
    assert all(f"(pid {pid}," in problems["leftovers"]["what"] for pid in pids)
    assert problems["leftovers"]["fixable"]
    assert all(alive(pid) for pid in pids)

    result, facts = doctor(home, "--fix")
    assert (result.code, found(facts), found(facts, "warning")) == (0, {}, {}), facts
    assert not any(alive(pid) for pid in pids)
    told = [each["text"] for each in facts["fixed"]]
    assert told[0].startswith("ended what was left over: ")
    assert sum(text.startswith("removed ") for text in told) == 4  # start, scheduler, web, deaf
    assert list((home.path / "logs").rglob("*.pid")) == []
    assert home.sbctl("start").code == 0


@pytest.mark.slow
def test_fix_ends_nothing_of_a_tree_that_runs(running: TemporaryHome, tmp_path: Path) -> None:
    """One is older than the tree, and got the mark of its home later: that one is ended, and nobody else."""
    running.sbctl("stop")
    mark, go = read_home_id(Home(str(running))), tmp_path / "go"
    waits = f"while ! [ -e '{go}' ]; do sleep 0.02; done; SB_HOME_ID={mark} SB_KEY=web.99 exec sleep 1000"
    old = subprocess.Popen(["/bin/sh", "-c", waits])
    young = None
    try:
        assert running.sbctl("start").code == 0
        go.touch()
        eventually(lambda: old.pid in marked(running).get("web.99", []))
        young = subprocess.Popen(SLEEPER, env={"SB_HOME_ID": mark, "SB_KEY": "web.98"})
        eventually(lambda: young.pid in marked(running).get("web.98", []))
        before = running.pids()

        result, facts = doctor(running, "--fix")

        assert old.wait(5) == -signal.SIGTERM
        assert [each["text"] for each in facts["fixed"]] == [f"ended what was left over: web (pid {old.pid})"]
        assert (result.code, found(facts)) == (0, {})
        left = found(facts, "warning")["leftovers"]
        assert f"(pid {young.pid}," in left["what"]
        assert left["what"].count("(pid ") == 1  # the services of the tree are its own
        assert not left["fixable"]
        assert alive(young.pid)
        assert [pid for pid in running.pids() if pid != old.pid] == [pid for pid in before if pid != old.pid]
    finally:
        for process in (old, young):
            if process is not None:
                process.kill()
                process.wait()


def test_a_scheduler_that_ends_what_it_managed_is_let_do_so(home: TemporaryHome) -> None:
    home.supervision["graceSeconds"] = 3
    home.settings["config"]["enabled"] = False
    home.write()
    home.add_plugin("deaf", child("ignore_term"))
    assert home.sbctl("start").code == 0
    eventually(lambda: "ready" in home.log("deaf"))
    start = home.pid("start")
    assert start
    kill(start)
    eventually(lambda: not alive(start))
    _, facts = doctor(home, "--fix")
    assert "ending what it managed" in found(facts, "warning")["leftovers"]["what"]
    assert not any(each["text"].startswith("ended") for each in facts["fixed"])


@pytest.mark.slow
def test_a_pid_file_of_a_killed_start_that_names_a_stranger(
    running: TemporaryHome, stranger: subprocess.Popen[bytes]
) -> None:
    running.sbctl("stop")
    path = running.path / "logs" / "start.pid"
    path.write_text(f"{stranger.pid}\n")
    result, facts = doctor(running)
    assert result.code == 1
    assert found(facts)["start.pid"]["what"].startswith(f"names pid {stranger.pid}, which is none of ours now: /bin/sl")
    result, facts = doctor(running, "--fix")
    assert (result.code, found(facts)) == (0, {})
    assert not path.exists()
    assert alive(stranger.pid)


@pytest.mark.slow
def test_a_pid_file_that_says_something_else_is_written_anew(running: TemporaryHome) -> None:
    right = running.status("web")["services"][0]["pid"]
    path = running.path / "logs" / "web" / "server.pid"
    path.write_text("999999999\n")
    _, facts = doctor(running)
    assert found(facts, "warning")["web.pid"]["what"] == f"says 999999999, but web is {right}"
    doctor(running, "--fix")
    assert path.read_text() == f"{right}\n"


@pytest.mark.slow
def test_what_a_kill_has_left_half_done(running: TemporaryHome) -> None:
    old = time.time() - 7200
    half = running.path / "etc" / f".sbctl.yaml.{2**22 + 1}.tmp"
    work = running.path / "logs" / "web" / "work" / "r0k2m9x"
    half.write_text("half")
    work.mkdir(parents=True)
    (work / "data").write_text("x")
    for path in (half, work):
        os.utime(path, (old, old))
    young = running.path / "etc" / f".scheduler.json.{os.getpid()}.tmp"
    young.touch()
    with open(running.path / "logs" / "run" / "records", "ab") as records:
        records.write(b'{"k":"web.9","p":1\n')

    _, facts = doctor(running, "--fix")

    assert not half.exists()
    assert not work.exists()
    assert young.exists()
    assert {each["check"] for each in facts["fixed"]} == {"temporary files", "work folders"}
    assert found(facts, "warning")["records"]["what"] == "1 line can't be read"


@pytest.mark.slow
def test_the_work_folder_of_a_run_that_goes_on_is_left_alone(running: TemporaryHome) -> None:
    running.add_plugin("job", SLEEPER, manifest={"commands": {"get": "sleep 1000"}, "server": {"autoStart": False}})
    assert running.sbctl("reload").code == 0
    run = running.sbctl("run", "job", "get", "--json").json()["run"]
    work = eventually(lambda: next((running.path / "logs" / "job" / "work").glob(run), None))
    old = time.time() - 7200
    os.utime(work, (old, old))
    _, facts = doctor(running, "--fix")
    assert (facts["fixed"], work.exists()) == ([], True)


@pytest.mark.slow
def test_modes_that_let_others_in(running: TemporaryHome) -> None:
    secrets = running.path / "etc" / "secrets"
    secrets.mkdir(mode=0o700, exist_ok=True)
    (secrets / "dashboard.key").write_text("key\n")
    (secrets / "dashboard.key").chmod(0o644)
    (running.path / "logs" / "run").chmod(0o755)
    result, facts = doctor(running)
    assert (result.code, set(found(facts))) == (1, {"dashboard.key"})
    assert found(facts, "warning")["run"]["next"] == f"chmod 700 '{running.path}/logs/run'"
    assert "key\n" not in json.dumps(facts)
    result, facts = doctor(running, "--fix")
    assert (result.code, found(facts), len(facts["fixed"])) == (0, {}, 2)
    assert (secrets / "dashboard.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["garbage", "page"])
def test_a_history_that_is_damaged(running: TemporaryHome, damage: str) -> None:
    path = running.path / "logs" / "history.db"
    assert running.sbctl("next").code == 0  # without schedules there is one once somebody asks for them
    eventually(path.exists)
    running.sbctl("stop")
    if damage == "garbage":
        path.write_bytes(b"no database" * 1000)
    else:  # an index that does not fit its table: it opens, and only a check sees it
        with sqlite3.connect(path) as db:
            db.execute("PRAGMA writable_schema = ON")
            db.execute("CREATE TABLE x (a); ")
            db.execute("INSERT INTO x VALUES (1)")
            db.execute("CREATE INDEX y ON x (a)")
            db.execute(
                "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'x')"
                " WHERE name = 'y'"
            )
        db.close()
    result, facts = doctor(running)
    assert (result.code, set(found(facts))) == (1, {"history"})
    check = found(facts)["history"]
    assert check["what"].startswith("damaged: " if damage == "page" else f"{path}: it is not a database")
    (running.path / "logs" / "history.db.broken-20260101-000000").write_text("x")
    assert "1 set aside" in found(doctor(running)[1], "warning")["history"]["what"]


@pytest.mark.slow
def test_settings_with_errors_and_such_that_are_not_in_force(running: TemporaryHome) -> None:
    os.utime(running.path / "etc" / "scheduler.json")  # only touched
    assert "in force" not in found(doctor(running)[1], "warning")
    running.add_plugin("later", SLEEPER)
    assert "sbctl reload" in found(doctor(running)[1], "warning")["in force"]["next"]
    (running.path / "etc" / "scheduler.json").write_text("{")
    result, facts = doctor(running)
    assert (result.code, set(found(facts))) == (1, {"files"})
    assert found(facts)["files"]["next"].endswith("config validate")


@pytest.mark.slow
def test_a_service_that_gave_up(home: TemporaryHome) -> None:
    home.settings["config"]["enabled"] = False
    home.supervision["giveUpAfter"] = 1
    home.write()
    home.add_plugin("dies", ["/bin/sh", "-c", "exit 3"])
    home.sbctl("start")
    eventually(lambda: home.status("dies")["services"][0]["state"] == "failed")
    result, facts = doctor(home)
    assert (result.code, set(found(facts))) == (1, {"dies"})
    assert "exit code 3" in found(facts)["dies"]["what"]
    assert found(facts)["dies"]["next"].startswith("sbctl why dies")


@pytest.mark.slow
@pytest.mark.root
def test_a_disk_that_is_full(home: TemporaryHome) -> None:
    logs = home.path / "logs"
    logs.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=755", "tmpfs", logs], check=False)
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        home.settings["config"]["enabled"] = False
        home.write()
        home.add_plugin("spew", child("spew", 0, 200))
        assert home.sbctl("start").code == 0
        with open(logs / "filler", "wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"x" * 4096)
        eventually(lambda: "dropped" in home.status("spew")["services"][0]["detail"])
        result, facts = doctor(home)
        assert result.code == 1
        assert {"disk of logs", "writing"} <= set(found(facts))
        assert found(facts)["disk of logs"]["what"].endswith("(tmpfs): full")
        lost = found(facts, "warning")["output_lost_bytes"]
        assert "not written" in lost["what"]
    finally:
        home.end()
        subprocess.run(["umount", "-l", logs], check=True)


@pytest.mark.slow
def test_a_lock_that_somebody_else_holds(running: TemporaryHome) -> None:
    running.sbctl("stop")
    lock = running.path / "logs" / "run" / "start.lock"
    with subprocess.Popen(["flock", lock, "sleep", "1000"], start_new_session=True, cwd="/") as process:
        try:
            eventually(lambda: doctor(running)[0].code == 1, 5)
            facts = doctor(running)[1]
        finally:
            os.killpg(process.pid, signal.SIGKILL)
    assert "lock" in found(facts)
