"""R01, R02, R12, R22 and whatever comes of them together: random faults on many services and schedules, then a checker.

`make soak` is the long form, docs/soak.md says how to read it.
"""

from __future__ import annotations

import random

import pytest
from support.daemon import Daemon
from support.soak.play import play

# None of those that only show after a while, and none that needs a right that not everybody has.
QUICK = (
    "kill_scheduler", "kill_start", "kill_both", "hand_over", "freeze_scheduler", "kill_server", "freeze_server",
    "restart_service", "stop_service", "kill_step", "upgrade", "run_by_hand", "reload", "pause", "disable_schedule",
)  # fmt: skip


@pytest.mark.timeout(180)  # what a killed tree has left is waited for, however busy the machine is
def test_quick(daemon: Daemon) -> None:
    soak(daemon, seconds=6, servers=8, jobs=8, pause=0.4, kinds=QUICK)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_two_minutes(daemon: Daemon) -> None:
    soak(daemon, seconds=120, servers=30, jobs=34, pause=0.7)


def soak(daemon: Daemon, **how: object) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    verdict = play(daemon, seed=seed, **how)  # type: ignore[arg-type]
    assert verdict.is_good, verdict.text()
