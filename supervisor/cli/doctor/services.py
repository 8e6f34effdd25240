"""The services that are not as they should be; why, `sbctl why` tells."""

from __future__ import annotations

from supervisor.cli.doctor.check import PROBLEM, WARNING, Check
from supervisor.model.rows import is_missing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.cli.doctor.exam import Exam

MAX_NAMED = 10
LOOP = 2  # restarts


def look(exam: Exam) -> list[Check]:
    return judge(exam.rows, exam.scheduler.summary.get("remarks") or [], complete=exam.scheduler.answers)


def judge(rows: list[dict[str, Any]], remarks: list[str], *, complete: bool) -> list[Check]:
    """`complete`: these are all there are."""
    wrong = [check for row in rows if (check := _judge_row(row)) is not None]
    found = wrong[:MAX_NAMED]
    if len(wrong) > MAX_NAMED:
        more = len(wrong) - MAX_NAMED
        found.append(Check("services", f"{more} more are not as they should be", level=PROBLEM, next="sbctl status"))
    running = sum(row["state"] in ("running", "external") for row in rows)
    if rows and not wrong and complete:
        found.append(Check("services", f"all {len(rows)} are as they should be, {running} run"))
    return found + [Check("remark", remark, level=WARNING) for remark in remarks]


def _judge_row(row: dict[str, Any]) -> Check | None:
    name, state = str(row["name"]), str(row["state"])
    unready = state == "running" and row["ready"] is False
    if not unready and not is_missing(state, row["desired"]):
        return None
    detail = str(row.get("detail") or row.get("cause") or "")
    what = f"{'degraded' if unready else state}{': ' if detail else ''}{detail}"
    next = f"sbctl why {name}; then: sbctl restart {name}"
    is_bad = state == "failed" or is_looping(row)
    return Check(name, what, level=PROBLEM if is_bad else WARNING, next=next)


def is_looping(row: dict[str, Any]) -> bool:
    """A daemon or core service that has died again and again, and waits for its next try."""
    return row["kind"] == "core" and row["state"] == "backoff" and int(row["restarts"] or 0) >= LOOP
