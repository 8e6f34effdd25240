"""`sbctl doctor` about disks, limits, clocks, files and what was lost: pure verdicts over facts."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from supervisor.base.errors import Problem
from supervisor.cli.doctor import (
    access,
    boot,
    clock,
    counters,
    disk,
    history,
    limits,
    pid_files,
    residue,
    settings,
    strays,
)
from supervisor.cli.doctor.check import OK, PROBLEM, WARNING, Check
from supervisor.cli.doctor.disk import Room
from supervisor.cli.doctor.pid_files import Named
from supervisor.cli.doctor.strays import Stray

MIB, GIB = 1 << 20, 1 << 30


def levels(checks: list[Check]) -> list[str]:
    return [check.level for check in checks]


# disk


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, [OK]),
        ({"free": 0}, [PROBLEM]),
        ({"free": 5 * MIB}, [PROBLEM]),
        ({"free": 500 * MIB}, [WARNING]),
        ({"size": 512 << 10, "free": 400 << 10}, [OK]),
        ({"size": 512 << 10, "free": 4 << 10}, [PROBLEM]),
        ({"inodes": 10}, [PROBLEM]),
        ({"files": 0, "inodes": 0}, [OK]),
        ({"read_only": True}, [PROBLEM]),
        ({"kind": "nfs4"}, [WARNING]),
        ({"free": 0, "inodes": 0}, [PROBLEM, PROBLEM]),
    ],
)
def test_room(changes: dict[str, Any], expected: list[str]) -> None:
    whole: dict[str, Any] = {"size": 100 * GIB, "free": 50 * GIB, "files": 10**6, "inodes": 10**5, "read_only": False}
    kind = changes.pop("kind", "ext4")
    found = disk.judge_room(Room("/h/logs", kind, **{**whole, **changes}))
    assert levels(found) == expected
    assert all(check.name == "disk of logs" and (check.next or check.level == OK) for check in found)


def test_writing(tmp_path: Path) -> None:
    assert disk.try_writing(str(tmp_path)) == (None, None)
    assert os.listdir(tmp_path) == []
    wrote, _ = disk.try_writing(str(tmp_path / "gone"))
    assert wrote is not None
    assert disk.judge_writing(wrote, None, "x").level == PROBLEM
    assert disk.judge_writing(None, OSError(errno.EINVAL, "Invalid argument"), "x").level == WARNING
    assert disk.judge_writing(None, None, "x").level == OK


def test_the_budget_of_logs() -> None:
    assert disk.judge_budget(2 * GIB, 2 * GIB, "x").level == OK
    assert disk.judge_budget(3 * GIB, 2 * GIB, "x").level == WARNING
    assert disk.judge_budget(3 * GIB, 0, "x").what == "3.0G, without a budget"
    assert disk.judge_budget(3 * GIB, None, "x").what == "3.0G"


# limits


@pytest.mark.parametrize(("used", "expected"), [(10, []), (800, [WARNING]), (950, [PROBLEM])])
def test_descriptors(used: int, expected: list[str]) -> None:
    assert levels(limits.judge_descriptors({"start": (used, 1000)})) == expected


def test_pipes_of_a_user() -> None:
    assert limits.judge_pipes(10, 16384).level == OK
    assert limits.judge_pipes(1024, 16384).level == WARNING
    assert limits.judge_pipes(10**6, 0).level == OK


def test_processes_and_memory() -> None:
    assert levels(limits.judge_processes("processes", 99, 100, "x")) == [PROBLEM]
    assert levels(limits.judge_processes("processes", 9, 100, "x")) == [OK]
    assert limits.judge_processes("processes", 9, 0, "x") == []
    assert limits.judge_memory(80 * MIB, 100 * MIB, "x").level == WARNING
    assert limits.judge_memory(10 * MIB, 100 * MIB, "x").level == OK


def test_the_tightest_group_counts_and_cached_files_do_not(tmp_path: Path) -> None:
    def group(path: str, **files: object) -> None:
        (tmp_path / path).mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (tmp_path / path / name.replace("__", ".")).write_text(f"{text}\n")

    group("", memory__max="max")
    group("a", memory__max=1000, memory__current=900, memory__stat="inactive_file 800\nanon 100", pids__max=50)
    group("a/b", memory__max=5000, memory__current=200, pids__max="max", pids__current=4)
    group("a", pids__current=5)
    (tmp_path / "listed").write_text("0::/a/b\n")
    found = limits.own_group(1, str(tmp_path), str(tmp_path / "listed"))
    assert found["memory"] == (100, 1000, f"{tmp_path}//a/memory.max")
    assert found["pids"] == (5, 50, f"{tmp_path}//a/pids.max")


def test_groups_of_version_1(tmp_path: Path) -> None:
    for folder, name, text in (
        ("memory/x", "memory.limit_in_bytes", "1000"),
        ("memory/x", "memory.usage_in_bytes", "950"),
        ("memory", "memory.limit_in_bytes", "9223372036854771712"),
        ("pids", "pids.max", "max"),
    ):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / name).write_text(text)
    (tmp_path / "listed").write_text("4:memory:/x\n3:cpu,pids:/\n0::/\n")
    found = limits.own_group(1, str(tmp_path), str(tmp_path / "listed"))
    assert found == {"memory": (950, 1000, f"{tmp_path}/memory/x/memory.limit_in_bytes")}


# clock


def test_clock() -> None:
    assert [clock.judge_sync(it).level for it in (True, None, False)] == [OK, OK, WARNING]
    assert [clock.judge_source(it).level for it in ("tsc", "", "jiffies")] == [OK, OK, WARNING]
    assert [clock.judge_boot(*it).level for it in (("a", "a"), ("a", ""), ("a", "b"), ("unknown", ""))] == [
        OK,
        OK,
        WARNING,
        PROBLEM,
    ]
    assert clock.judge_zones("UTC", []).level == OK
    assert clock.judge_zones("UTC", ["time zone 'X/Y': not there"]).level == PROBLEM
    assert clock.is_synchronized() in (True, False, None)


# history, counters


def test_history(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    path.touch(0o640)
    assert levels(history.judge_file(None, history.WHOLE, 1, str(path), runs=True)) == [OK]
    assert levels(history.judge_file(None, history.UNTOLD, 1, str(path), runs=True)) == [OK]
    (check,) = history.judge_file(None, "row 3 missing from index", 1, str(path), runs=True)
    assert (check.level, check.what) == (PROBLEM, "damaged: row 3 missing from index")
    assert check.next.startswith("the scheduler sets it aside")
    trouble = Problem("the history can't be read", why="it is not a database", remedy="sbctl restore")
    (check,) = history.judge_file(trouble, "", 1, str(path), runs=False)
    assert (check.level, check.what, check.next) == (PROBLEM, "it is not a database", "sbctl restore")
    path.chmod(0o644)
    assert levels(history.judge_file(None, history.WHOLE, 1, str(path), runs=True)) == [OK, WARNING]


def test_what_lies_beside_the_history() -> None:
    assert history.judge_wal(4 * MIB, "x") == []
    assert levels(history.judge_wal(400 * MIB, "x")) == [WARNING]
    assert history.judge_aside({}) == []
    (check,) = history.judge_aside({"/h/history.db.broken-1": MIB, "/h/history.db.broken-2": MIB})
    assert (check.level, check.what) == (WARNING, "2 set aside, 2.0M: history.db.broken-2")


def test_what_was_lost() -> None:
    assert levels(counters.judge({"journal_lost": 0, "history_queued": 3})) == [OK]
    found = counters.judge({"journal_lost": 2, "output_lost_bytes": 5, "history_queued": 2000, "daily_left_out": 7})
    assert [(check.name, check.level) for check in found] == [
        ("journal_lost", WARNING),
        ("output_lost_bytes", WARNING),
        ("history_queued", WARNING),
        ("daily log", OK),
    ]
    assert found[0].what == "2 events not written to the journal"


# settings, modes, boot


def test_settings() -> None:
    error, warning = {"level": "error", "text": "a:1: bad\n  do"}, {"level": "warning", "text": "b:2: odd"}
    (check,) = settings.judge_findings([error, warning], "etc")
    assert (check.level, check.what, check.next) == (PROBLEM, "1 error: a:1: bad", "sbctl config validate")
    assert settings.judge_findings([warning], "etc")[0].level == WARNING
    assert settings.judge_findings([], "etc")[0].level == OK
    dead = Problem("the settings compiler died", why="exit code 1", remedy="sbctl config validate")
    assert settings.judge_trouble(dead, in_time=True).level == PROBLEM
    assert settings.judge_trouble(dead, in_time=False).level == WARNING
    (check,) = settings.judge_tools({"setpriv": ["web"]})
    assert (check.level, check.next) == (PROBLEM, "apt-get install util-linux")
    assert settings.judge_tools({})[0].level == OK


def test_modes_are_mended_where_they_are_ours(tmp_path: Path) -> None:
    key = tmp_path / "dashboard.key"
    key.touch()
    key.chmod(0o644)
    tmp_path.chmod(0o755)
    user = os.geteuid()
    seen = [access.Seen(str(tmp_path), access.FOLDER), access.Seen(str(key), access.FILE)]
    folder, file = access.judge(seen, user)
    assert (folder.level, folder.next) == (WARNING, f"chmod 700 '{tmp_path}'")
    assert (file.level, file.what) == (PROBLEM, "everybody can read it (0644)")
    assert all(check.mend is None for check in access.judge(seen, user + 1))
    assert folder.mend is not None
    assert file.mend is not None
    assert "set to 0600" in file.mend()
    folder.mend()
    assert (key.stat().st_mode & 0o777, tmp_path.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.touch(0o644)
    link.symlink_to(target)
    assert access.judge([access.Seen(str(link), access.FILE)], os.geteuid()) == []
    assert target.stat().st_mode & 0o777 == 0o644


def test_boot() -> None:
    assert levels(boot.judge("systemd", "/etc/x", [], running=True)) == [OK]
    assert levels(boot.judge("systemd", "/etc/x", ["the unit is old"], running=True)) == [WARNING]
    assert boot.judge("cron", "", [], running=True)[0].what == "not started at boot; sbctl boot enable"
    assert boot.judge("", "", [], running=False)[0].level == OK


# leftovers


def test_leftovers_of_an_earlier_life_and_of_now() -> None:
    old = Stray(5, 1, "web", "web.py", age=90, is_older=True)
    new = Stray(6, 9, "db", "db.py", age=2, is_older=False)
    assert levels(strays.judge([], runs=True)) == [OK]
    ours, odd = strays.judge([old, new], runs=True, mend_it=lambda: "done")
    assert (ours.level, ours.next) == (PROBLEM, "sbctl doctor --fix ends them")
    assert "web (pid 5, 1m 30s old)" in ours.what
    assert ours.mend is not None
    assert (odd.level, odd.mend) == (WARNING, None)  # what a running tree may have begun is a person's to end
    assert "pid 6" in odd.what


def test_pid_files(tmp_path: Path) -> None:
    path = tmp_path / "web.pid"
    path.write_text("12\n")
    assert pid_files.judge([Named("web", str(path), 12, 12)], runs=True) == []
    assert pid_files.judge([Named("web", str(path), 12, None, is_ours=True)], runs=False) == []
    (check,) = pid_files.judge([Named("start", str(path), 12, None, stranger="cron -f")], runs=False)
    assert (check.level, check.name) == (PROBLEM, "start.pid")
    assert check.what == "names pid 12, which is none of ours now: cron -f; sbctl was killed"
    (wrong,) = pid_files.judge([Named("web", str(path), 12, os.getpid())], runs=True)
    assert (wrong.level, wrong.what) == (WARNING, f"says 12, but web is {os.getpid()}")
    assert wrong.mend is not None
    wrong.mend()
    assert path.read_text() == f"{os.getpid()}\n"


def test_a_pid_file_that_was_written_anew_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "web.pid"
    path.write_text("12\n")
    (check,) = pid_files.judge([Named("web", str(path), 12, None)], runs=True)
    path.write_text("13\n")
    assert check.mend is not None
    with pytest.raises(Problem, match="written anew"):
        check.mend()
    assert path.read_text() == "13\n"


@pytest.mark.parametrize(
    ("owner", "runs_as", "level"),
    [(1000, 1000, OK), (1000, None, WARNING), (1000, 0, PROBLEM), (0, 0, PROBLEM), (0, None, PROBLEM)],
)
def test_root_looks_at_the_home_of_another_user(owner: int, runs_as: int | None, level: str) -> None:
    problem = Problem("/h can be changed by user 1000", remedy="chown root /h")
    check = settings.judge_owner(problem, owner, runs_as)
    assert check.level == level
    assert ("chown" in check.next) is (level == PROBLEM)


def test_settings_in_force_that_are_lost() -> None:
    (check,) = settings.judge_in_force({"start": {}, "scheduler": {"format": 1}}, "/h/start.json")
    assert (check.level, check.where, check.next[:12]) == (PROBLEM, "/h/start.json", "sbctl reload")
    assert settings.judge_in_force({"start": {"format": 1}, "scheduler": {"format": 1}}, "x") == []
    assert settings.judge_in_force({}, "x") == []  # not read in time


def test_residue() -> None:
    assert residue.judge_temporaries([]) == residue.judge_work([]) == residue.judge_records(0, "x") == []
    (check,) = residue.judge_temporaries(["/h/etc/.a.1.tmp", "/h/etc/.b.1.tmp"])
    assert (check.level, check.next) == (WARNING, "rm '/h/etc/.a.1.tmp' and the others")
    assert residue.judge_work(["/h/logs/m/work/r1"])[0].mend is not None
    assert residue.judge_records(2, "x")[0].what == "2 lines can't be read"
    assert residue.judge_set_ups(["/v/.sbctl-unfinished"])[0].level == WARNING
    assert residue.judge_aside([]) == []
