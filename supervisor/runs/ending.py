"""How a step has ended; if not well, in words that help: what is missing to start it, or which limit it has met."""

from __future__ import annotations

from supervisor.core.pipeline import Progress, StepEnd
from supervisor.core.verdict import SETTINGS_ERROR, signal_name
from supervisor.core.words import last_line, settings_trouble, start_trouble
from supervisor.engine.met_limits import met_limit
from supervisor.model.run import RunState
from supervisor.runs.result import Unusable, read_result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.engine.entries import Used
    from supervisor.model.launch import Launch
    from supervisor.runs.run import Run

BY_CODE = {126: "it can't be executed (exit code 126)", 127: "its program is not there (exit code 127)"}


def end_of(status: int | None, result: str, *, oom: bool) -> StepEnd:
    """From its status, as the kernel gives it, and the file for its figures. None: nobody could wait for it."""
    if status is None:
        return StepEnd(None, cause="ended while nobody could wait for it")
    number = status & 0x7F
    if number:
        return StepEnd(None, signal=signal_name(number), cause="killed for want of memory" if oom else "")
    code = status >> 8
    try:
        return StepEnd(code, metrics=read_result(result))
    except Unusable as error:
        return StepEnd(code, cause=str(error) if code == 0 else "")


def step_state(before: Progress, end: StepEnd) -> str:
    """As its row has it. Who is asked to end has ended for that, whatever it makes of it."""
    if before.ending:
        return before.ending
    return RunState.SUCCEEDED.value if end.ok else RunState.FAILED.value


def explained(end: StepEnd, words: list[str], command: Launch | None, used: Used | None) -> StepEnd:
    """The same end with its cause, if there is one to be found in `words`, its last ones, or in its limits."""
    if end.ok or end.cause:
        return end
    cause = met_limit(end.text, end.code, end.signal, words, command, used) or _of_start(end.code, words)
    return StepEnd(end.code, signal=end.signal, cause=cause, metrics=end.metrics)


def why_it_ends(run: Run, end: StepEnd) -> dict[str, Any]:
    """Code and signal; of a rollback those of the step that it follows."""
    if run.progress.rolling_back:
        return {name: run.last.get(name) for name in ("code", "signal")}
    return {"code": end.code, "signal": end.signal}


def _of_start(code: int | None, words: list[str]) -> str:
    line = last_line(words)
    complaint = settings_trouble(line) if code == SETTINGS_ERROR else None
    if complaint or code is None:
        return complaint or ""
    trouble = start_trouble(code, line)
    return trouble[1] if trouble else BY_CODE.get(code, "")
