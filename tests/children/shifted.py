"""shifted.py --role ROLE HOME ...: a daemon of sbctl whose wall clock is off by what HOME/clock says, in seconds.

All that it starts of itself is the same. Only the port in base/clock.py is changed: loop, sockets and processes are
real, and so is the monotonic clock.
"""

import os
import runpy
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[0:0] = [ROOT]

from supervisor.base import clock, where  # noqa: E402

MAIN, where.MAIN = where.MAIN, os.path.abspath(__file__)


def wall(_self: object) -> float:
    try:
        with open(os.path.join(sys.argv[3], "clock"), encoding="ascii") as file:
            return time.time() + float(file.read())
    except FileNotFoundError:
        return time.time()


clock.SystemClock.wall = wall  # type: ignore[method-assign]
runpy.run_path(MAIN, run_name="__main__")
