"""Words for a TAB where a schedule or a run is meant: from the compiled settings and the history."""

from __future__ import annotations

from supervisor.base.errors import Problem
from supervisor.cli import past, verbs
from supervisor.cli.compiling import read_compiled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.model.home import Home

    Offers = list[tuple[str, str]]

LAST_RUNS = 30


def words_of(home: Home, kind: verbs.Kind) -> Offers:
    section = (read_compiled(home, "scheduler") or {}).get("schedules") or {}
    rows = section.get("schedules", ())
    if kind == verbs.TENANT:
        return [(tenant, "tenant") for tenant in sorted({str(row["tenant"]) for row in rows if row.get("tenant")})]
    schedules = {str(row["id"]): str(row.get("description") or "schedule") for row in rows}
    if kind in (verbs.RUNNABLE, verbs.HISTORIC):
        plugins = {**dict.fromkeys(section.get("commands", {})), **{row["plugin"]: None for row in rows}}
        for plugin in plugins:
            schedules.setdefault(str(plugin), "plugin")
    if kind == verbs.RUN:
        return [("last", "the newest run"), *_runs(home), *sorted(schedules.items())]
    return sorted(schedules.items())


def commands_of(home: Home, name: str) -> Offers:
    """Of a plugin, or of that of a schedule."""
    section = (read_compiled(home, "scheduler") or {}).get("schedules") or {}
    plugin = next((row["plugin"] for row in section.get("schedules", ()) if row["id"] == name), name)
    return [(command, "command") for command in section.get("commands", {}).get(plugin, ())]


def _runs(home: Home) -> Offers:
    try:
        rows = past.runs(home, limit=LAST_RUNS)
    except Problem:
        return []
    return [(str(row["id"]), f"{row['schedule']} {row['state']}") for row in rows]
