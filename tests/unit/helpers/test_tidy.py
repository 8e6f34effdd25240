"""Old logs: what is packed and what goes, and a plan that is carried out while files move on."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from supervisor.base.rotation import shift
from supervisor.base.time_index import TimeIndex, read_marks
from supervisor.daemons.tidying import carry_out
from supervisor.helpers import tidy
from supervisor.helpers.tidy_plan import Group, Rules, Seen, first_pass, over_budget
from supervisor.model.home import Home

NOW = 1_800_000_000.0
HOUR = 3600.0


def seen(number: int, *, log: str = "a.log", size: int = 100, packed: bool = False, age: float | None = None) -> Seen:
    name = f"{log}.{number}{'.gz' if packed else ''}"
    return Seen(log, name, number, size, hash(name) & 0xFFFF, NOW - (number * HOUR if age is None else age))


def names(files: list[Seen]) -> list[str]:
    return [file.name for file in files]


def test_what_is_packed() -> None:
    group = Group([seen(1), seen(2), seen(3, packed=True), seen(4)])
    assert names(first_pass([group], Rules(), NOW).pack) == ["a.log.2", "a.log.4"]
    assert first_pass([group], Rules(gzip=False), NOW).pack == []
    group.may_pack = False
    assert first_pass([group], Rules(), NOW).pack == []


def test_too_many_too_old_and_doubled_ones_go() -> None:
    group = Group([seen(1), seen(2), seen(2, packed=True), seen(3), seen(4, packed=True), seen(5)], keep=4)
    assert names(first_pass([group], Rules(), NOW).remove) == ["a.log.2.gz", "a.log.5"]
    assert names(first_pass([group], Rules(keep_age=2.5 * HOUR), NOW).remove) == ["a.log.3", "a.log.4.gz"]
    assert names(group.files) == ["a.log.1", "a.log.2"]


@pytest.mark.parametrize(
    ("budget", "gone"),
    [(0, []), (400, []), (399, ["a.log.3"]), (250, ["a.log.3", "a.log.2"]), (1, ["a.log.3", "a.log.2", "a.log.1"])],
)
def test_a_budget_of_one_service(budget: int, gone: list[str]) -> None:
    group = Group([seen(1), seen(2), seen(3)], current=20, reserve=100, budget=budget)
    assert names(over_budget([group], Rules())) == gone


def test_the_budget_of_all_takes_the_oldest_of_all_and_never_what_is_written() -> None:
    one = Group([seen(1, age=10), seen(2, age=50)], current=1000)
    other = Group([seen(1, log="b.log", age=20), seen(2, log="b.log", age=30)])
    assert names(over_budget([one, other], Rules(total_budget=1250))) == ["a.log.2", "b.log.2"]
    assert len(over_budget([one, other], Rules(total_budget=10))) == 4


def launch(home: Home, name: str, **more: Any) -> dict[str, Any]:
    values = {"log": home.server_log(name), "err_log": "", "log_keep": 5, "log_max": 1000, "log_budget": 0, **more}
    return {"launch": values}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(str(tmp_path / "home"))
    os.makedirs(os.path.dirname(home.compiled_file("scheduler")))
    os.makedirs(home.daily_folder)
    compile_with(home)
    return home


def compile_with(home: Home, *services: dict[str, Any], **logs: Any) -> None:
    Path(home.compiled_file("scheduler")).write_text(json.dumps({"services": services, "logs": logs}))


def fill(log: str, count: int, size: int = 5000, first: int = 0) -> None:
    """`log` and `count` older ones; each older by an hour."""
    os.makedirs(os.path.dirname(log), exist_ok=True)
    for number in range(first, count + 1):
        path = f"{log}.{number}" if number else log
        Path(path).write_bytes(b"%05d\n" % number * (size // 6))
        os.utime(path, (NOW - number * HOUR, NOW - number * HOUR))


def files(log: str) -> list[str]:
    folder, name = os.path.split(log)
    return sorted(each.removeprefix(name) for each in os.listdir(folder))


def run(home: Home) -> dict[str, Any]:
    answer = tidy.prepare(home, NOW)
    for step in answer["steps"]:
        carry_out(step)
    return answer


def test_files_are_packed_whole_with_their_times(home: Home) -> None:
    log = home.server_log("web")
    fill(log, 3)
    before = Path(f"{log}.3").read_bytes()
    with open(f"{log}.3", "rb") as file:
        TimeIndex(f"{log}.3.idx").mark(file.fileno(), 500.0, 0)
    compile_with(home, launch(home, "web"))

    run(home)

    assert files(log) == ["", ".1", ".2.gz", ".3.gz", ".3.idx"]
    found = os.stat(f"{log}.3.gz")
    assert gzip.decompress(Path(f"{log}.3.gz").read_bytes()) == before
    assert found.st_mtime == NOW - 3 * HOUR
    assert read_marks(f"{log}.3.idx", found.st_ino, len(before)) == [(500.0, 0)]
    assert run(home)["steps"] == []


def test_a_rotation_between_plan_and_steps_moves_the_files_on(home: Home) -> None:
    log = home.server_log("web")
    fill(log, 5)
    compile_with(home, launch(home, "web", log_keep=5, log_budget=1))
    doomed = tidy.prepare(home, NOW)
    compile_with(home, launch(home, "web", log_keep=5))
    answer = tidy.prepare(home, NOW)
    assert len(answer["steps"]) == 4
    assert len(doomed["steps"]) == 5

    shift(log, 5)  # what was .5 is no more, and each other has the next number
    Path(log).write_bytes(b"new\n")
    for step in answer["steps"]:
        carry_out(step)

    assert files(log) == ["", ".1", ".2", ".3.gz", ".4.gz", ".5.gz"]
    assert gzip.decompress(Path(f"{log}.5.gz").read_bytes())[:6] == b"00004\n"
    for step in doomed["steps"]:
        carry_out(step)
    assert files(log) == ["", ".1", ".3.gz", ".4.gz", ".5.gz"], "only what still is what was meant"
    assert Path(log).read_bytes() == b"new\n"


def test_a_kill_leaves_temporaries_and_the_next_one_removes_them(home: Home) -> None:
    log = home.server_log("web")
    fill(log, 2)
    compile_with(home, launch(home, "web"))
    first = tidy.prepare(home, NOW)
    (step,) = first["steps"]
    assert os.path.exists(step["temporary"])
    os.link(step["temporary"], f"{log}.2.gz")  # killed between the two names: both forms are there

    run(home)
    run(home)

    assert files(log) == ["", ".1", ".2.gz"]
    assert gzip.decompress(Path(f"{log}.2.gz").read_bytes()) == b"00002\n" * 833


def test_budgets_count_packed_sizes(home: Home) -> None:
    log = home.server_log("web")
    fill(log, 5)
    compile_with(home, launch(home, "web", log_budget=10_500))

    answer = run(home)

    assert files(log) == ["", ".1", ".2.gz", ".3.gz", ".4.gz", ".5.gz"]  # 5000 twice, and some 50 each
    assert answer["removed"] == 0


def test_the_oldest_go_for_the_budget_of_all(home: Home) -> None:
    web = home.server_log("web")
    fill(web, 4)
    compile_with(home, launch(home, "web"), gzip=False, total_budget=13_000)

    answer = run(home)

    assert files(web) == ["", ".1"]
    assert answer["removed"] == 3
    assert answer["freed"] == 3 * 4998


def test_old_days_and_services_that_are_no_more(home: Home) -> None:
    gone = home.server_err_log("gone", 2)
    fill(gone, 3, first=1)
    own = os.path.join(home.plugin_logs("gone"), "app.log.2")
    Path(own).write_text("the plugin's own")
    for name, age in (("2026-11-01.log", 20), ("2026-11-02.log", 3), ("2026-11-20.log", 0)):
        path = os.path.join(home.daily_folder, name)
        Path(path).write_text("x" * 1000)
        os.utime(path, (NOW - age * 86400, NOW - age * 86400))
    compile_with(home, keep_age=10 * 86400)

    run(home)

    assert sorted(os.listdir(home.plugin_logs("gone"))) == [
        "app.log.2",
        "server-2.err.log.1",
        "server-2.err.log.2.gz",
        "server-2.err.log.3.gz",
    ]
    assert sorted(os.listdir(home.daily_folder)) == ["2026-11-02.log.gz", "2026-11-20.log"]


def test_a_full_disk_costs_nothing_and_is_said(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    log = home.server_log("web")
    fill(log, 3)
    compile_with(home, launch(home, "web"))

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse)
        answer = run(home)

    assert answer["trouble"] == "No space left on device"
    assert files(log) == ["", ".1", ".2", ".3"]
    assert run(home)["trouble"] == ""


def test_what_does_not_fit_into_the_answer_is_left_for_the_next_time(home: Home) -> None:
    log, gone = home.server_log("web"), home.server_log("gone")
    fill(log, 40)
    fill(gone, 1, first=1)
    os.utime(f"{gone}.1", (0, 0))
    compile_with(home, launch(home, "web", log_keep=50), keep_age=1000 * HOUR)

    answer = tidy.prepare(home, NOW, 2000)

    assert len(json.dumps(answer)) <= 2000
    assert [step["do"] for step in answer["steps"][:2]] == ["remove", "pack"], "what makes room comes first"
    assert answer["removed"] == 1
    left = [name for name in os.listdir(os.path.dirname(log)) if name.endswith(tidy.TEMPORARY)]
    assert len(left) == len(answer["steps"]) - 1
    for _ in range(40):
        for step in answer["steps"]:
            carry_out(step)
        answer = tidy.prepare(home, NOW, 2000)
    assert answer["steps"] == []
    assert answer["removed"] == 0
    assert len([name for name in files(log) if name.endswith(".gz")]) == 39


def test_files_behind_a_gap_are_packed_and_count(home: Home) -> None:
    log = home.server_log("web")
    fill(log, 8)
    for number in (2, 3, 4):
        os.unlink(f"{log}.{number}")
    compile_with(home, launch(home, "web", log_keep=7))

    assert run(home)["removed"] == 1

    assert files(log) == ["", ".1", ".5.gz", ".6.gz", ".7.gz"]


def test_links_and_folders_are_left_alone(home: Home, tmp_path: Path) -> None:
    log = home.server_log("web")
    fill(log, 1)
    (tmp_path / "elsewhere").write_text("not ours")
    os.symlink(tmp_path / "elsewhere", f"{log}.2")
    os.mkdir(f"{log}.3")
    compile_with(home, launch(home, "web"))

    assert run(home)["trouble"] == ""

    assert (tmp_path / "elsewhere").read_text() == "not ours"
    assert os.path.isdir(f"{log}.3")


def test_as_a_role_it_leaves_its_plan_and_no_traceback(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    niceness = os.nice(0)
    nice = os.nice
    try:
        os.nice = lambda _: niceness  # type: ignore[assignment]  # a test runner can't go back to its own
        assert tidy.main([home.path, "10000"]) == 0
        assert json.loads(capsys.readouterr().out)["steps"] == []
        os.rmdir(home.daily_folder)
        Path(home.compiled_file("scheduler")).write_text("torn")
        assert tidy.main([home.path, "10000"]) == 0
        assert tidy.main([home.path + "/nowhere", "10000"]) == 1
    finally:
        os.nice = nice
    said = capsys.readouterr().out
    assert said.splitlines()[-1] == f"No such file or directory: {home.path}/nowhere/logs/run"


def test_an_error_without_a_file_names_none(
    home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "nice", lambda _: 0)
    monkeypatch.setattr(tidy, "find_groups", refuse)
    assert tidy.main([home.path, "10000"]) == 1
    assert capsys.readouterr().out == "No space left on device\n"
