"""`sbctl runs`: one run a line, newest first. Pure: facts in, lines out."""

from __future__ import annotations

from supervisor.cli.columns import columns
from supervisor.cli.marks import colour, short, sign
from supervisor.cli.run_rows import is_over, last_words, outcome
from supervisor.cli.table import duration
from supervisor.cli.times import parse_iso
from supervisor.cli.zones import clock
from supervisor.model.run import RunState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from supervisor.cli.columns import Cell
    from supervisor.cli.table import Style
    from supervisor.core.zone import Zone

    Facts = dict[str, Any]

TITLES = ("RUN", "SCHEDULE", "TRIGGER", "STARTED", "TOOK", "VS P50", "RESULT")
# What its job said last has nothing to do with its end.
CUT_OFF = (RunState.TIMED_OUT, RunState.CANCELLED, RunState.INTERRUPTED, RunState.LOST)
LATE_S = 10.0  # less is not worth a word


def runs_table(
    runs: Sequence[Facts], p50: Mapping[str, float | None], its: Zone, now: float, style: Style
) -> list[str]:
    """`its`: the zone of all times, which the head names."""
    titles = [f"{title} ({its.name})" if title == "STARTED" else title for title in TITLES]
    return columns(titles, [_row(run, p50.get(str(run["schedule"])), its, now, style) for run in runs], style)


def _row(run: Facts, p50: float | None, its: Zone, now: float, style: Style) -> list[Cell]:
    at = parse_iso(run["started"])
    started = clock(at, its, now) if at is not None else "-"
    return [
        str(run["id"]),
        str(run["schedule"] or run["plugin"] or "-"),
        trigger(run),
        started,
        _took(run, now),
        versus(run, p50),
        (result(run, style), colour(str(run["state"]))),
    ]


def trigger(run: Facts) -> str:
    """`schedule`, `catch-up`, `manual:anna`, `retry of r_1`."""
    name = str(run["trigger"] or "-").replace("_", "-")
    if run.get("retry_of") and name == "retry":
        return f"retry of {run['retry_of']}"
    return f"{name}:{run['by']}" if run.get("by") and name == "manual" else name


def _took(run: Facts, now: float) -> str:
    if run["took_s"] is not None:
        return short(run["took_s"])
    started = parse_iso(run["started"])
    return f"{duration(now - started)}…" if started is not None and not is_over(run["state"]) else "-"


def versus(run: Facts, p50: float | None) -> str:
    """How much longer than half of its good runs."""
    if not p50 or run["took_s"] is None:
        return "-"
    return f"{(run['took_s'] / p50 - 1) * 100:+.0f}%"


def result(run: Facts, style: Style) -> str:
    """`✔`, `✔ 65s late`, `✖ exit 1   SMTP login refused`."""
    parts = [sign(str(run["state"]), style)]
    how = outcome(run)
    if how:
        parts.append(how)
    late = run.get("late_s")
    if late is not None and late >= LATE_S:
        parts.append(f"{duration(late)} late")
    text = " ".join(parts)
    words, cause = last_words(run), str(run["cause"] or "")
    said = cause if run["state"] in CUT_OFF and cause else words[-1] if words else cause
    return f"{text}   {said}" if how and said and said != how and is_over(run["state"]) else text
