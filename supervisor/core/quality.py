"""What a run's own figures say about it: enough data, good enough, no worse than what was accepted before.

A step writes them as JSON into `$SB_RESULT_FILE`. A gate whose limit is not set is open; one whose figure nobody has
reported is open too, but for the amount of data: a limit on that is written by hand, so it is meant.
"""

from __future__ import annotations

from supervisor.model.schedule import PUSH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

DATA = ("data", "count", "records", "items", "data_count")
QUALITY = ("quality", "quality_score")
VALIDATION = ("validation", "validation_score")


def figure(metrics: Mapping[str, Any], names: tuple[str, ...]) -> float | None:
    """The first of these that is a number."""
    for name in names:
        value = metrics.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    return None


def data_gate(metrics: Mapping[str, Any], safety: Mapping[str, Any]) -> str:
    """After `get`. Returns what is wrong, "" when nothing is."""
    least, most = safety.get("min_data"), safety.get("max_data")
    if least is None and most is None:
        return ""
    amount = figure(metrics, DATA)
    if amount is None:
        return f"nobody said how much data there is: write {{{DATA[0]!r}: NUMBER}} as JSON into $SB_RESULT_FILE"
    if least is not None and amount < least:
        return f"too little data: {amount:g}, at least {least:g} wanted"
    if most is not None and amount > most:
        return f"too much data: {amount:g}, at most {most:g} wanted"
    return ""


def accepted_after(metrics: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """What the next run is compared with: the figures of this good one, and of what is compared and this one did not
    report, the figures from before. No others: a step may find new names for each run.
    """
    if not metrics:
        return dict(before)
    kept = dict(metrics)
    for names in (QUALITY, VALIDATION):
        if figure(metrics, names) is None:
            kept.update((name, before[name]) for name in names if name in before)
    return kept


def compared(accepted: Mapping[str, Any]) -> dict[str, Any]:
    """Of those figures the ones that `quality_gate` looks at: the others need not go along with a run."""
    return {name: accepted[name] for name in (*QUALITY, *VALIDATION) if figure(accepted, (name,)) is not None}


def is_standard(did: Sequence[str], whole: Sequence[str]) -> bool:
    """Whether later runs are compared with one that did these steps of all: it went out, or, where nothing does, it was
    a whole one. What somebody tries out does not make the bar higher, or lower, for what goes out.
    """
    return PUSH in did if PUSH in whole else set(whole) <= set(did)


def quality_gate(metrics: Mapping[str, Any], safety: Mapping[str, Any], accepted: Mapping[str, Any]) -> str:
    """After `process`; `accepted` are the figures of the last run that set the standard."""
    for word, names in (("quality", QUALITY), ("validation", VALIDATION)):
        found = figure(metrics, names)
        if found is None:
            said = next((metrics[name] for name in names if name in metrics), None)
            if said is not None:  # a model that has gone astray reports NaN
                return f"{word} is no number: {said}"
            continue
        least = safety.get(word)
        if least is not None and found < least:
            return f"{word} {found:g} is below {least:g}"
        before = figure(accepted, names)
        if safety.get("rollback_on_degradation") and before is not None and found < before:
            return f"{word} {found:g} is worse than {before:g}, which was accepted last"
    return ""
