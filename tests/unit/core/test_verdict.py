"""Counting deaths, and what follows from one."""

from __future__ import annotations

import pytest

from supervisor.core.state import End
from supervisor.core.verdict import Fail, GiveUp, Rest, RestartAt, RestartNow, Tally, Verdict, count, judge
from supervisor.model.cause import Cause, CauseKind
from supervisor.model.service import Policy, Restart


def end(at: float, *, fast: bool) -> End:
    return End(Cause(CauseKind.EXIT_CODE, "exit code 1", code=1), at=at, fast=fast)


POLICY = Policy(window=100, window_deaths=4, window_delay=30)


@pytest.mark.parametrize(
    ("before", "death", "after"),
    [
        (Tally(), end(7, fast=True), Tally(1, (7,))),
        (Tally(3), end(7, fast=True), Tally(4, (7,))),
        (Tally(3), end(7, fast=False), Tally(0, (7,))),
        (Tally(0, (1, 50)), end(101, fast=False), Tally(0, (50, 101))),
        (Tally(0, (1, 2, 3)), end(4, fast=False), Tally(0, (1, 2, 3, 4), slowed=True)),
        (Tally(0, (1, 2, 3, 4)), end(5, fast=False), Tally(0, (2, 3, 4, 5), slowed=True)),
        (Tally(0, (3, 4), slowed=True), end(103, fast=False), Tally(0, (4, 103), slowed=True)),
        (Tally(0, (3, 4), slowed=True), end(104, fast=False), Tally(0, (104,))),
    ],
)
def test_count(before: Tally, death: End, after: Tally) -> None:
    assert count(before, death, POLICY) == after


FULL = (1.0, 2.0, 3.0, 4.0)


@pytest.mark.parametrize(
    ("kind", "restart", "tally", "verdict"),
    [
        (CauseKind.EXIT_CODE, Restart.ALWAYS, Tally(0), RestartNow()),
        (CauseKind.EXIT_CODE, Restart.ALWAYS, Tally(1), RestartAt(5)),
        (CauseKind.EXIT_CODE, Restart.ALWAYS, Tally(4), RestartAt(40)),
        (CauseKind.EXIT_CODE, Restart.ALWAYS, Tally(5), GiveUp()),
        (CauseKind.EXIT_CODE, Restart.ALWAYS, Tally(0, FULL), RestartAt(30)),
        (CauseKind.EXIT_CODE, Restart.ALWAYS, Tally(1, FULL), RestartAt(30)),
        (CauseKind.EXIT_CODE, Restart.ALWAYS, Tally(4, FULL), RestartAt(40)),
        (CauseKind.EXIT_CODE, Restart.ALWAYS, Tally(5, FULL), GiveUp()),
        (CauseKind.EXIT_CODE, Restart.ON_FAILURE, Tally(0), RestartNow()),
        (CauseKind.EXIT_CODE, Restart.NEVER, Tally(5), Fail("exited, restart never")),
        (CauseKind.NOT_INSTALLED, Restart.ALWAYS, Tally(1), Fail("not tried again")),
        (CauseKind.SETTINGS_ERROR, Restart.ALWAYS, Tally(2), RestartAt(10)),
        (CauseKind.CLEAN, Restart.ALWAYS, Tally(5), GiveUp()),
        (CauseKind.CLEAN, Restart.ON_FAILURE, Tally(5), Rest("finished")),
        (CauseKind.CLEAN, Restart.NEVER, Tally(0), Rest("finished")),
        (CauseKind.STAY_DOWN, Restart.ALWAYS, Tally(5), Rest("asked to stay down")),
        (CauseKind.STAY_DOWN, Restart.NEVER, Tally(0), Rest("asked to stay down")),
    ],
)
def test_judge(kind: CauseKind, restart: Restart, tally: Tally, verdict: Verdict) -> None:
    policy = Policy(restart=restart, window_deaths=4, window_delay=30)
    assert judge(Cause(kind, ""), tally, policy) == verdict


def test_the_last_delay_repeats() -> None:
    policy = Policy(give_up=9, delays=(1, 3))
    assert [judge(end(0, fast=True).cause, Tally(n), policy) for n in (1, 2, 3, 8)] == [
        RestartAt(1), RestartAt(3), RestartAt(3), RestartAt(3),
    ]  # fmt: skip
