"""What sbctl is to reach, by figure; the reasons are in docs/benchmarks.md."""

from __future__ import annotations

START_S = {100: 0.30, 500: 0.60}
STOP_S = {100: 0.06, 500: 0.15}
TREE_GONE_S = 0.3
DEAF_S = 0.05  # more than their grace, at any number of them
RESTART_MS = 2.5
ADOPT_S = {100: 0.15}
STATUS_MS = {10: 20.0, 100: 20.0}
ASK_MS = {10: 0.5, 100: 0.5}
PSS_MIB = {"start": 11.0, "scheduler": 18.0, "config": 50.0}
SWITCHES_A_MINUTE = {"config": 60.0}
CPU_S_A_MINUTE = {"start": 0.02, "scheduler": 0.02}
DASHBOARD_S = 0.9
PROBES_CPU_S_A_MINUTE = 0.3  # for a hundred of them
LOG_MB_S = {1: 1000.0, 20: 1200.0}
LOG_CPU_S_GB = 0.9
LAUNCHER_MS = 3.0
LOAD_S = {10_000: 0.6, 100_000: 6.0}  # schedules
SCHEDULE_BYTES = 2048.0
DECIDED_MS = 5.0  # of a thousand that are due in one second: the median, the last, and the last with its durable claim
DECIDED_LAST_MS = 10.0
CLAIMED_MS = 25.0
COMMANDS_TO_LIMIT = 1.5  # times a bare posix_spawn loop
GROWTH = 2.1  # times the cost of half as many
WAKEUPS_A_MINUTE = {"start": 6.0, "scheduler": 6.0}  # the heartbeat, and what it brings about
GROWN_MIB = {"start": 0.5, "scheduler": 2.0, "config": 2.0}  # in a week
LATER_RUN = 1.1  # times the processor time of a run in the first tenth of the week; a longer history alone is 1.05
