"""Schedules through `bin/sbctl`, as a person meets them: looking, running, pausing, changing, saving them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from support.home import Result, TemporaryHome
from support.scheduling import add_steps, add_task, set_defaults
from support.waiting import eventually


@pytest.fixture
def scheduled(home: TemporaryHome) -> TemporaryHome:
    """Not started yet."""
    home.settings["config"]["enabled"] = False
    set_defaults(home, missedSpreadSeconds=0)
    add_steps(home, "twitter", get="echo got; printf '<%s>' \"$GREETING\"", push="echo pushed")
    add_steps(home, "mail", get="echo trying >&2; exit 3")
    add_steps(home, "long", get="echo begun; exec sleep 1000")
    add_task(home, "twitter", intervalHours=6, tenant="acme", runAtStart=False)
    add_task(home, "mail", at="08:00", retry={"times": 1, "delaySeconds": 0.05})
    add_task(home, "long", cron="0 2 * * *")
    return home


def said(result: Result, code: int = 0) -> str:
    assert result.code == code, result
    assert "Traceback" not in result.out + result.err
    return result.out


def run_of(result: Result) -> str:
    found = re.search(r"\b(r[0-9a-z]{8,})\b", result.out + result.err)
    assert found is not None, result
    return found[1]


def rows(home: TemporaryHome, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = home.sbctl("runs", "--json", *words).json()["runs"]
    return found


def test_what_there_is_and_what_comes(scheduled: TemporaryHome) -> None:
    home = scheduled
    said(home.sbctl("start"))

    table = said(home.sbctl("schedule", "list"))
    assert [line.split()[0] for line in table.splitlines()[1:4]] == ["long", "mail", "twitter"]
    listed = home.sbctl("schedule", "list", "--json").json()
    assert [row["id"] for row in listed["schedules"]] == ["long", "mail", "twitter"]
    assert {"scheduler_running", "total_schedules", "active_schedules", "running_tasks"} <= set(listed["system"])
    only = home.sbctl("schedule", "list", "--tenant", "acme", "--json").json()
    assert [row["id"] for row in only["schedules"]] == ["twitter"]

    slots = home.sbctl("next", "-n", "20", "--json").json()["slots"]
    dues = [slot["due"] for slot in slots]
    assert dues == sorted(dues)
    assert {slot["schedule"] for slot in slots} == {"long", "mail", "twitter"}
    assert "twitter" in said(home.sbctl("next", "twitter"))
    shown = said(home.sbctl("schedule", "show", "mail"))
    assert "daily at 08:00" in shown or "08:00" in shown
    unknown = home.sbctl("schedule", "show", "twiter")
    assert unknown.code == 2
    assert "twitter" in unknown.err


def test_a_run_by_hand_its_story_and_once_more(scheduled: TemporaryHome) -> None:
    home = scheduled
    said(home.sbctl("start"))

    followed = home.sbctl("run", "twitter", "-f", "--env", "GREETING=a b", "--", "two words")
    out = said(followed)
    assert "got" in out
    assert "<a b>" in out
    assert "pushed" in out
    run = run_of(followed)
    failed = home.sbctl("run", "mail", "--wait")
    assert failed.code == 1
    assert home.sbctl("run", "mail", "get", "--exit-code").code == 3

    assert [row["state"] for row in rows(home, "twitter")] == ["succeeded"]
    assert {row["schedule"] for row in rows(home, "--failed")} == {"mail"}
    story = said(home.sbctl("show", run))
    for word in ("succeeded", "get", "push", "manual"):
        assert word in story, story
    assert "two words" in said(home.sbctl("show", run, "--log"))
    assert "trying" in said(home.sbctl("show", "mail"))
    again = home.sbctl("retry", run, "--wait")
    said(again)
    newest = rows(home, "twitter")[0]
    assert (newest["trigger"], newest["retry_of"]) == ("retry", run)
    assert "two words" in said(home.sbctl("show", newest["id"], "--log"))


def test_pause_why_resume_and_cancel(scheduled: TemporaryHome) -> None:
    home = scheduled
    said(home.sbctl("start"))

    said(home.sbctl("pause", "twitter", "--reason", "they changed the API", "--for", "2h"))
    why = said(home.sbctl("why", "twitter"))
    assert "they changed the API" in why
    held = home.sbctl("run", "twitter")
    assert held.code == 1
    assert "paused" in held.out + held.err
    assert "--force" in held.out + held.err
    said(home.sbctl("run", "twitter", "--force", "--wait"))
    said(home.sbctl("resume", "twitter"))
    assert "paused" not in said(home.sbctl("why", "twitter")).splitlines()[0]

    said(home.sbctl("pause"))
    assert (home.path / "pause.flag").exists()
    assert "paused" in said(home.sbctl("schedule", "list"))
    remark = eventually(lambda: [line for line in said(home.sbctl("status")).splitlines() if "paused" in line], 5)
    assert remark[0].startswith("all schedules are paused since "), remark
    assert remark[0].endswith("resume"), remark
    said(home.sbctl("resume"))
    assert not (home.path / "pause.flag").exists()

    run = run_of(home.sbctl("run", "long"))
    assert "long" in said(home.sbctl("why", "long"))
    late = home.sbctl("run", "long", "--wait", "--timeout", "1s", "--force")
    assert late.code == 124
    other = run_of(late)
    said(home.sbctl("cancel", run, "--now"))
    said(home.sbctl("cancel", other))
    eventually(lambda: {row["state"] for row in rows(home, "long")} == {"cancelled"}, 5)
    gone = home.sbctl("cancel", run)
    assert gone.code == 1


def test_explain_test_and_the_verbs_that_change_a_schedule(scheduled: TemporaryHome) -> None:
    home = scheduled
    said(home.sbctl("start"))

    assert "02:30" in said(home.sbctl("explain", "30 2 * * *", "--tz", "Europe/Berlin"))
    assert home.sbctl("explain", "0 0 30 2 *").code == 2
    assert re.search(r"twitter: 14(59|60) times in 365 days", said(home.sbctl("schedule", "test", "twitter")))
    said(home.sbctl("schedule", "add", "twitter.night", "--cron", "30 2 * * *", "--commands", "push"))
    said(home.sbctl("schedule", "edit", "twitter.night", "--cron", "45 3 * * *"))
    row = home.sbctl("schedule", "show", "twitter.night", "--json").json()
    assert "03:45" in json.dumps(row) or "45 3" in json.dumps(row)
    said(home.sbctl("run", "twitter.night", "--wait"))
    said(home.sbctl("schedule", "disable", "twitter.night"))
    assert "disabled" in said(home.sbctl("schedule", "list", "twitter.night"))
    said(home.sbctl("schedule", "enable", "twitter.night"))
    said(home.sbctl("schedule", "rm", "twitter.night"))
    assert home.sbctl("schedule", "show", "twitter.night").code == 2


def test_what_happened_is_known_when_nothing_runs_and_comes_back_from_a_backup(scheduled: TemporaryHome) -> None:
    home = scheduled
    said(home.sbctl("start"))
    said(home.sbctl("run", "twitter", "--wait"))
    said(home.sbctl("pause", "mail", "--reason", "holiday"))
    said(home.sbctl("backup", "saved.tar.gz"))
    said(home.sbctl("stop"))

    before = rows(home)
    assert len(before) >= 1
    assert "twitter" in said(home.sbctl("next"))
    assert "succeeded" in said(home.sbctl("show", "last"))
    refused = home.sbctl("run", "twitter")
    assert refused.code != 0
    assert "sbctl start" in refused.err

    (home.path / "logs" / "history.db").unlink()
    (home.path / "etc" / "scheduler.json").write_text("{}")
    (home.path / "logs" / "state.json").unlink()
    said(home.sbctl("restore", "saved.tar.gz", "--yes"))
    assert rows(home) == before
    said(home.sbctl("start"))
    listed = {row["id"]: row for row in home.sbctl("schedule", "list", "--json").json()["schedules"]}
    assert listed["twitter"]["total_runs"] == 1
    assert listed["mail"]["paused"]["reason"] == "holiday"


def test_what_is_wished_while_nothing_runs_counts_from_the_start_on(scheduled: TemporaryHome) -> None:
    home = scheduled
    every_second = {"plugins": ["mail"], "cron": "* * * * * *", "seconds": True}
    home.scheduler["tasks"] = [
        every_second if task["plugins"] == ["mail"] else task for task in home.scheduler["tasks"]
    ]
    home.write()
    said(home.sbctl("schedule", "disable", "twitter"))  # before the first start of all
    said(home.sbctl("pause", "mail", "long", "--reason", "holiday", "--on-resume", "once"))
    said(home.sbctl("start"))
    listed = {row["id"]: row for row in home.sbctl("schedule", "list", "--json").json()["schedules"]}
    assert {id: row["status"] for id, row in listed.items()} == {
        "twitter": "disabled", "mail": "paused", "long": "paused",
    }  # fmt: skip
    assert listed["mail"]["paused"]["reason"] == "holiday"

    eventually(lambda: '"slot.held"' in (home.path / "logs" / "scheduler.log").read_text(), 10)
    said(home.sbctl("stop"))
    assert said(home.sbctl("resume", "mail")) == "mail goes on\n"
    said(home.sbctl("schedule", "enable", "twitter"))
    said(home.sbctl("start"))
    made_up = eventually(lambda: [row for row in rows(home, "mail") if row["trigger"] == "catch_up"], 10)
    assert len(made_up) == 1
    listed = {row["id"]: row for row in home.sbctl("schedule", "list", "--json").json()["schedules"]}
    assert listed["mail"]["paused"] is None
    assert listed["twitter"]["status"] == "active"
    assert listed["long"]["status"] == "paused"


@pytest.mark.slow
def test_why_of_one_that_is_new_not_in_force_or_removed(scheduled: TemporaryHome) -> None:
    home = scheduled
    assert "it begins with the next sbctl start" in said(home.sbctl("why", "twitter"))
    said(home.sbctl("start"))
    assert "it is new" not in said(home.sbctl("why", "twitter"))
    said(home.sbctl("run", "twitter", "--wait"))
    folder = home.path / "etc" / "schedules.d"
    folder.mkdir()
    (folder / "mail.late.json").write_text('{"cron": "0 23 * * *"}')
    assert "not in force yet" in said(home.sbctl("why", "mail.late"))
    said(home.sbctl("schedule", "rm", "mail.late"))

    home.scheduler["tasks"] = [task for task in home.scheduler["tasks"] if task["plugins"] != ["twitter"]]
    home.write()
    said(home.sbctl("reload"))
    assert "twitter is no schedule any more" in said(home.sbctl("why", "twitter"))
    said(home.sbctl("stop"))
    assert "twitter is no schedule any more" in said(home.sbctl("why", "twitter"))
    assert "sbctl show RUN --log" in home.sbctl("logs", "mail").err


def test_all_verbs_have_the_times_of_a_schedule_in_one_zone(scheduled: TemporaryHome) -> None:
    home = scheduled
    home.scheduler["tasks"][0]["timezone"] = "Asia/Kathmandu"  # which has other minutes than any machine
    home.write()
    said(home.sbctl("start"))
    said(home.sbctl("run", "twitter", "--wait"))
    said(home.sbctl("pause", "twitter", "--for", "2h"))
    held = home.sbctl("run", "twitter").err
    texts = [held, *(said(home.sbctl(*verb)) for verb in (
        ["why", "twitter"], ["schedule", "show", "twitter"], ["show", "twitter"], ["runs", "twitter"],
        ["next", "twitter"], ["pause", "twitter", "--for", "3h"], ["schedule", "test", "twitter"],
        ["schedule", "edit", "twitter", "--every", "5h", "--dry-run"],
    ))]  # fmt: skip
    for text in texts:
        assert text.count("Asia/Kathmandu") == 1, text
        assert " UTC" not in text, text
    of_all = said(home.sbctl("next")).splitlines()
    assert "Asia/Kathmandu" not in of_all[0]


BAD = {
    "30 Feb": ({"cron": "0 0 30 2 *"}, "cron"),
    "an unknown zone": ({"cron": "0 0 * * *", "timezone": "Europe/Atlantis"}, "timezone"),
    "no interval": ({"intervalSeconds": 0}, "intervalSeconds"),
    "a negative interval": ({"intervalHours": -1}, "intervalHours"),
    "contradiction": ({"intervalHours": 1, "missed": "all", "overlap": "skip"}, "missed"),
    "never within its hours": ({"at": "03:00", "activeHours": {"start": 7, "end": 23}}, "at"),
    "huge jitter": ({"intervalHours": 1, "jitterMinutes": 600}, "jitterMinutes"),
    "a misspelt key": ({"intervalHuors": 1}, "intervalHuors"),
    "a cron line of words": ({"cron": "every day at noon"}, "cron"),
    "an unknown check": ({"intervalHours": 1, "check": "nothing"}, "check"),
    "after itself": ({"afterSchedule": "twitter"}, "afterSchedule"),
}


def test_what_can_not_be_is_named_with_its_place_and_a_remedy(scheduled: TemporaryHome) -> None:
    home = scheduled
    for name, (keys, place) in BAD.items():
        home.scheduler["tasks"] = [{"plugins": ["twitter"], **keys}]
        home.write()
        result = home.sbctl("config", "validate")
        text = result.out + result.err
        lines = [line for line in text.splitlines() if line.startswith("etc/scheduler.json:") and place in line]
        assert lines, (name, text)
        assert re.match(r"etc/scheduler\.json:\d+:\d+: (error|warning): ", lines[0]), (name, text)
        assert "-> " in text, (name, text)
        assert "Traceback" not in text, (name, text)
        assert result.code != 0 or ": warning: " in lines[0], (name, text)
