"""`sbctl show RUN`: everything about one run. Pure: facts in, lines out."""

from __future__ import annotations

from supervisor.cli.columns import columns
from supervisor.cli.marks import colour, short, sign, words
from supervisor.cli.out import at_home
from supervisor.cli.run_rows import is_over, last_words, outcome
from supervisor.cli.runs_table import trigger
from supervisor.cli.table import duration, size
from supervisor.cli.times import parse_iso
from supervisor.cli.zones import minute, moment
from supervisor.model.rows import clean
from supervisor.model.run import RunState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.cli.columns import Cell
    from supervisor.cli.table import Style
    from supervisor.core.zone import Zone

    Facts = dict[str, Any]

INDENT = " " * 12
SHOWN_WORDS = 10
TITLES = ("STEP", "RESULT", "EXIT", "TOOK", "CPU", "MEMORY", "CAUSE")


def run_lines(run: Facts, its: Zone, now: float, style: Style) -> list[str]:
    """`run` is what --json shows: a run, its `steps_run`, `files`."""
    state = str(run["state"])
    head = f"{sign(state, style)} {run['id']} of {run['schedule'] or run['plugin']}: {words(state)}"
    how = outcome(run)
    lines = [style.paint(clean(head + (f" ({how})" if how and how != words(state) else "")), colour(state))]
    lines += _titled("cause", run["cause"])
    lines += _titled("trigger", trigger(run) + (f", attempt {run['attempt']}" if (run["attempt"] or 1) > 1 else ""))
    lines += _titled("retry of", run["retry_of"])
    lines += _titled("passed", _listed(run["forced"]) and f"{_listed(run['forced'])} (by --force)")
    lines += _titled("tenant", run["tenant"])
    lines += _titled("arguments", _arguments(run["args"]))
    lines += _times(run, its, now)
    lines += _titled("took", _took(run))
    lines += _titled("ledger", "started before its claim was durable" if run["unledgered"] else "")
    lines += _titled("metrics", _metrics(run["metrics"]))
    lines += _steps(run["steps_run"], style)
    said = [clean(line) for line in last_words(run)[-SHOWN_WORDS:]]
    if said and state != RunState.SUCCEEDED:
        lines += [f"{'last words':<12}{said[0]}", *(INDENT + line for line in said[1:])]
    for number, name in enumerate(run["files"]):
        lines.append(f"{'' if number else 'log':<12}{clean(name)}")
    return [*lines, *_titled("next", at_home(_next(run)))]


def _titled(title: str, text: Any) -> list[str]:
    return [f"{title:<12}{clean(str(text))}"] if text else []


def _listed(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value or "")


def _arguments(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}={_listed(each)}" for name, each in value.items() if each)
    return " ".join(map(str, value)) if isinstance(value, list) else str(value or "")


def _times(run: Facts, its: Zone, now: float) -> list[str]:
    lines: list[str] = []
    for name in ("nominal", "due", "started", "ended"):
        at = parse_iso(run[name])
        if at is not None and not (name == "due" and run["due"] == run["nominal"]):
            late = run["late_s"] if name == "started" else None
            more = f", {duration(late)} late" if late is not None and late >= 1 else ""
            lines += _titled(name, f"{moment(at, its, now)}{more}")
    return [*_titled("zone", its.name), *lines] if lines else []


def _took(run: Facts) -> str:
    parts = []
    if run["took_s"] is not None:
        parts.append(short(run["took_s"]))
    if run["cpu_s"] is not None:
        parts.append(f"{run['cpu_s']:.2f} CPU seconds")
    if run["memory"]:
        parts.append(f"{size(run['memory'])} of memory at the peak")
    return ", ".join(parts)


def _metrics(value: Any) -> str:
    if not isinstance(value, dict):
        return str(value or "")
    return ", ".join(f"{name} {each}" for name, each in value.items())


def _steps(steps: list[Facts], style: Style) -> list[str]:
    if not steps:
        return []
    rows: list[list[Cell]] = []
    for step in steps:
        state = str(step["state"])
        again = f" (attempt {step['attempt']})" if (step["attempt"] or 1) > 1 else ""
        code = step["signal"] or ("" if step["exit_code"] is None else str(step["exit_code"]))
        rows.append(
            [
                f"{step['name']}{again}",
                (f"{sign(state, style)} {words(state)}", colour(state)),
                code,
                short(step["took_s"]) if step["took_s"] is not None else "-",
                f"{step['cpu_s']:.2f}s" if step["cpu_s"] is not None else "",
                size(step["memory"]) if step["memory"] else "",
                str(step["cause"] or ""),
            ]
        )
    return ["", *columns(TITLES, rows, style), ""]


def _next(run: Facts) -> str:
    id = run["id"]
    if not is_over(run["state"]):
        return f"sbctl show {id} --log; to end it: sbctl cancel {id}"
    if run["state"] == RunState.SUCCEEDED:
        return f"sbctl show {id} --log"
    return f"sbctl show {id} --log; sbctl retry {id}"


def since(at: str | None, its: Zone, now: float) -> str:
    """A moment of the past for a sentence."""
    wall = parse_iso(at)
    return "" if wall is None else minute(wall, its, now)
