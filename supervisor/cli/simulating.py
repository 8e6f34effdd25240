"""`schedule test`: the real planner over a year that never was."""

from __future__ import annotations

import time

from supervisor.base.clock import iso
from supervisor.cli.moments import parse_moment
from supervisor.cli.out import answer, note
from supervisor.cli.schedules import catalogue, meant, owners_of
from supervisor.cli.simulation_view import simulation_lines
from supervisor.cli.wishes import wishes_of
from supervisor.cli.zones import zone_named
from supervisor.model.identity import read_home_id
from supervisor.runs.simulate import simulate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from supervisor.model.home import Home

DAY_S = 86_400


def test_schedules(home: Home, names: Sequence[str], *, days: int, begin: str | None, as_json: bool) -> int:
    schedules = catalogue(home)
    ids = meant(names, owners_of(schedules)) if names else list(schedules.schedules)
    now = time.time()
    start = int(now if begin is None else parse_moment(begin, now, zone_named(schedules.zone)))
    end = start + days * DAY_S
    wishes = wishes_of(home)
    seen = {id: at for id in ids if (at := wishes.first_seen(id)) is not None}
    found = simulate(
        schedules, zones=zone_named, start=start, end=end, ids=ids, seed=read_home_id(home), seen=seen,
        with_start=begin is not None,
    )  # fmt: skip
    facts = {"from": iso(float(start)), "to": iso(float(end)), "days": days, "schedules": found}
    if not found and not as_json:
        note("there are no schedules")
        return 0
    zones = {id: zone_named(schedules.schedules[id].zone or schedules.zone) for id in found}
    answer("\n".join(simulation_lines(found, zones, days, now)), facts, as_json=as_json)
    return 0
