"""How a schedule's slots are judged and its runs are kept, as `model/schedule.py` has it."""

from __future__ import annotations

from typing import Any

from supervisor.core.timeline import Timeline
from supervisor.model.schedule import Jitter, Missed, Outside, Overlap, Policy
from supervisor.settings.hours_keys import Calendar, Rule, Window
from supervisor.settings.safety_keys import Safety, resolved
from supervisor.settings.schedule_keys import Retry
from supervisor.settings.time_keys import hour_seconds, is_date, next_day, weekday_numbers
from supervisor.settings.written_schedule import WrittenSchedule

MIB = 1 << 20
HOUR_S, MINUTE_S, DAY_S = 3600.0, 60.0, 86_400
SHARE = 0.5  # of the period: more jitter than that, and slots would lie anywhere

_RETRY = {"times": 0, "delay_seconds": 60.0, "factor": 2.0, "max_delay_seconds": 3600.0}


def policy_of(
    written: WrittenSchedule, timeline: Timeline, *, has_interval: bool, valid: tuple[int, int]
) -> dict[str, Any]:
    """`Policy.as_dict()`. What can't be is reported."""
    keys, its = written.keys, Policy()
    safety = keys.safety or Safety()
    its.dst = keys.dst or its.dst
    its.active_hours = windows(keys.active_hours)
    its.outside = keys.outside_hours or (Outside.DEFER if has_interval else Outside.SKIP).value
    its.valid_from, its.valid_until = valid
    _set_jitter(written, its, timeline.period)
    its.missed = keys.missed or Missed.LATEST.value
    its.window = (keys.missed_window_hours or 24.0) * HOUR_S
    its.max_catchup = keys.missed_max or its.max_catchup
    its.spread = its.spread if keys.missed_spread_seconds is None else keys.missed_spread_seconds
    its.grace = keys.grace_seconds or 0.0
    its.overlap = keys.overlap or Overlap.SKIP.value
    its.overlap_max = keys.overlap_max or its.overlap_max
    its.group, its.check = keys.group or "", keys.check or ""
    its.retry = _retry(keys.retry)
    its.run_timeout = (keys.timeout_minutes or safety.max_run_minutes or 0.0) * MINUTE_S
    its.step_timeout = (keys.step_timeout_minutes or 0.0) * MINUTE_S
    its.stop_grace = keys.stop_grace_seconds or its.stop_grace
    its.safety = resolved(safety)
    its.ledger, its.interrupted = keys.ledger or its.ledger, keys.interrupted or its.interrupted
    its.output_max = max(1, int((keys.output_max_mb or 10.0) * MIB))
    data = its.as_dict()
    data["blackouts"] = list(dict.fromkeys(keys.blackouts or ()))
    data["exclude"] = sorted(set(keys.exclude or ()))
    return data


def _set_jitter(written: WrittenSchedule, its: Policy, period: float) -> None:
    """The minutes of a task are another delay for each run, and may be as long as the period; all else is half."""
    keys = written.keys
    by_minutes = keys.jitter_minutes is not None
    its.jitter_kind = Jitter.PER_RUN.value if by_minutes else Jitter.STABLE.value
    if keys.jitter in (Jitter.PER_RUN.value, Jitter.STABLE.value):
        its.jitter_kind = keys.jitter
    if keys.jitter == "none":
        return
    amount = (keys.jitter_minutes or 0.0) * MINUTE_S + (keys.jitter_seconds or 0.0)
    per_run = by_minutes and its.jitter_kind == Jitter.PER_RUN
    most = period if per_run else period * SHARE
    if period and amount > most:
        key = "jitterMinutes" if by_minutes else "jitterSeconds"
        share = "the time" if per_run else "half of the time"
        written.report(
            (key,), f"is more than {share} between two slots: {most:g} s is used", "write less", level="warning"
        )
        amount = most
    its.jitter = amount


def _retry(keys: Retry | None) -> dict[str, Any]:
    if keys is None or not keys.times:
        return {}
    values = {name: default if getattr(keys, name) is None else getattr(keys, name) for name, default in _RETRY.items()}
    return {
        "times": values["times"],
        "delay": values["delay_seconds"],
        "factor": values["factor"],
        "max_delay": values["max_delay_seconds"],
        "codes": sorted(set(keys.codes)) if keys.codes is not None else None,
        "not_codes": sorted(set(keys.not_codes or ())),
        "timeouts": bool(keys.timeouts),
    }


def windows(keys: list[Window] | None) -> list[list[Any]]:
    """As `core/hours.py` has them."""
    return [[weekday_numbers(each.weekdays), hour_seconds(each.start), hour_seconds(each.end)] for each in keys or ()]


def calendar(rules: Calendar) -> list[dict[str, Any]]:
    return [_rule(rule) for rule in rules]


def _rule(rule: Rule) -> dict[str, Any]:
    if rule.dates is not None:
        return {"dates": sorted(set(rule.dates))}
    if rule.from_ is not None and rule.to is not None:
        begin = f"{rule.from_}T00:00" if is_date(rule.from_) else rule.from_
        return {"from": begin, "to": next_day(rule.to) if is_date(rule.to) else rule.to}
    whole_day = rule.start is None or rule.end is None
    return {
        "weekdays": weekday_numbers(rule.weekdays),
        "start": 0 if rule.start is None or whole_day else hour_seconds(rule.start),
        "end": DAY_S if rule.end is None or whole_day else hour_seconds(rule.end),
    }
