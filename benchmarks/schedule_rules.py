"""The schedules of the benchmark: half of them intervals, half cron lines of two hundred different texts.

Read by the peers' Python as well, so it loads nothing.
"""

from __future__ import annotations

TEXTS = 400  # of both kinds


def rule_of(number: int) -> tuple[int, str]:
    """Minutes, or 0 and a cron line."""
    kind = number % TEXTS
    if kind % 2:
        return 60 + kind, ""
    if kind % 4:
        return 0, f"{kind % 60} {kind // 2 % 24} * * *"
    return 0, f"*/{5 + kind % 25} {kind // 4 % 24}-23 * * mon-fri"
