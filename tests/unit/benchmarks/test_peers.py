"""What the benchmarks tell each peer to do, and how often they dare to stop it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.design import ASKED
from benchmarks.figures import deaf, start_stop
from benchmarks.peers import from_debian, from_npm, pm2, runit, s6, versions
from benchmarks.peers.circus import Circus
from benchmarks.peers.honcho import Honcho
from benchmarks.peers.scripts import by_stamp
from benchmarks.peers.supervisord import Supervisord, SupervisordGroup
from benchmarks.plan import Plan
from benchmarks.subject import Services, Subject

SERVICES: Services = {name: ["/bin/sleep", "7"] for name in ("a", "b", "c")}


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Subject]:
    """All of them, as if they were installed."""
    installed = from_debian.Programs(None)
    monkeypatch.setattr(s6, "programs", lambda *_: installed)
    monkeypatch.setattr(s6, "check_supervise", lambda *_: None)
    monkeypatch.setattr(runit, "programs", lambda *_: installed)
    monkeypatch.setattr(from_npm, "package", lambda *_: ("node", tmp_path))
    python = [kind(tmp_path, "mark", tmp_path) for kind in (Supervisord, SupervisordGroup, Circus, Honcho)]
    others = [s6.S6, s6.S6WithoutLogs, runit.Runit, runit.RunitWithoutLogs, pm2.Pm2]
    subjects = [*python, *(kind(tmp_path, "mark") for kind in others)]
    return {subject.name: subject for subject in subjects}


def test_the_versions_of_all_are_said(made: dict[str, Subject]) -> None:
    words = dict(word.rsplit(" ", 1) for word in versions(list(made.values())).split(", ") if " " in word)

    assert list(words) == ["supervisord", "circus", "honcho", "pm2", "APScheduler"]
    assert words["supervisord"] == "4.3.0"


def test_whether_one_can_be_asked_is_known_before_anything_is_prepared(made: dict[str, Subject]) -> None:
    """A run of the status alone asks that first."""
    can = {name for name, subject in made.items() if subject.status_command() is not None}

    assert can >= {"supervisord", "circus", "pm2", "s6", "runit"}
    assert "honcho" not in can


def test_nobody_is_taken_for_another(made: dict[str, Subject]) -> None:
    assert len({subject.comm for subject in made.values()}) == len(made) == 9
    assert not [subject.work for subject in made.values() if set(str(subject.work)) & set(" ,")]


@pytest.mark.parametrize(
    ("name", "file", "text"),
    [
        ("supervisord", "settings", "stopwaitsecs=1.5"),
        ("supervisord, group", "settings", "stopwaitsecs=1.5"),
        ("circus", "settings", "graceful_timeout=1.5"),
        ("s6", "scan/a/timeout-kill", "1500"),
        ("s6, no loggers", "scan/b/timeout-kill", "1500"),
        ("pm2", "apps.json", '"kill_timeout": 1500'),
    ],
)
def test_the_grace_is_the_same_for_all_that_have_one(made: dict[str, Subject], name: str, file: str, text: str) -> None:
    subject = made[name]
    subject.prepare("deaf", SERVICES, grace_s=1.5)
    assert text in (subject.folder / file).read_text()
    subject.prepare("own", SERVICES)
    assert not (subject.folder / file).exists() or text not in (subject.folder / file).read_text()


def test_circus_looks_oftener_only_where_nothing_but_restarts_is_measured(made: dict[str, Subject]) -> None:
    circus = made["circus"]
    for quick, said in ((True, ["check_delay=0.01"]), (False, [])):
        circus.prepare("x", SERVICES, must_be_quick=quick)
        lines = (circus.folder / "settings").read_text().splitlines()
        assert [line for line in lines if line.startswith("check_delay")] == said


def test_supervisord_has_a_program_a_child_and_its_group_one_for_all(made: dict[str, Subject]) -> None:
    texts = []
    for name in ("supervisord", "supervisord, group"):
        made[name].prepare("x", SERVICES)
        texts.append((made[name].folder / "settings").read_text())

    assert texts[0].count("[program:") == 3
    assert "numprocs" not in texts[0]
    assert texts[1].count("[program:") == 1
    assert "numprocs=3" in texts[1]


@pytest.mark.parametrize("name", ["s6", "runit"])
def test_a_logger_is_beside_each_child_or_nowhere(made: dict[str, Subject], name: str) -> None:
    for subject, loggers in ((made[name], 3), (made[f"{name}, no loggers"], 0)):
        subject.prepare("x", SERVICES)
        assert len(list(subject.folder.glob("scan/*/run"))) == 3
        assert len(list(subject.folder.glob("scan/*/log/run"))) == loggers


def test_pm2_is_told_each_child_by_its_own_program(made: dict[str, Subject]) -> None:
    subject = made["pm2"]
    subject.prepare("x", SERVICES)

    apps = json.loads((subject.folder / "apps.json").read_text())["apps"]

    assert [(app["name"], app["script"], app["args"]) for app in apps] == [(n, "/bin/sleep", ["7"]) for n in "abc"]
    assert subject.environment()["PM2_HOME"].startswith(str(subject.folder))
    assert subject.environment()["PM2_DISABLE_VERSION_CHECK"]  # nobody outside is asked


def a_plan(tmp_path: Path, *, quick: bool = False) -> Plan:
    return Plan(tmp_path, "mark", [], [100], quick)


def test_who_stops_one_after_the_other_is_stopped_less_often_or_not_at_all(
    made: dict[str, Subject], tmp_path: Path
) -> None:
    full, quick = a_plan(tmp_path), a_plan(tmp_path, quick=True)
    supervisord = made["supervisord"]

    assert [start_stop.stop_rounds(full, supervisord, count) for count in (3, 100, 500)] == [5, 3, 0]
    assert start_stop.stop_rounds(quick, supervisord, 100) == 0
    assert start_stop.stop_rounds(full, made["supervisord, group"], 100) == 5


def test_peers_get_fewer_rounds_with_many_children(made: dict[str, Subject], tmp_path: Path) -> None:
    assert [start_stop.start_rounds(a_plan(tmp_path), made["s6"], count) for count in (100, 500)] == [5, 3]


def test_whom_deaf_children_hold_for_minutes_is_left_out_and_named(made: dict[str, Subject], tmp_path: Path) -> None:
    plan = a_plan(tmp_path)
    made["supervisord"].prepare("deaf", SERVICES, grace_s=deaf.GRACE_S)

    figure = deaf.figure_of(plan, 100, list(made.values()), {"s6": [1.0, 1.1, 1.0]}, {"runit": "broken off"})

    rows = {row.subject: (len(row.values), row.note) for row in figure.rows}
    assert rows["s6"] == (3, "")
    assert rows["runit"] == (0, "broken off")
    assert rows["honcho"][1].startswith("never ends: ")
    assert rows["supervisord"] == (0, "left out: at least 100 s, since it does not stop all at once")


def test_deaf_ones_are_asked_for_at_the_largest_numbers(tmp_path: Path) -> None:
    """In a quick run where they are named, as in the check."""
    asked = [each.key for each in ASKED if each.key.startswith("deaf.")]

    assert [f"deaf.{count}" for count in deaf.counts_of(a_plan(tmp_path))] == asked
    assert asked[-2:] == ["deaf.500", "deaf.1000"]
    assert deaf.counts_of(a_plan(tmp_path, quick=True)) == [20, 100]
    assert deaf.counts_of(a_plan(tmp_path, quick=True)._replace(counts=[100, 10, 500])) == [20, 100, 500]


def test_a_log_that_is_just_rotated_is_read_whole(tmp_path: Path) -> None:
    for name in ("@4000000069a2", "current", "@4000000069a1", "previous", "state", "lock"):
        (tmp_path / name).touch()

    assert [file.name for file in by_stamp(tmp_path)] == ["@4000000069a1", "@4000000069a2", "previous", "current"]
