"""What is taken out of the history, and what never is."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import Any

from support.history import AT, History, opened, put_runs, query

from supervisor.store.loading import load
from supervisor.store.retention import Pruner

DAY = 86_400


def prune(file: Path, now: float = AT, **policy: Any) -> int:
    """A whole round; how many steps that took."""
    pruner, steps = Pruner(policy, now), 1
    with opened(file) as db:
        while pruner.step(db):
            steps += 1
            assert steps < 10_000
    return steps


def left(file: Path, table: str = "runs", column: str = "id") -> list[Any]:
    return [row[0] for row in query(file, f"SELECT {column} FROM {table} ORDER BY rowid" if table == "runs" else
                                    f"SELECT {column} FROM {table} ORDER BY 1")]  # fmt: skip


def test_what_is_too_old_goes_and_failures_go_later(file: Path) -> None:
    put_runs(file, "web", ["succeeded", "failed", "cancelled", "lost"] * 3, every=10 * DAY)

    prune(file, AT + 120 * DAY, keep_days=45, keep_failed_days=75)

    assert left(file) == ["web-5", "web-7", "web-8", "web-9", "web-10", "web-11"]


def test_of_each_schedule_the_newest_are_kept_successes_and_failures_apart(file: Path) -> None:
    put_runs(file, "web", ["succeeded"] * 5 + ["failed"] * 5)
    put_runs(file, "job", ["succeeded"] * 2)

    prune(file, keep_runs=2)

    assert left(file) == ["web-3", "web-4", "web-8", "web-9", "job-0", "job-1"]


def test_what_is_not_over_is_never_touched(file: Path) -> None:
    put_runs(file, "web", ["running"] * 5)

    prune(file, AT + 10_000 * DAY, keep_days=1, keep_failed_days=1, keep_runs=1)

    assert len(left(file)) == len(left(file, "slots", "nominal")) == 5


def test_steps_go_with_their_run(file: Path) -> None:
    put_runs(file, "web", ["succeeded"] * 3)
    for number in range(3):
        query(file, "INSERT INTO steps (run, number, attempt) VALUES (?, 0, 1)", f"web-{number}")

    prune(file, keep_runs=1)

    assert left(file, "steps", "run") == ["web-2"]


def test_slots_go_with_their_runs_but_for_the_newest_of_a_schedule(file: Path) -> None:
    put_runs(file, "web", ["succeeded"] * 5)
    put_runs(file, "job", ["succeeded"])

    prune(file, AT + 100 * DAY, keep_days=1)

    assert left(file) == []
    assert query(file, "SELECT schedule, nominal FROM slots ORDER BY 1") == [("job", AT), ("web", AT + 240)]


def test_the_newest_of_a_time_is_kept_behind_which_a_scheduler_goes_on(file: Path) -> None:
    """All that is newer are ends of another schedule, which decide no time."""
    with opened(file) as db:
        db.executemany(
            "INSERT INTO slots (schedule, nominal, nominal_to, outcome, decided, note)"
            " VALUES ('web', ?1, ?1, 'skipped', 0, ?2)",
            [(1, None), (2, None), *((number, f"paused; after run r{number}") for number in range(3, 7))],
        )

    prune(file, keep_runs=2)

    assert left(file, "slots", "nominal") == [2, 5, 6]
    with opened(file) as db:
        loaded = load(db)
    assert (loaded.cursors, loaded.newest, loaded.ends) == ({"web": 2}, {"web": 6}, {"web": {5: "r5", 6: "r6"}})


def test_slots_of_runs_that_are_kept_are_kept(file: Path) -> None:
    put_runs(file, "web", ["failed", "succeeded", "succeeded"])

    prune(file, AT + 100 * DAY, keep_days=1, keep_failed_days=365)

    assert left(file) == ["web-0"]
    assert left(file, "slots", "nominal") == [AT, AT + 120]


def test_skipped_slots_are_kept_by_number_too(file: Path) -> None:
    with opened(file) as db:
        db.executemany(
            "INSERT INTO slots (schedule, nominal, nominal_to, outcome, decided) VALUES ('web', ?1, ?1, 'skipped', 0)",
            [(number,) for number in range(1200)],
        )

    prune(file, keep_runs=10)

    assert left(file, "slots", "nominal") == list(range(1190, 1200))


def test_a_stretch_is_as_old_as_its_newest_slot(file: Path) -> None:
    with opened(file) as db:
        db.executemany(
            "INSERT INTO slots (schedule, nominal, nominal_to, outcome, decided) VALUES ('web', ?, ?, 'skipped', 0)",
            [(AT + first * DAY, AT + last * DAY) for first, last in ((0, 9), (10, 89), (90, 98), (99, 99))],
        )

    prune(file, AT + 100 * DAY, keep_days=30)

    assert left(file, "slots", "nominal") == [AT + 10 * DAY, AT + 90 * DAY, AT + 99 * DAY]


def test_without_limits_nothing_goes(file: Path) -> None:
    put_runs(file, "web", ["succeeded"] * 10)

    prune(file, AT + 10_000 * DAY, keep_days=0, keep_runs=0)
    prune(file, AT + 10_000 * DAY)

    assert len(left(file)) == 10


def test_many_schedules_are_all_looked_at(file: Path) -> None:
    with opened(file) as db:
        for table, columns in (("runs", "id, schedule, claimed, state"),
                               ("slots", "schedule, nominal, nominal_to, outcome, decided")):  # fmt: skip
            values = (
                [(f"{name}-{n}", f"s{name:03}", n, "succeeded") for name in range(150) for n in range(4)]
                if table == "runs"
                else [(f"s{name:03}", n, n, "run", 0) for name in range(150) for n in range(12)]
            )
            marks = ",".join("?" * len(values[0]))
            db.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", values)

    prune(file, keep_runs=2)

    assert query(file, "SELECT DISTINCT count(*) FROM runs GROUP BY schedule") == [(2,)]
    assert query(file, "SELECT DISTINCT count(*) FROM slots GROUP BY schedule") == [(2,)]


def test_a_step_is_short(file: Path) -> None:
    put_runs(file, "web", ["succeeded"] * 1000)

    pruner = Pruner({"keep_runs": 100}, AT)
    with opened(file) as db:
        sizes = [1000]
        while pruner.step(db):
            sizes.append(db.execute("SELECT count(*) FROM runs").fetchone()[0])

    assert sizes[-1] == 100
    assert max(before - after for before, after in itertools.pairwise(sizes)) <= 100


def test_the_file_gets_smaller(file: Path) -> None:
    put_runs(file, "web", ["succeeded"] * 3000)
    query(file, "UPDATE runs SET words = ?", "x" * 2000)
    big = os.path.getsize(file)

    prune(file, keep_runs=10)

    assert os.path.getsize(file) < big / 2
    assert query(file, "PRAGMA integrity_check") == [("ok",)]


def test_the_writer_prunes_while_it_writes(history: History) -> None:
    put_runs(history.path, "web", ["succeeded"] * 500)
    history.writer.prune({"keep_runs": 50})
    answers: list[list[bool]] = []

    def claimed_now_and_then() -> bool:
        if len(answers) < 20 and all(answers):
            answers.append(history.claim("job", AT + len(answers)))
        return len(query(history.path, "SELECT id FROM runs WHERE schedule = 'web'")) == 50

    history.until(claimed_now_and_then)
    history.settle()

    assert answers == [[True]] * len(answers)
    assert history.troubles == []
