"""How the present step of a run is started: its command line, environment, files."""

from __future__ import annotations

import os

from supervisor.base.files import look_at
from supervisor.model.launch import Launch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from supervisor.model.home import Home
    from supervisor.model.schedule import Policy
    from supervisor.runs.run import Run

PARTS = 3  # head, the one before, the newest: each a third of what is kept of a run's output
SMALLEST_PART = 16 << 10
RESULT, WORK = "SB_RESULT_FILE", "SB_WORK_DIR"


def launch_of(run: Run, commands: Mapping[str, Launch], policy: Policy) -> Launch:
    """The command, for this run and step."""
    command = commands.get(run.progress.step) or Launch(argv=("?",), cwd="/", log="")
    part = max(policy.output_max // PARTS, SMALLEST_PART)
    data = {name: getattr(command, name) for name in Launch.FIELDS}
    data.update(
        argv=with_arguments(command.argv, run.args),
        env={**command.env, **run.env, **_facts(run)},
        log=run.log, err_log="", notify=False, log_max=part, log_keep=1, log_age=0.0, log_budget=0, log_head=True,
    )  # fmt: skip
    return Launch(**data)


def _facts(run: Run) -> dict[str, str]:
    """What a step may want to know."""
    return {
        "SB_RUN_ID": run.id,
        "SB_SCHEDULE": run.schedule,
        "SB_STEP": run.progress.step,
        "SB_NOMINAL_TIME": "" if run.nominal is None else str(run.nominal),
        "SB_ATTEMPT": str(run.progress.attempt or 1),  # 0: it is laid out before it begins
        "SB_CORRELATION_ID": run.correlation,
        "SB_TENANT": run.tenant,
        "SB_TRIGGER": run.trigger,
        RESULT: run.result,
        WORK: run.work,
    }


def places_of(home: Home, run: Run) -> tuple[str, str]:
    """The folder of a run, and the file for the figures of its present step."""
    work, now = home.run_work(run.plugin, run.id), run.progress
    again = f"-{now.attempt}" if now.attempt > 1 else ""  # another file: see Runner._step_ended
    return work, os.path.join(work, f"{now.number}-{now.step}{again}.json")


def log_of(home: Home, run: Run) -> str:
    """What all of its steps write."""
    return home.run_log(run.plugin, run.id)


def stream_of(run: Run) -> str:
    """Under which its output stands in the daily log."""
    return f"{run.name}/{run.progress.step}"


def write_head_line(run: Run, command: Launch) -> tuple[int, int]:
    """In the run's log, before a step's output. Returns where that begins, and in which inode."""
    again = f", try {run.progress.attempt}" if run.progress.attempt > 1 else ""
    words = " ".join((*command.argv, *run.args))
    line = f"=== {run.progress.step}{again}: {words}\n"
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    if run.progress.number == 1 and run.progress.attempt <= 1:
        flags |= os.O_TRUNC  # a predecessor had laid it out, and was killed before it began
    try:
        try:
            fd = os.open(run.log, flags, 0o640)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(run.log), 0o755, exist_ok=True)
            fd = os.open(run.log, flags, 0o640)
    except OSError:
        return look_at(run.log)  # what fails here is told by the pump
    try:
        found = os.fstat(fd)
        size = found.st_size
        if size and os.pread(fd, 1, size - 1) != b"\n":
            line = "\n" + line  # the step before left its last line open
        return size + os.write(fd, line.encode("utf-8", "replace")), found.st_ino
    except OSError:
        return look_at(run.log)
    finally:
        os.close(fd)


def with_arguments(argv: tuple[str, ...], args: list[str]) -> tuple[str, ...]:
    """What a person adds goes behind the command, also where that is a text for the shell."""
    if args and argv[:2] == ("/bin/sh", "-c") and len(argv) == 3:
        return (*argv[:2], f'{argv[2]} "$@"', "sbctl", *args)
    return (*argv, *args)
