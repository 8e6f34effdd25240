"""Steps as real processes: what they get, what they may do wrong, and how a run goes on from there.

One home with many jobs that run by hand serves all of these tests, for most of a test's time is a daemon's start.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
from support.daemon import Daemon
from support.home import TemporaryHome
from support.processes import alive
from support.scheduling import Scheduling
from support.waiting import eventually

from supervisor.base.errors import Problem

SHORT_MIN = 0.005  # 0.3 s
FIGURES = """echo '{"data": %s}' >"$SB_RESULT_FILE" """


def quality(figure: float) -> str:
    return f"""echo '{{"quality": {figure}}}' >"$SB_RESULT_FILE" """


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scheduling]:
    """Each test makes runs of its own jobs only."""
    home = TemporaryHome(tmp_path_factory.mktemp("runs") / "home")
    home.settings["config"]["enabled"] = False
    desk = Scheduling(Daemon(home))
    add_jobs(desk)
    try:
        yield desk.start()
    finally:
        desk.daemon.end()


def add_jobs(desk: Scheduling) -> None:
    desk.job("facts", "env | grep '^SB_'; test -d \"$SB_WORK_DIR\"", tenant="acme")
    desk.job("endless", "echo begun; exec sleep 1000", stepTimeoutMinutes=SHORT_MIN)
    desk.job("all-too-long", "sleep 1000", timeoutMinutes=SHORT_MIN, retry={"times": 3, "timeouts": True})
    deaf = "trap '' TERM; while :; do sleep 0.05; done"
    desk.job("deaf", deaf, stepTimeoutMinutes=SHORT_MIN, stopGraceSeconds=0.3)
    desk.job("leaves", "sleep 1000 & echo $!; (trap '' TERM; exec sleep 1001) & echo $!; exit 0")
    desk.job("escapes", "setsid sleep 1000 & echo $!; exit 0")
    desk.job("missing", "no-such-program-at-all", manifest={"description": "ends with 127"})
    desk.plugin("homeless", get='rm -r "$PWD"', push="echo pushed")
    desk.task("homeless")
    tool = desk.plugin("toolless", get="rm tool", push="./tool") / "tool"
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    desk.task("toolless")
    desk.job("signalled", "echo dying; kill -SEGV $$; sleep 5")
    for name, command in UNUSABLE.items():
        desk.job(name, command)
    desk.plugin("pipeline", **{name: f"echo did {name}" for name in ("get", "process", "push", "backup", "rollback")})
    desk.task("pipeline")
    gated = {"backup": "echo saved", "rollback": "echo undone", "push": "echo pushed", "process": "echo worked"}
    desk.plugin("too-few", get=FIGURES % 3, **gated)
    desk.task("too-few", safety={"minDataThreshold": 5})
    desk.plugin("silent", get="true", push="echo pushed")
    desk.task("silent", safety={"minDataThreshold": 5})
    desk.plugin("poor", **{**gated, "get": "true", "process": quality(0.5)})
    desk.task("poor")
    from_file = 'printf \'{"quality": %s}\' "$(cat quality)" >"$SB_RESULT_FILE"'
    desk.plugin("worse", **{**gated, "process": from_file})
    desk.task("worse", safety={"maxConsecutiveFailures": 10})
    desk.plugin("breaks", **{**gated, "process": "exit 9"})
    desk.task("breaks")
    counts = 'echo x >>tries; test "$(wc -l <tries)" -ge 3 || exit 75'
    desk.job("third-try", counts, retry={"times": 3, "delaySeconds": 0.02, "codes": [75]})
    desk.job("no-retry", "echo x >>tries; exit 1", retry={"times": 3, "delaySeconds": 0.02, "codes": [75]})
    desk.plugin("words", get="printf '[%s]' \"$GREETING\"; printf '<%s>'", argv=["/usr/bin/printf", "<%s>"])
    desk.task("words", commands=["get"])
    much = """printf '{'; for i in $(seq 70); do printf '"n%s": "%s", ' $i $smiles; done; printf '"data": 1}'"""
    smiles = "smiles=$(printf '\\360\\237\\231\\202%.0s' $(seq 200)); yes $smiles | head -n 100"
    tries = f'{smiles}; ({much}) >"$SB_RESULT_FILE"; test "$SB_ATTEMPT" -ge 3'
    desk.job("wordy", tries, retry={"times": 5, "delaySeconds": 0.01})
    desk.job("half", """echo '{"half": "\\\\ud800", "\\\\udfff": 1}' >"$SB_RESULT_FILE" """)
    desk.job("messy", 'cd "$SB_WORK_DIR"; mkdir -p a/b; echo x >a/b/c; ln -s / a/root; chmod 0 a/b; mkfifo pipe')


UNUSABLE = {
    "garbage": "echo '{]' >\"$SB_RESULT_FILE\"",
    "sparse": 'truncate -s 1G "$SB_RESULT_FILE"',
    "fifo": 'mkfifo "$SB_RESULT_FILE"',
    "linked": 'ln -s /dev/zero "$SB_RESULT_FILE"',
    "folder": 'mkdir "$SB_RESULT_FILE"',
    "deep": "head -c 60000 /dev/zero | tr '\\0' '[' >\"$SB_RESULT_FILE\"",
    "listed": "echo '[1, 2]' >\"$SB_RESULT_FILE\"",
    "odd-bytes": 'printf \'{"a": "\\377\\376"}\' >"$SB_RESULT_FILE"',
}


def outcome(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["state"], row["exit_code"], row["signal"]


def names_of(row: dict[str, Any]) -> list[str]:
    return [step["name"] for step in row["steps"]]


def test_a_step_is_told_what_it_is_and_where_it_may_write(desk: Scheduling) -> None:
    row = desk.done("facts")

    facts = dict(line.split("=", 1) for line in desk.log(row).splitlines() if line.startswith("SB_"))
    assert outcome(row) == ("succeeded", 0, None)
    assert facts["SB_RUN_ID"] == row["id"]
    assert (facts["SB_SCHEDULE"], facts["SB_PLUGIN"], facts["SB_STEP"]) == ("facts", "facts", "get")
    assert (facts["SB_ATTEMPT"], facts["SB_NOMINAL_TIME"], facts["SB_TENANT"]) == ("1", "", "acme")
    assert facts["SB_TRIGGER"] == "manual"
    assert os.path.dirname(facts["SB_RESULT_FILE"]) == facts["SB_WORK_DIR"]
    eventually(lambda: not os.path.exists(facts["SB_WORK_DIR"]))


def test_a_step_that_never_ends_is_ended(desk: Scheduling) -> None:
    begun = time.monotonic()
    row = desk.done("endless")

    assert row["state"] == "timed_out"
    assert "did not end within 0.3 s" in row["cause"]
    assert row["words"] == ["begun"]
    assert time.monotonic() - begun < 5


def test_the_limit_of_a_run_counts_for_all_its_tries(desk: Scheduling) -> None:
    row = desk.done("all-too-long", timeout=5)

    assert row["state"] == "timed_out"
    assert "it did not end within 0.3 s" in row["cause"]
    assert len(row["steps"]) == 1


def test_a_step_that_ignores_term_is_killed(desk: Scheduling) -> None:
    row = desk.done("deaf")

    assert outcome(row) == ("timed_out", None, "SIGKILL")


@pytest.mark.parametrize("job", ["leaves", "escapes"])
def test_what_a_step_leaves_running_is_ended(desk: Scheduling, job: str) -> None:
    row = desk.done(job)

    left = [int(line) for line in desk.log(row).splitlines() if line.isdigit()]
    assert row["state"] == "succeeded"
    assert left
    eventually(lambda: not [pid for pid in left if alive(pid)], 8, "nobody is left")


def test_a_program_that_is_not_there(desk: Scheduling) -> None:
    row = desk.done("missing")

    assert outcome(row) == ("failed", 127, None)
    assert row["cause"] == "get: cannot start: no-such-program-at-all: not found"
    assert any("no-such-program-at-all" in line for line in row["words"])


def test_what_has_gone_while_it_ran_is_named(desk: Scheduling) -> None:
    folder, tool = desk.done("homeless"), desk.done("toolless")

    assert outcome(folder) == ("failed", 126, None)
    assert folder["cause"] == f"push: cannot enter folder {desk.home.path}/plugins/homeless"
    assert outcome(tool) == ("failed", 127, None)
    assert tool["cause"] == "push: cannot start: ./tool: not found"


def test_a_step_that_a_signal_ended(desk: Scheduling) -> None:
    row = desk.done("signalled")

    assert outcome(row) == ("failed", None, "SIGSEGV")
    assert "killed by SIGSEGV" in row["cause"]


@pytest.mark.parametrize("job", UNUSABLE)
def test_a_result_file_that_can_not_be_used_fails_its_step_and_says_why(desk: Scheduling, job: str) -> None:
    row = desk.done(job)

    assert (row["state"], row["exit_code"]) == ("failed", 0)
    assert row["cause"].startswith("get: its result file "), row["cause"]
    eventually(lambda: not os.path.exists(desk.daemon.model.run_work(job, row["id"])), 5)


def test_the_steps_go_in_order_with_the_backup_before_all(desk: Scheduling) -> None:
    row = desk.done("pipeline")

    assert row["state"] == "succeeded"
    assert names_of(row) == ["backup", "get", "process", "push"]
    assert [line for line in desk.log(row).splitlines() if line.startswith("did")] == [
        "did backup", "did get", "did process", "did push"
    ]  # fmt: skip


def test_too_little_data_is_not_worked_on(desk: Scheduling) -> None:
    row = desk.done("too-few")

    assert row["state"] == "rejected"
    assert row["cause"] == "too little data: 3, at least 5 wanted"
    assert names_of(row) == ["backup", "get", "rollback"]
    assert json.loads(row["metrics"]) == {"data": 3} if isinstance(row["metrics"], str) else row["metrics"]["data"] == 3


def test_a_limit_on_data_that_nobody_reported_is_not_passed(desk: Scheduling) -> None:
    row = desk.done("silent")

    assert row["state"] == "rejected"
    assert "$SB_RESULT_FILE" in row["cause"]
    assert "pushed" not in desk.log(row).splitlines()


def test_poor_work_is_undone_and_not_pushed(desk: Scheduling) -> None:
    row = desk.done("poor")

    assert (row["state"], row["cause"]) == ("rejected", "quality 0.5 is below 0.7")
    assert names_of(row) == ["backup", "get", "process", "rollback"] or names_of(row) == [
        "backup", "process", "rollback"
    ]  # fmt: skip
    assert "undone" in desk.log(row)
    assert "pushed" not in desk.log(row).splitlines()


def test_work_that_is_worse_than_the_last_is_undone(desk: Scheduling) -> None:
    place = desk.home.path / "plugins" / "worse" / "quality"
    states = []
    for figure in ("0.9", "0.8", "0.95"):
        place.write_text(figure)
        states.append(desk.done("worse")["state"])

    assert states == ["succeeded", "rejected", "succeeded"]


def test_what_process_did_before_it_failed_is_undone(desk: Scheduling) -> None:
    row = desk.done("breaks")

    assert outcome(row)[0] == "failed"
    assert row["cause"] == "process: exit code 9"
    assert names_of(row)[-1] == "rollback"


def test_a_failed_step_is_tried_again_until_it_succeeds(desk: Scheduling) -> None:
    row = desk.done("third-try")

    assert row["state"] == "succeeded"
    assert [(step["attempt"], step["state"], step["exit_code"]) for step in row["steps"]] == [
        (1, "failed", 75), (2, "failed", 75), (3, "succeeded", 0)
    ]  # fmt: skip


def test_another_exit_code_is_not_tried_again(desk: Scheduling) -> None:
    row = desk.done("no-retry")

    assert outcome(row) == ("failed", 1, None)
    assert len(row["steps"]) == 1


def test_words_of_a_person_reach_a_command_as_they_are(desk: Scheduling) -> None:
    words = ["two words", "'quoted\"", "$HOME; rm -rf x", "*", "ümlaut", "-n"]
    env = {"GREETING": "a b'c"}
    told = "".join(f"<{word}>" for word in words)

    shell = desk.done("words", args=words, env=env)
    plain = desk.done("words", commands=["argv"], args=words)

    assert f"[a b'c]{told}" in desk.log(shell)
    assert told in desk.log(plain)
    assert (shell["state"], plain["state"]) == ("succeeded", "succeeded")


def test_who_waits_gets_what_the_history_has(desk: Scheduling) -> None:
    words = ("--wait", "--json", "--env", "WHO=me", "--", "a word")
    result = desk.home.sbctl("run", "signalled", *words).json()["result"]
    desk.ended(result["id"])
    [row] = desk.home.sbctl("runs", "signalled", "--json", "-n", "1").json()["runs"]

    del row["p50_s"]  # how long it usually takes: of the table, not of this run

    assert result == row
    assert row["args"] == {"args": ["a word"], "env": ["WHO"]}
    assert (row["attempt"], row["steps"]) == (1, ["get"])


def test_a_messy_work_folder_is_gone_afterwards(desk: Scheduling) -> None:
    row = desk.done("messy")

    assert row["state"] == "succeeded"
    eventually(lambda: not os.path.exists(desk.daemon.model.run_work("messy", row["id"])), 5)
    assert os.path.isdir("/etc")


def test_more_than_fits_is_refused_and_leaves_nothing_behind(desk: Scheduling) -> None:
    for args in (["x" * 200_000], ["x" * 1000] * 100, ["a\0b"]):
        with pytest.raises(Problem):
            desk.run("words", args=args)
    with pytest.raises(Problem):
        desk.run("words", env={"A=B": "x"})

    row = desk.done("words", args=["x" * 50_000])

    assert row["state"] == "succeeded"
    assert f"<{'x' * 50_000}>" in desk.log(row)


def test_a_step_that_reports_and_says_as_much_as_it_can_is_as_good_as_any(desk: Scheduling) -> None:
    row = desk.done("wordy")

    assert (row["state"], row["exit_code"]) == ("succeeded", 0), row["cause"]
    assert len(row["steps"]) == 3
    assert desk.row("wordy")["running"] == []


def test_half_a_character_in_a_result_does_no_harm(desk: Scheduling) -> None:
    row = desk.done("half")

    assert (row["state"], row["exit_code"]) == ("succeeded", 0), row["cause"]
    assert "half" in str(row["metrics"])
