"""The row of a service: what it says of one that is on its way."""

from __future__ import annotations

import pytest
from support.fakes import FakeWorld, spec

from supervisor.core.machine import State
from supervisor.engine import view
from supervisor.engine.service import Service
from supervisor.model.cause import Cause, CauseKind
from supervisor.model.check import LOG, NOTIFY, Check
from supervisor.model.service import Phase


def test_a_command_that_is_waited_for_is_in_the_row() -> None:
    service = Service(spec("web"), State())
    service.since = 1000.0
    for phase, job in ((Phase.STARTING, "before"), (Phase.STOPPING, "stop")):
        service.state.phase, service.state.job = phase, job
        assert view.row(service, 5.0, 1012.0)["detail"] == f"runs its command {job}, for 12 s"
    service.state.job = ""
    assert view.row(service, 5.0, 1012.0)["detail"] == "not started"


@pytest.mark.parametrize("phase", [Phase.STARTING, Phase.WAITING])
def test_a_new_start_does_not_show_how_the_last_one_ended(phase: Phase) -> None:
    service = Service(spec("web"), State())
    service.state.phase, service.state.reason = phase, "crashed"
    assert view.row(service, 5.0, 1012.0)["detail"] == ""


def test_what_would_help_one_that_has_failed_is_the_next_step() -> None:
    world = FakeWorld()
    world.engine.load([spec("web"), spec("db")])
    cause = Cause(CauseKind.NOT_INSTALLED, "the program setpriv is not installed", remedy="apt-get install util-linux")
    world.engine.spawn_failed("web.1", cause)
    world.engine.spawned("db.1", 41, 1)
    web, db = (view.why(world.engine, world.engine.services[name]) for name in ("web", "db"))
    world.loop.close()

    assert web["row"]["detail"] == "not tried again: the program setpriv is not installed"
    assert web["next"] == "apt-get install util-linux; then: sbctl start web"
    assert db["next"] == ""


@pytest.mark.parametrize(
    ("ready", "waits", "lacks"),
    [
        (
            Check(kind=LOG, shown='log "up"', text="up"),
            'waits for the line "up" in its output',
            'no line "up" in its output',
        ),
        (Check(kind=NOTIFY, shown="notify"), "waits for READY=1", "no READY=1"),
    ],
)
def test_one_that_has_to_say_that_it_is_ready(ready: Check, waits: str, lacks: str) -> None:
    world = FakeWorld()
    its = spec("web", wait_ready=True, start_timeout=3.0)
    its.ready = ready
    world.engine.load([its])
    world.engine.spawned("web.1", 41, 1)
    service = world.engine.services["web"]
    assert view.rows(world.engine)[0]["detail"] == waits

    service.detail = "loading"
    assert view.rows(world.engine)[0]["detail"] == "loading"
    service.detail = ""
    world.loop.pass_time(3.0)
    world.engine.exited("web.1", 15, True)
    world.loop.close()

    (event,) = [event for event in world.events if event.kind == "probe.failed"]
    assert (event.text, event.level) == (f"web: it was never ready: {lacks}", "warning")
    assert view.why(world.engine, service)["row"]["cause"] == f"not ready within 3 s: {lacks}"


def test_why_it_is_not_tried_again_is_said_once() -> None:
    service = Service(spec("web"), State())
    service.state.phase, service.state.reason = Phase.FAILED, "exit code 7 is not tried again"
    service.state.cause = Cause(CauseKind.EXIT_CODE, "exit code 7", code=7)
    assert view.row(service, 5.0, 1012.0)["detail"] == "exit code 7 is not tried again"
    service.state.reason = "not tried again"
    assert view.row(service, 5.0, 1012.0)["detail"] == "not tried again: exit code 7"
