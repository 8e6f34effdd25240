"""The row of a service: what it says of one that is on its way."""

from __future__ import annotations

from support.fakes import spec

from supervisor.core.machine import State
from supervisor.engine import view
from supervisor.engine.service import Service
from supervisor.model.service import Phase


def test_a_command_that_is_waited_for_is_in_the_row() -> None:
    service = Service(spec("web"), State())
    service.since = 1000.0
    for phase, job in ((Phase.STARTING, "before"), (Phase.STOPPING, "stop")):
        service.state.phase, service.state.job = phase, job
        assert view.row(service, 5.0, 1012.0)["detail"] == f"runs its command {job}, for 12 s"
    service.state.job = ""
    assert view.row(service, 5.0, 1012.0)["detail"] == "not started"
