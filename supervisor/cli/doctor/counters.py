"""What was lost since the daemons were started, and what waits: each limit has a counter, so no loss is silent."""

from __future__ import annotations

from supervisor.base.counting import counted
from supervisor.cli.doctor.check import WARNING, Check
from supervisor.cli.table import size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.cli.doctor.exam import Exam

# Counter: (what one of it is, what has become of it, what to look at)
LOST = {
    "records_lost": ("record", "of processes not written: marks alone prove whose they are", "df -h logs/run"),
    "events_lost": ("event", "lost while no scheduler was there to write the journal", "sbctl events -n 20"),
    "start_log_lost": ("line", "not written to logs/start.log", "df -h logs"),
    "journal_lost": ("event", "not written to the journal", "sbctl events -n 20; df -h logs"),
    "daily_lost": ("line", "not written to the daily log", "df -h logs"),
    "syslog_lost": ("line", "not copied to syslog; they are in the logs of the services", "sbctl events -n 20"),
    "history_lost": ("row", "never written to history.db", "sbctl events -n 20; df -h logs"),
}
QUEUE_IS_LONG = 1000


def look(exam: Exam) -> list[Check]:
    if not (exam.start.health or exam.scheduler.health):
        return []
    counters: dict[str, int] = {}
    for heard in (exam.start, exam.scheduler):
        for name, value in (heard.health.get("counters") or {}).items():
            counters[name] = counters.get(name, 0) + int(value)
    return judge(counters)


def judge(counters: dict[str, int]) -> list[Check]:
    found = [
        Check(name, f"{counted(counters[name], noun)} {what}", level=WARNING, why="it is gone for good", next=next)
        for name, (noun, what, next) in LOST.items()
        if counters.get(name)
    ]
    lost = counters.get("output_lost_bytes", 0)
    if lost:
        what = f"{counted(lost, 'byte')} of services' output were not written ({size(lost)})"
        next = "sbctl events -n 20 tells of which service and why"
        found.append(Check("output_lost_bytes", what, level=WARNING, why="it is gone for good", next=next))
    queued = counters.get("history_queued", 0)
    if queued > QUEUE_IS_LONG:
        what = f"{counted(queued, 'row')} wait for history.db"
        why = "from 10,000 on the oldest are dropped"
        found.append(
            Check("history_queued", what, level=WARNING, why=why, next="sbctl status names what is the matter")
        )
    if not found:
        found.append(Check("lost", "nothing since the daemons were started"))
    left_out = counters.get("daily_left_out", 0)
    if left_out:
        what = (
            f"{counted(left_out, 'line')} of output {'is' if left_out == 1 else 'are'} in the services' own logs only"
        )
        found.append(Check("daily log", what))
    return found
