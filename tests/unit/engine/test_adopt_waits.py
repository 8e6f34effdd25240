"""A successor goes on with what was waited for: commands beside a service, a gate, a person's word."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator
from typing import Any

import pytest
from support.fakes import FakeWorld, spec

from supervisor.engine.adopt import Adoption, Kept
from supervisor.model.order import Need, Order
from supervisor.model.service import Spec


def entry(key: str, *, status: int | None = None) -> dict[str, Any]:
    return {
        "key": key,
        "pid": 4000,
        "started": 1,
        "status": status,
        "empty": status is not None,
        "cause": None,
        "ends": [],
        "notified": None,
        "launch": spec().launch.digest(),
        "log": os.devnull,
        "err_log": "",
        "stop": [15, 10.0],
    }


@pytest.fixture
def old() -> Iterator[FakeWorld]:
    world = FakeWorld()
    yield world
    world.loop.close()


@pytest.fixture
def new() -> Iterator[FakeWorld]:
    world = FakeWorld()
    yield world
    world.loop.close()


def hand_over(old: FakeWorld, new: FakeWorld, *entries: dict[str, Any]) -> None:
    """The notes of the one, and these entries, to the other."""
    old.loop.run_soon()
    new.loop.fake.time = old.loop.fake.time
    kept = Kept()
    kept.notes = {name: copy.deepcopy(note) for name, note in old.spawner.notes.items() if note is not None}
    kept.take_entries([dict(one) for one in entries], [])
    specs = [service.spec for service in old.engine.services.values()]
    Adoption(new.engine, new.spawner, lambda _key, _pid: False).run(kept, specs)  # type: ignore[arg-type]
    new.loop.run_soon()


def with_before(**policy: Any) -> Spec:
    one = spec(before=30.0, **policy)
    one.commands = {"before": ("true",), "stop": ("true",)}
    return one


def job_key(world: FakeWorld) -> str:
    return next(key for key in reversed(world.spawner.spawns()) if "/" in key)


@pytest.mark.parametrize(("status", "phase"), [(0, "starting"), (256, "backoff")])
def test_a_command_that_ended_meanwhile_is_answered(old: FakeWorld, new: FakeWorld, status: int, phase: str) -> None:
    old.engine.load([with_before()])

    hand_over(old, new, entry(job_key(old), status=status))

    assert new.phase("server") == phase
    assert ("spawn", "server.1", "") in new.spawner.asked or status


def test_a_command_that_runs_is_waited_for_and_its_limit_goes_on(old: FakeWorld, new: FakeWorld) -> None:
    old.engine.load([with_before()])
    key = job_key(old)
    old.loop.pass_time(20)

    hand_over(old, new, entry(key))

    assert new.spawner.adopted == [key]
    assert new.spawner.spawns() == []
    new.loop.pass_time(11)
    assert ("signal", key, 15) in new.spawner.asked
    new.engine.exited(key, 15, True)
    assert new.phase("server") == "backoff"


def test_a_command_that_was_never_started_is_run_again(old: FakeWorld, new: FakeWorld) -> None:
    old.engine.load([with_before()])

    hand_over(old, new)

    assert [key.partition(".")[0] for key in new.spawner.spawns()] == ["server/before"]
    assert new.phase("server") == "starting"


def test_what_nobody_waits_for_is_dropped(old: FakeWorld, new: FakeWorld) -> None:
    old.engine.load([spec()])
    old.engine.spawned("server.1", 4000, 1)

    hand_over(old, new, entry("server.1"), entry("server/alive.5"), entry("gone/before.7"))

    dropped = [words[1] for words in new.spawner.asked if words[0] == "drop"]
    assert dropped == ["server/alive.5", "gone/before.7"]
    assert set(new.engine.services) == {"server"}


def test_a_stop_command_is_waited_for(old: FakeWorld, new: FakeWorld) -> None:
    old.engine.load([with_before(stop_command=10.0)])
    old.engine.exited(job_key(old), 0, True)
    old.engine.spawned("server.1", 4000, 1)
    old.engine.stop("server")
    key = job_key(old)
    assert key.startswith("server/stop.")

    hand_over(old, new, entry("server.1"), entry(key))
    new.engine.exited(key, 0, True)

    assert ("signal", "server.1", 15) in new.spawner.asked


def test_a_wait_is_asked_about_again(old: FakeWorld, new: FakeWorld) -> None:
    web = spec("web", gated=True)
    web.order = Order(requires=(Need("server"),))
    old.engine.load([spec(), web])
    old.loop.run_soon()
    old.engine.spawned("server.1", 4000, 1)  # and killed before it could draw conclusions

    hand_over(old, new, entry("server.1"))

    assert new.spawner.spawns() == ["web.1"]


def test_who_needs_what_is_down_goes_too(old: FakeWorld, new: FakeWorld) -> None:
    web = spec("web", gated=True)
    web.order = Order(requires=(Need("server"),))
    old.engine.load([spec(give_up=1), web])
    old.engine.spawned("server.1", 4000, 1)
    old.loop.run_soon()
    old.engine.spawned("web.1", 4001, 1)

    hand_over(old, new, entry("server.1", status=256), entry("web.1"))

    assert new.phase("server") == "failed"
    assert ("signal", "web.1", 15) in new.spawner.asked


@pytest.mark.parametrize(("enabled", "wanted"), [(False, "stopping"), (None, "running")])
def test_what_was_disabled_meanwhile_is_stopped(
    old: FakeWorld, new: FakeWorld, enabled: bool | None, wanted: str
) -> None:
    old.engine.load([spec()])
    old.engine.spawned("server.1", 4000, 1)
    if enabled is not None:
        new.engine.intent = {"server": enabled}

    hand_over(old, new, entry("server.1"))

    assert new.phase("server") == wanted


def pair(old: FakeWorld, first: str, second: str, *, restart: bool = False) -> None:
    """Two that have run for a minute; the second requires the first."""
    needing = spec(second, gated=True)
    needing.order = Order(requires=(Need(first, restart=restart),))
    old.engine.load(sorted([spec(first), needing], key=lambda one: one.name))
    for name in (first, second):
        old.loop.run_soon()
        old.engine.spawned(f"{name}.1", 4000, 1)
    old.loop.pass_time(60)


def signals(world: FakeWorld) -> list[str]:
    return [str(words[1]) for words in world.spawner.take() if words[0] == "signal"]


def test_a_plan_that_has_come_to_its_end_meanwhile_is_no_more(old: FakeWorld, new: FakeWorld) -> None:
    pair(old, "db", "web")
    old.engine.stops.stop(["db"])
    old.loop.run_soon()
    assert old.spawner.notes["#stopping"] == {"db": ["stop", ""]}

    hand_over(old, new, entry("db.1"), entry("web.1", status=0))

    assert signals(new) == ["db.1"]
    assert new.spawner.notes["#stopping"] is None


def test_a_plan_for_what_is_gone_is_no_more(old: FakeWorld, new: FakeWorld) -> None:
    old.engine.load([spec()])
    old.engine.spawned("server.1", 4000, 1)
    old.spawner.note("#stopping", {"gone": ["remove", ""]})

    hand_over(old, new, entry("server.1"))

    assert new.spawner.notes["#stopping"] is None


@pytest.mark.parametrize("needing", ["api", "web"])
def test_who_is_to_be_restarted_with_one_that_died_meanwhile_is(old: FakeWorld, new: FakeWorld, needing: str) -> None:
    pair(old, "db", needing, restart=True)

    hand_over(old, new, entry("db.1", status=9), entry(f"{needing}.1"))

    assert signals(new) == [f"{needing}.1"]


@pytest.mark.parametrize("needing", ["api", "web"])
def test_who_needs_what_was_disabled_meanwhile_goes_first(old: FakeWorld, new: FakeWorld, needing: str) -> None:
    pair(old, "db", needing)
    new.engine.intent = {"db": False}

    hand_over(old, new, entry("db.1"), entry(f"{needing}.1"))

    assert signals(new) == [f"{needing}.1"]
    new.engine.exited(f"{needing}.1", 15, True)
    new.loop.run_soon()
    assert signals(new) == ["db.1"]


def test_other_settings_restart_in_order_and_only_what_is_wanted(old: FakeWorld, new: FakeWorld) -> None:
    pair(old, "db", "web", restart=True)
    old.engine.load([spec("cron")])
    old.engine.spawned("cron.1", 4000, 1)
    old.engine.stop("cron")
    changed = {"launch": "other settings"}

    hand_over(old, new, {**entry("db.1"), **changed}, entry("web.1"), {**entry("cron.1"), **changed})

    assert signals(new) == ["web.1"]
    new.engine.exited("cron.1", 15, True)
    assert new.phase("cron") == "stopped"


def no_pipes(*_args: Any) -> Any:
    raise OSError(24, "Too many open files")


def test_an_entry_from_before_the_newest_try_counts_no_more(old: FakeWorld, new: FakeWorld) -> None:
    """The spawn was decided, and there was no pipe for it: `start` has never heard of it."""
    old.engine.load([spec()])
    old.engine.spawned("server.1", 4000, 1)
    old.loop.pass_time(60)
    old.engine.outlet.open = no_pipes  # type: ignore[method-assign]
    old.engine.exited("server.1", 256, True)
    old.loop.run_soon()
    assert old.phase("server") == "backoff"
    old.engine.stops.stop(["server"])

    hand_over(old, new, entry("server.1", status=256))

    assert new.phase("server") == "stopped"
    assert new.spawner.take() == [("drop", "server.1")]
    new.engine.start("server")
    assert new.spawner.spawns() == ["server.3"]


def test_a_try_without_a_pipe_is_made_again_after_a_hand_over(old: FakeWorld, new: FakeWorld) -> None:
    old.engine.load([spec()])
    old.engine.spawned("server.1", 4000, 1)
    old.loop.pass_time(60)
    old.engine.outlet.open = no_pipes  # type: ignore[method-assign]
    old.engine.exited("server.1", 256, True)
    old.loop.run_soon()

    hand_over(old, new, entry("server.1", status=256))
    assert new.phase("server") == "backoff"
    new.loop.pass_time(31)

    assert new.spawner.spawns() == ["server.3"]


def test_a_stop_command_of_a_process_that_nobody_kept_is_forgotten(old: FakeWorld, new: FakeWorld) -> None:
    one = spec(stop_command=10.0)
    one.commands = {"stop": ("true",)}
    old.engine.load([one])
    old.engine.spawned("server.1", 4000, 1)
    old.engine.stop("server")

    hand_over(old, new)

    assert new.phase("server") == "stopped"
    assert new.engine.services["server"].state.job == ""
    assert new.spawner.spawns() == []
    new.loop.pass_time(60)
    assert new.phase("server") == "stopped"
