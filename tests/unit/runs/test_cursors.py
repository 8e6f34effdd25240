"""From where slots are still to be decided: an edit never makes missed slots, and a pending one has its end."""

from __future__ import annotations

import pytest
from support.desk import AT, DAY, HOUR, DeskWorld, at, cron, every, job

from supervisor.model.schedule import Catalogue
from supervisor.runs.plan import Maker


def test_another_rule_misses_nothing_that_it_would_have_done_before(world: DeskWorld) -> None:
    world.open(job(at(10 * HOUR)))
    world.pass_until(AT + 3 * HOUR)
    world.end()
    world.reload(job(at(11 * HOUR)))
    world.pass_time(60)
    world.kill().open()
    world.pass_time(60)

    assert world.outcomes() == [(AT + HOUR, "run")]
    assert world.plan().wake == AT + 2 * HOUR + DAY


def test_another_rule_that_comes_while_the_scheduler_is_down_misses_nothing_either(world: DeskWorld) -> None:
    world.open(job(at(10 * HOUR)))
    world.pass_until(AT + HOUR)
    world.end()
    world.kill()
    world.clocks.time += 2 * HOUR
    world.set(job(at(11 * HOUR)))
    for _ in range(2):
        world.open()
        world.pass_time(60)
        world.kill()
    world.open()

    assert world.outcomes() == [(AT + HOUR, "run")]


@pytest.mark.parametrize("removed", [False, True])
def test_a_slot_whose_delay_is_not_over_has_its_end_with_the_rule(world: DeskWorld, removed: bool) -> None:
    world.open(job(jitter=1800.0))
    world.pass_until(AT + HOUR + 1)
    world.reload(job(id="other") if removed else job(cron("30 * * * *")))
    world.pass_time(1700)

    assert world.outcomes() == [(AT + HOUR, "edited")]


def test_settings_that_say_the_same_change_nothing(world: DeskWorld) -> None:
    world.open(job(jitter=1800.0), job(every(HOUR), id="interval"))
    world.end("interval")
    world.pass_until(AT + HOUR + 1)
    wake = world.plan().wake
    for _ in range(3):
        world.reload(job(jitter=1800.0), job(every(HOUR), id="interval"))
        assert world.plan().wake == wake
    world.pass_time(1800)

    assert world.run().nominal == AT + HOUR
    assert len(world.running("interval")) == 1


def test_that_it_can_not_be_noted_when_it_was_seen_first_keeps_nothing_from_running(world: DeskWorld) -> None:
    world.keeps.fails = True
    world.open(job(), job(every(HOUR), id="interval"))
    world.pass_until(AT + HOUR)

    assert world.run()
    assert world.run("interval")


def test_a_rule_that_can_not_be_made_any_more_costs_the_others_nothing(world: DeskWorld) -> None:
    world.open(job(), job(id="broken", zone="No/Where"), job(id="b"))
    world.pass_until(AT + HOUR)

    assert sorted(world.desk.plans) == ["b", "job"]
    assert len(world.desk.runner.runs) == 2


def test_a_rule_that_can_not_be_made_any_more_is_told_at_each_start_and_reload(world: DeskWorld) -> None:
    world.open(job(), job(id="broken", zone="No/Where"))
    world.reload(job(), job(id="broken", zone="No/Where"))

    assert world.kinds("broken") == ["schedule.broken", "schedule.broken"]
    assert world.kinds("job").count("schedule.broken") == 0
    text = world.texts("schedule.broken")[0]
    assert text.startswith("broken: it can't be planned, and does not run: ")
    assert "No/Where" in text
    assert "sbctl config validate" in text


def test_one_that_breaks_at_a_reload_and_is_mended_at_the_next_runs_again(world: DeskWorld) -> None:
    world.open(job())
    world.reload(job(zone="No/Where"))
    world.pass_until(AT + HOUR)
    assert world.desk.plans == {}
    assert world.outcomes() == []
    world.reload(job())
    world.pass_until(AT + 2 * HOUR)

    assert world.outcomes() == [(AT + 2 * HOUR, "claimed")]


def test_a_reload_makes_only_what_is_another_schedule_now(world: DeskWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    before = [*(job(id=f"j{number}") for number in range(50)), job(every(2 * HOUR), id="interval")]
    world.open(*before)
    plans, made = dict(world.desk.plans), list[str]()
    make = Maker.plan
    monkeypatch.setattr(Maker, "plan", lambda its, one, anchor: [made.append(one.id), make(its, one, anchor)][1])
    others = [job(id=f"j{number}", grace=70.0 * (number == 7)) for number in range(50)]
    world.reload(*others, job(every(2 * HOUR), id="interval"))

    assert made == ["j7"]
    assert [name for name, plan in world.desk.plans.items() if plan is not plans[name]] == ["j7"]
    assert world.desk.catalogue.schedules["j8"] is before[8], "none stands there twice"
    world.pass_until(AT + HOUR)
    assert {name: world.reasons(name) for name in ("j7", "j8")} == {"j7": ["claimed"], "j8": ["claimed"]}


def test_other_calendars_are_for_all(world: DeskWorld) -> None:
    world.catalogue.calendars = {"noon": []}
    world.open(job(blackouts=("noon",)))
    world.catalogue = Catalogue(None)
    world.catalogue.calendars = {"noon": [{"weekdays": None, "start": 10 * HOUR, "end": 13 * HOUR}]}
    world.reload(job(blackouts=("noon",)))
    world.pass_until(AT + HOUR)

    assert world.reasons() == ["blackout"]


def test_a_run_goes_on_under_the_settings_that_it_began_with(world: DeskWorld) -> None:
    world.open(job(run_timeout=100.0))
    world.pass_until(AT + HOUR)
    world.reload(job(run_timeout=5.0))
    world.pass_time(99)
    assert world.start.signals() == []
    world.pass_time(1)

    assert world.start.signals() == [15]


def test_one_that_was_removed_and_comes_back_begins_with_what_comes(world: DeskWorld) -> None:
    world.open(job(), job(id="other"))
    world.pass_until(AT + HOUR)
    world.end()
    world.reload(job(id="other"))
    world.pass_time(5 * HOUR)
    world.reload(job(), job(id="other"))
    world.pass_time(HOUR)

    assert world.outcomes() == [(AT + HOUR, "run"), (AT + 7 * HOUR, "claimed")]


def test_an_interval_of_another_length_keeps_its_anchor(world: DeskWorld) -> None:
    world.open(job(every(HOUR)))
    world.end()
    world.pass_time(1000)
    world.reload(job(every(700)))

    assert world.plan().wake == AT + 1400


def test_what_was_known_of_it_is_known_under_other_settings(world: DeskWorld) -> None:
    world.open(job(safety={"max_failures": 1, "cooldown": DAY}))
    world.pass_until(AT + HOUR)
    world.end(code=1)
    world.reload(job(cron("30 * * * *"), safety={"max_failures": 1, "cooldown": DAY}))
    world.pass_time(HOUR)

    assert (world.plan().failed, world.plan().cycle, world.plan().breaker.state) == (1, 1, "open")
    assert world.reasons() == ["run", "cooldown"]
