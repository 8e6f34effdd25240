"""Writers at full speed: what comes into the files a second, what that costs the supervisor, and is it all there."""

from __future__ import annotations

import os
import shutil
import time
from collections import defaultdict
from pathlib import Path

from benchmarks import procs, targets, workloads
from benchmarks.ours import Ours
from benchmarks.plan import Plan, in_turn, say
from benchmarks.report import Figure
from benchmarks.subject import Subject

BLOCK = b"".join(b"%02d " % number + b"x" * 96 + b"\n" for number in range(40))
WRITERS = (1, 20)
TOTAL = 600_000_000  # bytes, in a quick run too: ours takes the first 8 MB of each writer otherwise than what follows
STALLED_S = 3.0
ROUNDS = 5  # one writer is as fast as the machine lets it, which differs from round to round


class Times:
    """What the rounds of one subject gave."""

    def __init__(self) -> None:
        self.mb_s: list[float] = []
        self.cpu_s_gb: list[float] = []
        self.wrong = ""
        self.megabytes = 0


def measure(plan: Plan) -> list[Figure]:
    subjects = [subject for subject in plan.subjects if subject.measured_logs]
    figures = []
    for writers in WRITERS:
        times: dict[str, Times] = defaultdict(Times)
        for turn in range(2 if plan.quick else ROUNDS):
            say(f"logs, {writers} writers, round {turn + 1}")
            for subject in in_turn(subjects, turn):
                try:
                    _one(subject, writers, TOTAL // subject.log_share, times[subject.name])
                except procs.TookTooLong as error:
                    say(str(error))
                finally:
                    subject.end()
                    shutil.rmtree(subject.folder, ignore_errors=True)
        figures += _figures(writers, subjects, times)
    return figures


def _figures(writers: int, subjects: list[Subject], times: dict[str, Times]) -> list[Figure]:
    title = f"Logs, {writers} writer{'s' if writers > 1 else ''} of 100-byte lines, 4000 bytes a write"
    speed = Figure(f"{title}: captured", "MB/s", key=f"logs.speed.{writers}", better="more")
    cost = Figure(f"{title}: processor time of the supervisor", "s/GB", key=f"logs.cpu.{writers}")
    for subject in subjects:
        ours, found = isinstance(subject, Ours), times[subject.name]
        target = targets.LOG_MB_S[writers] if ours else None
        what = "complete, all in one file" if subject.mixes_logs else "exact"
        note = "" if found.wrong else f"{what}; {found.megabytes} MB"
        speed.add(subject.name, found.mb_s, target=target, note=note, wrong=found.wrong)
        cost.add(subject.name, found.cpu_s_gb, target=targets.LOG_CPU_S_GB if ours else None)
    return [speed, cost]


def _one(subject: Subject, writers: int, total: int, times: Times) -> None:
    blocks = total // writers // len(BLOCK)
    names = [f"w{number:02}" for number in range(writers)]
    meeting = subject.work / "meeting"
    shutil.rmtree(meeting, ignore_errors=True)
    meeting.mkdir(parents=True)
    gate = meeting / "gate"
    os.mkfifo(gate)
    argv = workloads.command(subject.work.parent, "writer")
    subject.prepare("logs", {name: [*argv, str(meeting / name), str(gate), str(blocks)] for name in names})
    subject.launch()
    procs.wait_for("the writers", lambda: len(os.listdir(meeting)) == writers + 1, 30)
    subject.settle()
    daemons = list(subject.daemons().values())
    before = procs.cost(daemons).cpu_s
    written = blocks * len(BLOCK) * writers
    at_first = _captured(subject, names)
    began = procs.now()
    gate_fd = os.open(gate, os.O_WRONLY)
    try:
        ended, captured = _until_all_is_there(subject, names, at_first + written)
    finally:
        os.close(gate_fd)
    cpu = procs.cost(daemons).cpu_s - before
    times.megabytes = written // 1_000_000
    times.mb_s.append(written / 1e6 / (ended - began))
    times.cpu_s_gb.append(cpu / (written / 1e9))
    if subject.mixes_logs:
        missing = at_first + written - captured
        times.wrong = times.wrong or (f"not complete: {missing} bytes" if missing else "")
        return
    for name in names:
        wrong = what_is_wrong(subject.raw_logs(name), blocks)
        times.wrong = times.wrong or (f"not exact: {wrong}" if wrong else "")


def _until_all_is_there(subject: Subject, names: list[str], expected: int) -> tuple[float, int]:
    """The moment at which all was in the files, or at which nothing more came; and how much it is."""
    seen, moment = -1, procs.now()
    while seen < expected and procs.now() - moment < STALLED_S:
        now = _captured(subject, names)
        if now > seen:
            seen, moment = now, procs.now()
        time.sleep(0.005)
    return moment, seen


def _captured(subject: Subject, names: list[str]) -> int:
    return sum(map(_size, {path for name in names for path in subject.raw_logs(name)}))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # just being rotated
        return 0


def what_is_wrong(files: list[Path], blocks: int) -> str:
    """Empty when the files in their order hold so many blocks and nothing else."""
    position, several = 0, BLOCK * 251
    for path in files:
        with path.open("rb") as file:
            while data := file.read(len(BLOCK) * 250):
                offset = position % len(BLOCK)
                if data != several[offset : offset + len(data)]:
                    return f"{path.name} differs near byte {position}"
                position += len(data)
    missing = blocks * len(BLOCK) - position
    return f"{missing} bytes are missing" if missing else ""
