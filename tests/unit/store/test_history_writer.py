"""What the scheduler writes, by the thread that it has for that."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

from support.history import AT, History, query
from support.imports import ROOT

from supervisor.store.rows import RunRow, SlotRow, StepRow


def test_a_claim_is_told_once_it_is_in_the_file(history: History, file: Path) -> None:
    answers = history.claim("web")

    assert answers == []
    history.until(lambda: answers)
    assert answers == [True]
    assert query(file, "SELECT schedule, nominal, outcome, run FROM slots") == [("web", AT, "claimed", f"web-{AT}")]
    assert query(file, "SELECT id, state FROM runs") == [(f"web-{AT}", "claimed")]


def test_a_slot_is_claimed_once(history: History, file: Path) -> None:
    first, second = history.claim("web", run="a"), history.claim("web", run="b")

    history.settle()

    assert (first, second) == ([True], [False])
    assert query(file, "SELECT id FROM runs") == [("a",)]


def test_the_same_claim_again_is_the_same_claim(history: History) -> None:
    """It may have got through though its answer did not."""
    history.claim("web", run="a")
    history.settle()
    again = history.claim("web", run="a")

    history.settle()

    assert again == [True]


def test_a_claim_takes_all_of_its_slots_or_none(history: History, file: Path) -> None:
    history.claim("web", AT + 60)
    history.settle()
    answers: list[bool] = []

    slots = [SlotRow("web", AT), SlotRow("web", AT + 60)]
    history.writer.claim(slots, RunRow("both", "web"), answers.append)
    history.settle()

    assert answers == [False]
    assert query(file, "SELECT nominal FROM slots") == [(AT + 60,)]


def test_a_slot_within_a_skipped_stretch_is_taken(history: History) -> None:
    history.writer.skip([SlotRow("web", AT, nominal_to=AT + 600, outcome="skipped", reason="paused", count=11)])
    history.settle()

    within, behind = history.claim("web", AT + 300), history.claim("web", AT + 601)
    history.settle()

    assert (within, behind) == ([False], [True])


def test_a_stretch_begins_behind_what_was_decided_in_it(history: History, file: Path) -> None:
    history.claim("web", AT + 60)

    history.writer.skip([SlotRow("web", AT, nominal_to=AT + 600, outcome="skipped", reason="clock", count=11)])
    history.settle()

    rows = query(file, "SELECT nominal, nominal_to, count FROM slots ORDER BY nominal")
    assert rows == [(AT + 60, AT + 60, 1), (AT + 61, AT + 600, None)]


def test_a_skipped_slot_keeps_its_first_outcome(history: History, file: Path) -> None:
    for reason in ("paused", "overlap"):
        history.writer.skip([SlotRow("web", AT, outcome="skipped", reason=reason)])

    history.settle()

    assert query(file, "SELECT reason FROM slots") == [("paused",)]


def test_a_run_by_hand_has_no_slot(history: History, file: Path) -> None:
    answers: list[bool] = []

    history.writer.claim([], RunRow("r1", "web", trigger="manual", args={"args": ["-v"], "env": []}), answers.append)
    history.settle()

    assert answers == [True]
    assert query(file, "SELECT trigger, args FROM runs") == [("manual", '{"args":["-v"],"env":[]}')]


def test_a_run_that_is_released_was_never_there(history: History, file: Path) -> None:
    history.claim("web", run="a")

    history.writer.release("a", "not_started", note="it has waited for too long")
    history.settle()

    assert query(file, "SELECT outcome, reason, run FROM slots") == [("skipped", "not_started", None)]
    assert query(file, "SELECT id FROM runs") == []


def test_a_claim_that_waits_can_be_withdrawn(history: History, file: Path) -> None:
    answers = history.claim("web", run="a")

    assert history.writer.withdraw("a")
    assert not history.writer.withdraw("a")
    history.claim("other")
    history.settle()

    assert answers == []
    assert query(file, "SELECT schedule FROM slots") == [("other",)]


def test_at_rest_only_claims_are_written_and_what_came_before(history: History, file: Path) -> None:
    history.claim("web", run="a")
    history.settle()
    history.writer.rest(True)
    history.writer.run_started("a", started=AT)
    for _ in range(20):
        history.loop.turn(0.001)
    assert query(file, "SELECT state FROM runs") == [("claimed",)]

    history.claim("other", run="b")
    history.settle()
    assert query(file, "SELECT id, state FROM runs ORDER BY id") == [("a", "running"), ("b", "claimed")]
    history.writer.run_started("b", started=AT)
    history.writer.rest(False)
    history.settle()
    assert query(file, "SELECT state FROM runs") == [("running",), ("running",)]


def test_at_rest_nothing_is_lost_by_the_end(history: History, file: Path) -> None:
    history.writer.rest(True)
    history.claim("web", run="a")
    history.writer.run_started("a", started=AT)
    assert history.writer.close(5)

    assert query(file, "SELECT state FROM runs") == [("running",)]


def test_the_life_of_a_run(history: History, file: Path) -> None:
    writer = history.writer
    history.claim("web", run="a")
    writer.run_started("a", started=AT * 1000, boot="b1")
    writer.step_started(StepRow("a", 0, name="get", started=AT * 1000, state="running"))
    writer.step_ended(StepRow("a", 0, state="succeeded", ended=AT * 1000 + 700, exit_code=0, cpu_ms=12.9))
    writer.run_ended("a", {"state": "succeeded", "ended": AT * 1000 + 900, "metrics": {"quality": 0.9}})
    history.settle()

    assert query(file, "SELECT state, started, ended, boot, metrics FROM runs") == [
        ("succeeded", AT * 1000, AT * 1000 + 900, "b1", '{"quality":0.9}')
    ]
    assert query(file, "SELECT name, state, started, ended, cpu_ms FROM steps") == [
        ("get", "succeeded", AT * 1000, AT * 1000 + 700, 12)
    ]
    assert query(file, "SELECT outcome FROM slots") == [("run",)]
    figures = "SELECT total, succeeded, failed, streak, last_run, last_result, last_at, last_ms FROM schedules"
    assert query(file, figures) == [(1, 1, 0, 0, "a", "succeeded", AT * 1000 + 900, 900)]


def test_an_end_counts_once(history: History, file: Path) -> None:
    history.claim("web", run="a")
    history.writer.run_ended("a", {"state": "failed"})
    history.writer.run_ended("a", {"state": "succeeded"})
    history.settle()
    history.writer.run_ended("a", {"state": "failed"})
    history.settle()

    assert query(file, "SELECT state FROM runs") == [("failed",)]
    assert query(file, "SELECT total, succeeded, failed, streak FROM schedules") == [(1, 0, 1, 1)]


def test_which_ends_are_failures(history: History, file: Path) -> None:
    ends = ["failed", "rejected", "timed_out", "cancelled", "interrupted", "lost"]
    for number, state in enumerate(ends):
        history.claim("web", AT + number, run=state)
        history.writer.run_ended(state, {"state": state})
    history.settle()
    assert query(file, "SELECT total, succeeded, failed, streak FROM schedules") == [(6, 0, 3, 3)]

    history.claim("web", AT + 10, run="good")
    history.writer.run_ended("good", {"state": "succeeded"})
    history.settle()
    assert query(file, "SELECT total, succeeded, failed, streak FROM schedules") == [(7, 1, 3, 0)]


def test_nothing_makes_an_ended_run_live_again(history: History, file: Path) -> None:
    history.claim("web", run="a")
    history.writer.run_ended("a", {"state": "failed"})

    history.writer.run_started("a")
    history.writer.run_changed("a", log="web/runs/a.log")
    history.settle()

    assert query(file, "SELECT state, log FROM runs") == [("failed", "web/runs/a.log")]


def test_an_end_without_its_claim_is_kept(history: History, file: Path) -> None:
    """The claim was refused, and the run began without."""
    history.writer.run_ended("a", {"schedule": "web", "state": "succeeded", "unledgered": True})
    history.settle()

    assert query(file, "SELECT schedule, state, unledgered FROM runs") == [("web", "succeeded", 1)]
    assert query(file, "SELECT id, total FROM schedules") == [("web", 1)]


def test_of_the_state_of_a_schedule_the_newest_counts(history: History, file: Path) -> None:
    history.writer.schedule_state("web", cursor=1, breaker="open")
    history.writer.schedule_state("web", cursor=2)

    assert history.writer.queued == 1
    history.settle()
    history.writer.schedule_state("web", accepted={"quality": 1})
    history.settle()

    assert query(file, "SELECT cursor, breaker, accepted FROM schedules") == [(2, "open", '{"quality":1}')]


def test_what_belongs_to_one_turn_is_one_transaction(history: History, file: Path) -> None:
    history.load()
    marks: list[int] = []
    for number in range(50):
        row = RunRow(f"r{number}", "web")
        history.writer.claim([], row, lambda _: marks.append(query(file, "SELECT count(*) FROM runs")[0][0]))

    history.until(lambda: marks)

    assert set(marks) == {50}


def test_bytes_that_are_no_text_are_kept_readable(history: History, file: Path) -> None:
    history.writer.run_changed("a", cause="died: \udcff", words=["\udcfe", "fine"], by="x\0y", exit_code=1 << 80)
    history.settle()

    assert query(file, "SELECT cause, words, by, exit_code FROM runs") == [
        ("died: \\udcff", '["\\udcfe","fine"]', "x\0y", (1 << 63) - 1)
    ]


def test_a_column_that_there_is_not_is_our_defect_and_costs_nothing_else(history: History, file: Path) -> None:
    history.writer.run_changed("a", colour="red", cause="x")
    history.settle()

    assert [str(error) for error in history.errors] == ["colour"]
    history.errors.clear()
    assert query(file, "SELECT id, cause FROM runs") == [("a", "x")]


def test_a_write_that_can_not_be_done_does_not_cost_the_others(history: History, file: Path) -> None:
    answers: list[bool] = []
    history.claim("web")
    history.writer.claim([SlotRow("bad", AT, outcome="nonsense")], None, answers.append)
    good = history.claim("other")

    history.settle()

    assert (answers, good, history.writer.dropped, len(history.errors)) == ([False], [True], 1, 1)
    history.errors.clear()
    assert query(file, "SELECT schedule FROM slots") == [("other",), ("web",)]
    assert history.troubles == []


def test_a_callback_that_fails_costs_the_others_nothing(history: History) -> None:
    def fail(_: bool) -> None:
        raise ZeroDivisionError

    history.writer.claim([], RunRow("a", None), fail)
    good = history.claim("web")
    history.settle()

    assert good == [True]
    assert [type(error) for error in history.errors] == [ZeroDivisionError]
    history.errors.clear()


# starting and ending


def test_a_new_scheduler_is_told_what_is_open(history: History) -> None:
    history.claim("web", run="a")
    history.claim("web", AT + 60, run="b")
    history.claim("done", run="c")
    history.writer.run_ended("c", {"state": "succeeded"})
    history.writer.schedule_state("done", cursor=AT + 5)
    history.writer.run_started("b", started=AT * 1000)

    loaded = history.load()

    assert loaded.trouble == ""
    assert [(run["id"], run["state"]) for run in loaded.runs] == [("a", "claimed"), ("b", "running")]
    assert [slot["nominal"] for slot in loaded.runs[1]["slots"]] == [AT + 60]
    assert loaded.cursors == {"web": AT + 60, "done": AT + 5}
    assert loaded.schedules["done"]["total"] == 1


def test_without_a_history_there_is_nothing_to_load(history: History, file: Path) -> None:
    loaded = history.load()

    assert (loaded.schedules, loaded.cursors, loaded.runs, loaded.trouble) == ({}, {}, [], "")
    assert file.exists()


def test_the_files_are_the_owners_and_its_groups(history: History, file: Path) -> None:
    history.claim("web")
    history.settle()

    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in file.parent.iterdir()}
    assert modes == {"history.db": 0o640, "history.db-wal": 0o640, "history.db-shm": 0o640}


def test_the_end_waits_for_what_was_asked_for(history: History, file: Path) -> None:
    answers = history.claim("web")

    assert history.writer.close(5.0)

    assert answers == [True]
    assert query(file, "SELECT schedule FROM slots") == [("web",)]
    assert [each.name for each in file.parent.iterdir()] == ["history.db"]


def test_after_its_end_nothing_is_written_and_nothing_fails(history: History) -> None:
    history.writer.close(5.0)

    history.claim("web")
    history.turn()

    assert history.writer.queued == 1
    assert not history.writer.close(0.0)


def test_the_loop_loads_no_sqlite() -> None:
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import supervisor.store.writer; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)

    assert [name for name in done.stdout.split() if "sqlite" in name] == []
