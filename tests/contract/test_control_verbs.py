"""The table of verbs is what the daemons have, and what the page of contracts says."""

from __future__ import annotations

from pathlib import Path

import pytest

from supervisor.base.where import ROOT
from supervisor.control.api import SCHEDULER, START, VERBS
from supervisor.daemons.schedule_verbs import ScheduleVerbs
from supervisor.daemons.scheduler_verbs import SchedulerVerbs
from supervisor.daemons.start_verbs import StartVerbs


@pytest.mark.parametrize(
    ("role", "tables"),
    [
        (START, [StartVerbs.__new__(StartVerbs).table()]),
        (SCHEDULER, [SchedulerVerbs.__new__(SchedulerVerbs).table(), ScheduleVerbs(None).table()]),  # type: ignore[arg-type]
    ],
)
def test_each_daemon_has_its_verbs_and_no_other(role: str, tables: list[dict[str, object]]) -> None:
    handlers = [verb for table in tables for verb in table]
    assert len(handlers) == len(set(handlers))
    assert set(handlers) == {verb for verb, (roles, _, _) in VERBS.items() if role in roles}


def test_each_verb_is_described() -> None:
    page = Path(ROOT, "docs", "architecture.md").read_text()
    missing = [verb for verb in VERBS if f"`{verb}`" not in page]
    assert missing == []
