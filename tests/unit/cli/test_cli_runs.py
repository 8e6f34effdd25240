"""`run`, `retry`, `cancel`, `runs`, `show` and `why` of schedules, with a make-believe scheduler and a real history."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.cli import Sbctl, knows, remember, running, utc_home
from support.fake_schedules import NOW, FakeSchedules, run_row, schedule_row

from supervisor.base.clock import iso
from supervisor.model.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "logs").mkdir()
    return utc_home(tmp_path)


@pytest.fixture
def fake(home: Home) -> Iterator[FakeSchedules]:
    """A running home with two schedules of two plugins."""
    with running(home, ["web"], schedule_row("mail"), schedule_row("disk.nightly", tenant="acme")) as found:
        yield found


@pytest.fixture
def history(home: Home) -> Home:
    """Three good runs of mail, then a bad one; and one of disk."""
    for number in range(3):
        at = int(NOW * 1000) - 3_600_000 * (3 - number)
        remember(home, "runs", **run_row(f"r_a{number}", claimed=at, started=at, ended=at + 2000))
    remember(home, "runs", **run_row("r_bad", state="failed", exit_code=3, words='["no login"]', late_ms=65_000,
                                     memory=5 << 20, cpu_ms=120, cause="get: exit code 3"))  # fmt: skip
    remember(home, "steps", run="r_bad", number=0, attempt=1, name="get", state="failed", exit_code=3, started=0,
             ended=1500, cpu_ms=120)  # fmt: skip
    remember(home, "runs", **run_row("r_disk", "disk", claimed=1000, started=1000, ended=2000))
    return home


# run


def test_a_run_is_asked_for(sbctl: Sbctl, fake: FakeSchedules) -> None:
    code, out, err = sbctl("run", "mail", "get", "push", "--env", "A=b=c", "--force", "--", "-x", "--json")
    assert (code, out) == (0, "r_9 of mail was accepted\n")
    assert "sbctl show r_9" in err
    asked = dict(fake.asked[-1])
    assert asked.pop("by")
    asked.pop("verb", None)
    assert asked == {"name": "mail", "commands": ["get", "push"], "args": ["-x", "--json"], "env": {"A": "b=c"},
                     "force": True}  # fmt: skip


def test_a_held_run_says_by_what_and_until_when(sbctl: Sbctl, fake: FakeSchedules) -> None:
    fake.held = {"gate": "paused", "reason": "lunch", "until": iso(NOW + 86400 * 400)}
    code, out, err = sbctl("run", "mail")
    assert (code, out) == (1, "")
    assert "why:  paused: lunch, until Sun 02 Jan 2028 08:00" in err
    assert "--force passes it" in err
    code, out, _ = sbctl("run", "mail", "--json")
    assert (code, json.loads(out)["held"]["gate"]) == (1, "paused")
    assert sbctl("run", "mail", "--force")[0] == 0


@pytest.mark.parametrize(
    ("state", "options", "code"),
    [
        ("succeeded", ["--wait"], 0),
        ("failed", ["--wait"], 1),
        ("failed", ["--exit-code"], 3),
        ("rejected", ["--exit-code"], 3),
        ("timed_out", ["--wait"], 1),
    ],
)
def test_waiting_ends_with_the_run(
    sbctl: Sbctl, fake: FakeSchedules, state: str, options: list[str], code: int
) -> None:
    fake.ended = run_row("r_9", state=state, exit_code=0 if state == "succeeded" else 3)
    fake.waits = 1
    found, out, err = sbctl("run", "mail", *options)
    assert (found, out) == (code, "")
    assert f"r_9 {state.replace('_', ' ')}" in err


def test_a_signal_has_a_code_too(sbctl: Sbctl, fake: FakeSchedules) -> None:
    fake.ended = run_row("r_9", state="failed", signal="SIGKILL")
    assert sbctl("run", "mail", "--exit-code")[0] == 137


def test_waiting_has_a_limit_and_the_run_goes_on(sbctl: Sbctl, fake: FakeSchedules) -> None:
    fake.waits = 1000
    code, _, err = sbctl("run", "mail", "--wait", "--timeout", "50ms")
    assert code == 124
    assert "it goes on" in err
    assert sbctl("run", "mail", "--timeout", "1s")[0] == 2


def test_the_answer_of_a_waiter_as_json(sbctl: Sbctl, fake: FakeSchedules) -> None:
    answer = json.loads(sbctl("run", "mail", "--wait", "--json")[1])
    assert (answer["run"], answer["result"]["state"], answer["result"]["took_s"]) == ("r_9", "succeeded", 2.0)


def test_its_output_is_followed_over_a_rotation(sbctl: Sbctl, fake: FakeSchedules, home: Home) -> None:
    log = Path(home.run_log("mail", "r_9"))
    log.parent.mkdir(parents=True)
    log.write_text("one\n")
    looks: list[int] = []

    def grow() -> None:
        looks.append(1)
        if len(looks) == 2:
            with log.open("a") as file:
                file.write("two\n")
            log.rename(f"{log}.1")
            log.write_text("password=hunter22 three")

    fake.waits, fake.on_wait = 3, grow
    code, out, _ = sbctl("run", "mail", "-f")
    assert (code, out) == (0, "one\ntwo\npassword=•••• three\n")
    assert sbctl("run", "mail", "-f", "--json")[0] == 2


@pytest.mark.usefixtures("fake")
def test_what_is_only_a_server_is_started_not_run(sbctl: Sbctl, home: Home) -> None:
    compiled = Path(home.compiled_file("scheduler"))
    compiled.parent.mkdir(parents=True)
    launch = {"env": {}, "cwd": "/"}
    compiled.write_text(json.dumps({"services": [{"name": "web", "launch": launch}], "schedules": {"commands": {}}}))
    code, _, err = sbctl("run", "web")
    assert code == 2
    assert "web is a server" in err
    assert "sbctl start web" in err
    assert "no schedule" in sbctl("run", "maill")[2]


@pytest.mark.parametrize("pair", ["A", "=b", "1A=b", "A-B=c"])
def test_what_is_no_variable(sbctl: Sbctl, pair: str) -> None:
    assert sbctl("run", "mail", "--env", pair)[0] == 2


def test_without_a_scheduler_nothing_is_run(sbctl: Sbctl) -> None:
    code, _, err = sbctl("run", "mail")
    assert code == 7
    assert "next: sbctl start" in err


# retry, cancel


@pytest.mark.usefixtures("history")
def test_retry_takes_a_part_of_an_id(sbctl: Sbctl, fake: FakeSchedules) -> None:
    assert sbctl("retry", "bad")[0] == 0
    assert fake.asked[-1]["retry"] == "r_bad"
    assert sbctl("retry", "last")[0] == 0
    assert fake.asked[-1]["retry"] == "r_bad"
    code, _, err = sbctl("retry", "r_a")
    assert code == 2
    assert "r_a2, r_a1, r_a0" in err


def test_cancel(sbctl: Sbctl, fake: FakeSchedules, history: Home) -> None:
    remember(history, "runs", **run_row("r_now", state="running", ended=None))
    assert sbctl("cancel", "mail", "--now")[:2] == (0, "r_now is cancelled\n")
    assert (fake.asked[-1]["run"], fake.asked[-1]["now"]) == ("r_now", True)
    assert sbctl("cancel", "r_unheard_of")[0] == 0  # the history may be behind: the scheduler decides


# runs, show


@pytest.mark.usefixtures("history")
def test_runs_of_a_stopped_home(sbctl: Sbctl) -> None:
    code, out, err = sbctl("runs", "mail")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].split() == ["RUN", "SCHEDULE", "TRIGGER", "STARTED", "(UTC)", "TOOK", "VS", "P50", "RESULT"]
    assert [line.split()[0] for line in lines[1:]] == ["r_bad", "r_a2", "r_a1", "r_a0"]
    assert lines[1].endswith("+0%     ✖ exit 3 1m 5s late   no login")
    assert lines[2].endswith("✔")


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("failed", "✖ exit 3   no login"),
        ("timed_out", "✖ timed out   get: longer than 5s"),
        ("cancelled", "■ cancelled   get: longer than 5s"),
        ("interrupted", "▲ interrupted   get: longer than 5s"),
        ("lost", "▲ lost   get: longer than 5s"),
    ],
)
def test_the_result_of_what_was_ended_is_its_cause(sbctl: Sbctl, home: Home, state: str, said: str) -> None:
    """Its last words are those of a job that knew nothing of it."""
    remember(
        home, "runs", **run_row("r_x", state=state, exit_code=3, words='["no login"]', cause="get: longer than 5s")
    )
    assert sbctl("runs")[1].splitlines()[1].endswith(said)


@pytest.mark.usefixtures("history")
def test_runs_are_chosen(sbctl: Sbctl) -> None:
    def ids(*args: str) -> list[str]:
        return [run["id"] for run in json.loads(sbctl("runs", "--json", *args)[1])["runs"]]

    assert ids("--failed") == ["r_bad"]
    assert ids("-n", "2") == ["r_bad", "r_a2"]
    assert ids("--since", iso(NOW - 5400)) == ["r_bad", "r_a2"]
    assert ids("disk", "mail", "-n", "5") == ["r_bad", "r_a2", "r_a1", "r_a0", "r_disk"]
    assert ids("--tenant", "acme") == []
    assert sbctl("runs", "maill")[0] == 2


def test_nothing_is_named_by_nothing(sbctl: Sbctl) -> None:
    for words in (["run", ""], ["retry", ""]):
        code, _, err = sbctl(*words)
        assert code == 2
        assert "None" not in err


def test_no_history_yet(sbctl: Sbctl) -> None:
    assert sbctl("runs") == (0, "", "no runs yet\n")
    assert sbctl("show", "last")[0] == 2


@pytest.mark.usefixtures("history")
def test_show(sbctl: Sbctl, home: Home) -> None:
    code, out, _ = sbctl("show", "mail")
    assert code == 0
    assert out.splitlines()[0] == "✖ r_bad of mail: failed (exit 3)"
    for part in (
        "cause       get: exit code 3",
        "1m 5s late",
        "0.12 CPU seconds",
        "5.0M of memory",
        "sbctl retry r_bad",
    ):
        assert part in out
    assert "get   ✖ failed  3     1.5s  0.12s" in out
    answer = json.loads(sbctl("show", "r_bad", "--json")[1])
    assert (answer["state"], answer["steps_run"][0]["exit_code"], answer["words"]) == ("failed", 3, ["no login"])
    assert sbctl("show", "nope")[0] == 2


@pytest.mark.usefixtures("history")
def test_show_log_has_head_and_tail(sbctl: Sbctl, home: Home) -> None:
    log = Path(home.run_log("mail", "r_bad"))
    assert sbctl("show", "r_bad", "--log")[0] == 1
    log.parent.mkdir(parents=True)
    Path(f"{log}.head").write_text("first\n")
    Path(f"{log}.1").write_text("later\n")
    log.write_text("last\x1b]0;evil\x07")
    code, out, _ = sbctl("show", "r_bad", "--log")
    assert code == 0
    assert out == "first\n-- … left out … --\nlater\nlast\\x1b]0;evil\\x07\n"


# why


def test_why_a_schedule_is_paused(sbctl: Sbctl, fake: FakeSchedules, home: Home) -> None:
    knows(home, "mail")
    paused = {"at": iso(NOW), "by": "pause.flag", "reason": "", "until": None}
    fake.add(schedule_row("mail", status="paused", paused=paused, next_due="2030-11-28T13:12:00.000Z"))
    fake.gates = [{"gate": "paused", "open": False, "reason": "", "until": None}]
    fake.old_slots = [{"schedule": "mail", "nominal": iso(NOW), "nominal_to": iso(NOW), "outcome": "skipped",
                       "reason": "paused", "count": 1}]  # fmt: skip
    code, out, _ = sbctl("why", "mail")
    assert code == 0
    first, *rest = out.splitlines()
    assert first.startswith("mail is paused since ")
    assert first.endswith("by pause.flag; next Thu 28 Nov 2030 13:12 when resumed")
    assert rest[:2] == ["zone        UTC", "held by     paused: shut"]
    assert rest[2].startswith("slots       ")
    assert rest[2].endswith("skipped: paused")


@pytest.mark.parametrize("typed", ["-2h", "2026-11-28T07:12"])
def test_why_then(sbctl: Sbctl, fake: FakeSchedules, home: Home, typed: str) -> None:
    knows(home, "mail")
    fake.lines = ["07:12 ran on time"]
    assert "07:12 ran on time" in sbctl("why", "mail", typed)[1]
    assert fake.asked[-1]["name"] == "mail"
    assert sbctl("why", "mail", "whenever")[0] == 2


@pytest.mark.usefixtures("history")
def test_why_then_names_the_slot(sbctl: Sbctl, fake: FakeSchedules, home: Home) -> None:
    """The scheduler leaves the past to those who read it."""
    knows(home, "mail")
    fake.old_slots = None
    for number, run in enumerate(("r_a0", "r_a1")):
        remember(home, "slots", schedule="mail", nominal=int(NOW) - 7200 + 3600 * number, decided=1, run=run,
                 nominal_to=int(NOW) - 7200 + 3600 * number, outcome="run", count=1)  # fmt: skip
    lines = sbctl("why", "mail", iso(NOW - 3600))[1].splitlines()
    assert [line.split()[-3:] for line in lines if line.startswith("then ")] == [["✔", "r_a1", "2.0s"]]
    assert [line.split()[-2] for line in lines[-2:]] == ["r_a1", "r_a0"]


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize(
    ("minutes", "hit"), [(-181, False), (-180, True), (-90, True), (0, True), (7, True), (9, False)]
)
def test_why_then_of_any_slot_in_a_stretch(
    sbctl: Sbctl, fake: FakeSchedules, home: Home, minutes: int, hit: bool
) -> None:
    """Also by when it was due, of the last one, which nothing else holds."""
    knows(home, "mail")
    fake.old_slots = None
    remember(home, "slots", schedule="mail", nominal=int(NOW) - 180 * 60, nominal_to=int(NOW), outcome="skipped",
             decided=1, count=181, reason="paused", note="by anna", due=int(NOW + 7 * 60) * 1000)  # fmt: skip
    lines = sbctl("why", "mail", iso(NOW + minutes * 60))[1].splitlines()
    then = [line for line in lines if line.startswith("then ")]
    assert len(then) == hit
    assert all(line.endswith("(181 slots)  skipped: paused (by anna)") for line in then)


def test_why_both(sbctl: Sbctl, fake: FakeSchedules, home: Home) -> None:
    """A plugin with a server and a schedule."""
    fake.add(schedule_row("web"))
    knows(home, "web", services=["web"])
    out = sbctl("why", "web")[1]
    assert out.startswith("web is running for ")
    assert "\nweb is active; next " in out
    assert json.loads(sbctl("why", "web", "--json")[1])["schedule"]["row"]["id"] == "web"
