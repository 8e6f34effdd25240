"""Schedules come, go and change while others run; nothing changes because of a file that is broken."""

from __future__ import annotations

import json

from support.scheduling import NOTES_ITS_SLOT, Scheduling
from support.waiting import eventually

SECOND = {"intervalSeconds": 1, "missedSpreadSeconds": 0}


def write(desk: Scheduling, name: str, **keys: object) -> None:
    folder = desk.home.path / "etc" / "schedules.d"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(keys))


def slots_once(desk: Scheduling) -> None:
    lines = [line.rpartition(" ")[0] for line in desk.started()]
    assert len(lines) == len(set(lines)), sorted(lines)


def test_one_is_added_one_removed_one_changed_and_a_third_runs_on(scheduling: Scheduling) -> None:
    desk = scheduling
    desk.job("stays", "while [ ! -e go ]; do sleep 0.02; done; echo ended", intervalHours=1)
    desk.job("goes", NOTES_ITS_SLOT, **SECOND)
    desk.job("slow-goes", "echo begun; sleep 1; exit 5", intervalHours=1)
    desk.job("changes", NOTES_ITS_SLOT, intervalHours=1, runAtStart=False)
    desk.plugin("comes", get=NOTES_ITS_SLOT)
    desk.home.scheduler["defaults"] = {"missedSpreadSeconds": 0}
    desk.home.write()
    desk.start()
    desk.first("goes")
    running = eventually(lambda: desk.row("stays")["running"])

    tasks = [task for task in desk.home.scheduler["tasks"] if task["plugins"][0] not in ("goes", "slow-goes")]
    tasks[-1].update(SECOND)
    del tasks[-1]["intervalHours"]
    desk.home.scheduler["tasks"] = [*tasks, {"plugins": ["comes"], **SECOND}]
    desk.home.write()
    plan = desk.home.sbctl("reload", "--dry-run")
    assert plan.code == 0, plan
    for name in ("goes", "changes", "comes"):
        assert name in plan.out, plan.out
    assert "stays" not in plan.out
    assert desk.row("stays")["running"] == running
    done = desk.home.sbctl("reload")
    assert done.code == 0, done
    assert desk.row("stays")["running"] == running
    (desk.home.path / "plugins" / "stays" / "go").touch()

    eventually(lambda: {line.split()[0] for line in desk.started()} >= {"goes", "changes", "comes"}, 5)
    [row] = desk.first("stays")
    assert (row["id"], row["state"]) == (running[0], "succeeded")
    [gone] = desk.first("slow-goes")
    assert (gone["state"], gone["exit_code"]) == ("failed", 5)
    assert {row["id"] for row in desk.ask("schedules")["schedules"]} == {"stays", "changes", "comes"}
    count = sum(line.startswith("goes ") for line in desk.started())
    eventually(lambda: sum(line.startswith("comes ") for line in desk.started()) >= 3, 5)
    assert sum(line.startswith("goes ") for line in desk.started()) == count
    slots_once(desk)


def test_a_broken_file_changes_nothing(scheduling: Scheduling) -> None:
    desk = scheduling
    desk.job("job", NOTES_ITS_SLOT, **SECOND)
    desk.start()
    desk.first("job")
    before = desk.row("job")["rule"]
    path = desk.home.path / "etc" / "scheduler.json"
    good = path.read_text()

    for bad in ("{", good.replace("1,", "0,"), good.replace('"plugins"', '"plugin"'), "\x00\xff"):
        path.write_text(bad)
        refused = desk.home.sbctl("reload")
        assert refused.code != 0
        assert "etc/scheduler.json" in refused.out + refused.err
        assert "Traceback" not in refused.out + refused.err
        assert desk.row("job")["rule"] == before
    count = len(desk.started())
    eventually(lambda: len(desk.started()) > count, 4)
    slots_once(desk)


def test_what_is_queued_of_a_removed_schedule_does_not_run(scheduling: Scheduling) -> None:
    desk = scheduling
    desk.job("busy", f"{NOTES_ITS_SLOT}; while [ ! -e go ]; do sleep 0.02; done", overlap="queueOne", **SECOND)
    desk.job("other", "true", intervalHours=1)
    desk.start()
    eventually(lambda: desk.started() and desk.row("busy")["queued"], 5)

    desk.home.scheduler["tasks"] = desk.home.scheduler["tasks"][1:]
    desk.home.write()
    desk.daemon.reload()
    (desk.home.path / "plugins" / "busy" / "go").touch()

    row = desk.first("busy", timeout=6)[0]
    assert row["state"] == "succeeded"
    assert len(desk.started()) == 1
    assert [run for run in desk.runs("busy") if run["state"] in ("queued", "claimed", "running")] == []
    assert "edited" in [slot["reason"] for slot in desk.slots("busy")]


def test_a_file_of_its_own_can_turn_one_off_and_on(scheduling: Scheduling) -> None:
    desk = scheduling
    desk.job("job", NOTES_ITS_SLOT, **SECOND)
    desk.start()
    desk.first("job")

    write(desk, "job", enabled=False)
    assert desk.home.sbctl("reload").code == 0
    eventually(lambda: [slot for slot in desk.slots("job") if slot["reason"] == "disabled"], 4)
    assert desk.row("job")["status"] == "disabled"
    count = len(desk.started())

    (desk.home.path / "etc" / "schedules.d" / "job.json").unlink()
    assert desk.home.sbctl("reload").code == 0
    eventually(lambda: len(desk.started()) > count, 4)
    slots_once(desk)
