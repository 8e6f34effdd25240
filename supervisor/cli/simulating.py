"""`schedule test`: the real planner over a year that never was."""

from __future__ import annotations

import time

from supervisor.base.clock import iso
from supervisor.cli.moments import parse_moment
from supervisor.cli.out import answer, note
from supervisor.cli.outlook import Outlook
from supervisor.cli.schedules import catalogue, meant, owners_of
from supervisor.cli.simulation_view import simulation_lines
from supervisor.cli.zones import zone_named
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
    outlook = Outlook(home, schedules, now)
    meant_ones = [schedules.schedules[id] for id in ids]
    plans = [outlook.plan(each) if begin is None else outlook.plan_at(each, start) for each in meant_ones]
    disabled = [each.id for each in meant_ones if not outlook.is_enabled(each)]
    found = simulate(plans, outlook.maker, start=start, end=end, disabled=disabled)
    facts = {"from": iso(float(start)), "to": iso(float(end)), "days": days, "schedules": found}
    if not found and not as_json:
        note("there are no schedules")
        return 0
    zones = {id: zone_named(schedules.schedules[id].zone or schedules.zone) for id in found}
    answer("\n".join(simulation_lines(found, zones, days, now)), facts, as_json=as_json)
    return 0
