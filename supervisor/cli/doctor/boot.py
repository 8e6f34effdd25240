"""Is it started at boot; and which other homes run beside it."""

from __future__ import annotations

from supervisor.base.counting import counted
from supervisor.base.errors import Problem
from supervisor.cli.commands.boot import find_starter
from supervisor.cli.doctor.check import WARNING, Check
from supervisor.cli.finding import running_homes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.cli.doctor.exam import Exam


def look(exam: Exam) -> list[Check]:
    others = [path for path in running_homes() if path != exam.home.path]
    found = (
        [Check("other homes", f"{counted(len(others), 'other')} run beside this one, which is fine")] if others else []
    )
    try:
        starter = find_starter(exam.home)
        if starter is None:
            return [*judge("", "", [], running=exam.runs), *found]
        enabled = starter.is_enabled()
        remarks = starter.remarks() if enabled else []
    except Problem as problem:
        return [Check("boot", problem.what, level=WARNING, why=problem.why, next=problem.remedy), *found]
    return [*judge(starter.method, starter.place if enabled else "", remarks, running=exam.runs), *found]


def judge(method: str, place: str, remarks: list[str], *, running: bool) -> list[Check]:
    """`method`: what could start it, "": nothing here can; `place`: where that is written, "": it is not."""
    if remarks:
        return [Check("boot", remark, level=WARNING, where=place, next="sbctl boot enable") for remark in remarks]
    if place:
        return [Check("boot", f"started at boot, by {method}", where=place)]
    how = (
        "; sbctl boot enable" if method else ": there is neither systemd nor cron, so it is the container's entry point"
    )
    return [Check("boot", f"not started at boot{how if running else ''}")]
