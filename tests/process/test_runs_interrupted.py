"""What becomes of a run when `start` is killed, sbctl is stopped, or the scheduler is replaced in the middle of it."""

from __future__ import annotations

import signal
import time

from support.processes import alive, kill
from support.scheduling import NOTES_ITS_SLOT, Scheduling, seconds
from support.waiting import eventually

LONG = f"{NOTES_ITS_SLOT}; echo begun; sleep 1000"


def begun(desk: Scheduling, run: str) -> int:
    """Its shell's pid, once it has said something."""
    row = eventually(lambda: next((row for row in desk.runs() if row["id"] == run and row["log"]), None))
    eventually(lambda: "begun" in desk.log(row).splitlines())
    keys = desk.daemon.marked()
    return next(pids[0] for key, pids in keys.items() if key.startswith(f"run/{run}/"))


def test_start_is_killed_and_the_next_one_knows_that_the_run_is_lost(scheduling: Scheduling) -> None:
    desk = scheduling
    desk.job("left", LONG)
    desk.job("again", 'echo begun; test "$SB_TRIGGER" = rerun || sleep 1000', interrupted="rerun")
    desk.start()
    left, again = desk.run("left"), desk.run("again")
    pids = [begun(desk, left), begun(desk, again)]
    assert desk.daemon.process is not None
    desk.daemon.process.kill()
    desk.daemon.process.wait(5)

    desk.start()

    states = [desk.ended(left)["state"], desk.ended(again)["state"]]
    assert set(states) <= {"lost", "interrupted"}
    assert not [pid for pid in pids if alive(pid)]
    rerun = eventually(lambda: [row for row in desk.runs("again") if row["trigger"] == "rerun"])
    row = desk.ended(rerun[0]["id"])
    assert (len(rerun), row["state"], row["retry_of"]) == (1, "succeeded", again)
    assert [row["id"] for row in desk.runs("left")] == [left]


def test_both_daemons_are_killed_at_once(scheduling: Scheduling) -> None:
    desk = scheduling
    desk.job("left", LONG)
    desk.start()
    run = desk.run("left")
    pid = begun(desk, run)
    scheduler = desk.daemon.pid("scheduler")
    assert desk.daemon.process is not None
    kill(scheduler, signal.SIGSTOP)
    desk.daemon.process.kill()
    kill(scheduler)
    desk.daemon.process.wait(5)

    desk.start()

    row = desk.ended(run)
    assert row["state"] == "lost"
    assert "died in the middle of it" in row["cause"]
    assert not alive(pid)
    assert len(desk.events("run.lost", "left")) == 1


def test_a_stop_interrupts_what_runs_and_the_next_start_may_run_it_again(scheduling: Scheduling) -> None:
    desk = scheduling
    graceful = "trap 'echo bye; exit 0' TERM; echo begun; test \"$SB_TRIGGER\" = rerun || while :; do sleep 0.02; done"
    desk.job("left", LONG)
    desk.job("again", graceful, interrupted="rerun")
    desk.start()
    left, again = desk.run("left"), desk.run("again")
    pids = [begun(desk, left), begun(desk, again)]

    assert desk.daemon.stop() == 0

    assert not [pid for pid in pids if alive(pid)]
    rows = {row["id"]: row for row in desk.runs()}
    assert (rows[left]["state"], rows[again]["state"]) == ("interrupted", "interrupted")
    assert rows[left]["cause"] == "sbctl was stopped"
    assert "bye" in desk.log(rows[again])
    desk.start()
    [rerun] = eventually(lambda: [row for row in desk.runs("again") if row["id"] != again])
    assert desk.ended(rerun["id"])["state"] == "succeeded"
    assert len(desk.runs("left")) == 1


def test_a_run_goes_on_while_the_scheduler_is_replaced(scheduling: Scheduling) -> None:
    desk = scheduling
    desk.plugin("long", get="for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.1; done", push="echo pushed; exit 4")
    desk.task("long")
    desk.start()
    run, old = desk.run("long"), desk.daemon.pid("scheduler")

    desk.daemon.ask("start", "restart", names=["scheduler"])

    eventually(lambda: desk.home.pid("scheduler") not in (old, None))
    row = desk.ended(run)
    assert (row["state"], row["exit_code"]) == ("failed", 4)
    assert [line for line in desk.log(row).splitlines() if not line.startswith("===")] == [*"12345678", "pushed"]
    assert len(desk.events("run.failed", "long")) == 1
    assert desk.row("long")["total_runs"] == 1


UNSEEN_S = 3.0  # from the kill of a scheduler to the next one
WHEN_TOLD = 'while ! test -e "$SB_HOME/go"; do sleep 0.02; done; date +%s.%N >over; exit 3'


def test_what_ends_while_no_scheduler_is_there_has_the_time_of_its_end(scheduling: Scheduling) -> None:
    desk = scheduling
    rules = {"fastCrashSeconds": 1000, "delaysSeconds": [UNSEEN_S], "giveUpAfter": 5}
    desk.home.settings["core"] = {"scheduler": rules}
    desk.home.write()
    desk.home.add_plugin("server", f"echo begun; {WHEN_TOLD}", restart="never")
    desk.job("short", f"echo begun; {WHEN_TOLD}")
    desk.start()
    run, old = desk.run("short"), desk.daemon.pid("scheduler")
    begun(desk, run)

    killed = time.time()
    kill(old)
    eventually(lambda: not alive(old))
    (desk.home.path / "go").touch()

    row = desk.ended(run)
    next_one = killed + UNSEEN_S  # at the earliest
    for name, ended in (("short", row["ended"]), ("short", row["steps"][0]["ended"]), ("server", exit_of(desk))):
        over = float((desk.home.path / "plugins" / name / "over").read_text())
        assert over - 0.001 <= seconds(ended) < next_one, (name, over, ended, next_one)


def exit_of(desk: Scheduling) -> str:
    return str(desk.daemon.in_phase("server", "failed")["exit"]["at"])


def test_limits_hold_over_the_death_of_the_scheduler(scheduling: Scheduling) -> None:
    desk = scheduling
    desk.job("endless", "trap '' TERM; echo begun; while :; do sleep 0.02; done",
             stepTimeoutMinutes=0.01, stopGraceSeconds=0.3)  # fmt: skip
    desk.start()
    run = desk.run("endless")
    begun(desk, run)

    for _ in range(2):
        old = desk.daemon.pid("scheduler")
        desk.daemon.kill_scheduler()
        eventually(lambda old=old: desk.home.pid("scheduler") not in (old, None))

    row = desk.ended(run, 4)
    assert (row["state"], row["signal"]) == ("timed_out", "SIGKILL")


def test_who_waits_for_a_run_is_told_of_its_end_or_loses_the_line(scheduling: Scheduling) -> None:
    desk = scheduling
    desk.job("short", "sleep 0.2; exit 3")
    desk.start()
    run = desk.run("short")

    answer = desk.ask("wait_run", run=run, timeout=5)
    late = desk.ask("wait_run", run=run)

    assert (answer["ended"], answer["run"]["state"], answer["run"]["exit_code"]) == (True, "failed", 3)
    assert late["ended"] is True


def test_a_cancel_ends_it_gently_and_a_second_one_at_once(scheduling: Scheduling) -> None:
    desk = scheduling
    desk.job("deaf", "trap '' TERM; echo begun; while :; do sleep 0.02; done", stopGraceSeconds=60)
    desk.job("tidy", "trap 'echo tidied; exit 0' TERM; echo begun; while :; do sleep 0.02; done")
    desk.start()
    deaf, tidy = desk.run("deaf"), desk.run("tidy")
    begun(desk, deaf)
    begun(desk, tidy)

    desk.ask("cancel", run=deaf, by="ann")
    desk.ask("cancel", run=tidy)
    assert desk.ended(tidy)["state"] == "cancelled"
    assert "tidied" in desk.log(desk.ended(tidy))
    desk.ask("cancel", run=deaf, by="ann", now=True)

    row = desk.ended(deaf)
    assert (row["state"], row["cause"], row["signal"]) == ("cancelled", "cancelled by ann", "SIGKILL")
