"""Write runs into a history as fast as it goes, from a number on; print each number whose claim, or end, is durable.

history_writer.py FILE FIRST
"""

from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from supervisor.base.clock import SystemClock
from supervisor.base.loop import Loop
from supervisor.store.rows import Loaded, RunRow, SlotRow, StepRow
from supervisor.store.writer import Writer

AT_A_TIME = 20


def say(text: str) -> None:
    os.write(1, f"{text}\n".encode())


def fail(error: BaseException) -> None:
    say(f"defect {error!r}")
    os._exit(1)


loop = Loop(SystemClock(), fail)
writer = Writer(
    loop,
    sys.argv[1],
    on_trouble=lambda text: say(f"trouble {text}"),
    on_recovered=lambda text, dropped: say(f"recovered {dropped}"),
    report=fail,
    clock=SystemClock(),
)
number = int(sys.argv[2])


def begin() -> None:
    global number
    for _ in range(AT_A_TIME):
        number += 1
        run = f"r{number}"
        slot = SlotRow("web", number)
        writer.claim([slot], RunRow(run, "web", nominal=number), lambda ok, run=run: claimed(run, ok=ok))
    writer.schedule_state("web", cursor=number)


def claimed(run: str, *, ok: bool) -> None:
    if not ok:
        say(f"refused {run}")
        return
    say(f"claimed {run}")
    writer.run_started(run)
    writer.step_started(StepRow(run, 0, name="get", state="running"))
    writer.step_ended(StepRow(run, 0, state="succeeded", exit_code=0))
    writer.run_ended(run, {"state": "succeeded"}, lambda ok: ended(run, ok=ok))


def ended(run: str, *, ok: bool) -> None:
    say(f"{'ended' if ok else 'dropped'} {run}")
    if run == f"r{number}":
        begin()


def loaded(what: Loaded) -> None:
    say(f"loaded {what.trouble}")
    begin()


writer.open()
writer.load(loaded)
loop.run()
