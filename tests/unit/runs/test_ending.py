"""What is said of a step that failed: by its last words, by the limits it had, or nothing but its code."""

from __future__ import annotations

from typing import Any

import pytest
from support.desk import AT, HOUR, DeskWorld, job

from supervisor.core.pipeline import StepEnd
from supervisor.model.launch import Launch
from supervisor.model.limits import UNLIMITED, KernelLimits
from supervisor.runs.ending import explained

MIB = 1 << 20


def launch(cgroup: dict[str, int] | None = None, **rlimits: int) -> Launch:
    pairs = {name: (amount, amount) for name, amount in rlimits.items()}
    return Launch(argv=("x",), cwd="/", log="", limits=KernelLimits(rlimits=pairs, cgroup=cgroup))


def text(end: StepEnd, *words: str, used_ms: int | None = None, **rlimits: int) -> str:
    used = None if used_ms is None else (used_ms, 0)
    return explained(end, list(words), launch(**rlimits), used).text


NOT_STARTED = [
    (126, "sbctl: cannot enter folder /home/plugins/gone", "cannot enter folder /home/plugins/gone"),
    (127, "sbctl: 1: exec: ./get.sh: not found", "cannot start: ./get.sh: not found"),
    (126, "sbctl: 1: exec: ./get.sh: Permission denied", "cannot start: ./get.sh: Permission denied"),
    (127, "/bin/sh: 1: fetch: not found", "cannot start: /bin/sh: 1: fetch: not found"),
    (126, "sbctl: cannot set limit nice: Permission denied", "cannot set limit nice: Permission denied"),
    (127, "setpriv: failed to execute ./get.sh: No such file or directory",
     "cannot start: ./get.sh: No such file or directory"),
    (78, "sbctl: cannot read /home/plugins/x/.env: No such file", "cannot read /home/plugins/x/.env: No such file"),
    (126, "", "it can't be executed (exit code 126)"),
    (127, "I am done", "its program is not there (exit code 127)"),
    (78, "I don't like this", "exit code 78"),
    (3, "sbctl: cannot enter folder /x", "exit code 3"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "line", "expected"), NOT_STARTED)
def test_what_is_missing_is_named_by_the_last_line(code: int, line: str, expected: str) -> None:
    assert text(StepEnd(code), "before", line) == expected


BY_LIMIT: list[tuple[StepEnd, list[str], int | None, dict[str, int], str]] = [
    (StepEnd(1), ["MemoryError"], None, {"as": 64 * MIB}, "exit code 1: MemoryError (addressSpaceMb is 64)"),
    (StepEnd(2), ["sh: cannot fork: Cannot allocate memory", "bye"], None, {"as": 64 * MIB},
     "exit code 2: sh: cannot fork: Cannot allocate memory (addressSpaceMb is 64)"),
    (StepEnd(None, signal="SIGABRT"), ["  what():  std::bad_alloc"], None, {"as": MIB // 2},
     "killed by SIGABRT: what():  std::bad_alloc (addressSpaceMb is 0.5)"),
    (StepEnd(None, signal="SIGSEGV"), [], None, {"as": MIB}, "killed by SIGSEGV (addressSpaceMb is 1)"),
    (StepEnd(127), ["x: error while loading shared libraries: libc.so.6: failed to map segment from shared object"],
     None, {"as": MIB}, "exit code 127: x: error while loading shared libraries: libc.so.6: failed to map segment from "
     "shared object (addressSpaceMb is 1)"),
    (StepEnd(1), ["OSError: [Errno 24] Too many open files"], None, {"nofile": 64},
     "exit code 1: OSError: [Errno 24] Too many open files (openFiles is 64)"),
    (StepEnd(1), ["OSError: [Errno 27] File too large"], None, {"fsize": MIB},
     "exit code 1: OSError: [Errno 27] File too large (fileMb is 1)"),
    (StepEnd(None, signal="SIGXFSZ"), [], None, {"fsize": 2 * MIB}, "killed by SIGXFSZ (fileMb is 2)"),
    (StepEnd(None, signal="SIGXCPU"), [], None, {"cpu": 2}, "killed by SIGXCPU (cpuTimeSeconds is 2)"),
    (StepEnd(152), [], None, {"cpu": 2}, "exit code 152 (cpuTimeSeconds is 2)"),
    (StepEnd(139), [], None, {"as": MIB}, "exit code 139 (addressSpaceMb is 1)"),
    (StepEnd(None, signal="SIGKILL"), [], 2995, {"cpu": 2},
     "killed by SIGKILL: 3.00 s of processor time used (cpuTimeSeconds is 2)"),
    (StepEnd(137), [], 2400, {"cpu": 2}, "exit code 137: 2.40 s of processor time used (cpuTimeSeconds is 2)"),
]  # fmt: skip


@pytest.mark.parametrize(("end", "words", "used_ms", "rlimits", "expected"), BY_LIMIT)
def test_a_limit_that_was_met_is_named(
    end: StepEnd, words: list[str], used_ms: int | None, rlimits: dict[str, int], expected: str
) -> None:
    assert text(end, *words, used_ms=used_ms, **rlimits) == expected
    assert explained(end, words, launch(), None).text == text(end, *words), "and is not without it"
    assert "Mb is" not in text(end, *words)


UNTOUCHED: list[tuple[StepEnd, list[str], int | None, dict[str, int]]] = [
    (StepEnd(None, signal="SIGKILL"), [], 300, {"cpu": 2}),
    (StepEnd(None, signal="SIGKILL"), [], None, {"cpu": 2}),
    (StepEnd(None, signal="SIGKILL"), [], 5000, {"cpu": UNLIMITED}),
    (StepEnd(None, signal="SIGKILL", cause="killed for want of memory"), [], 5000, {"cpu": 2}),
    (StepEnd(1), ["MemoryError"], None, {"as": UNLIMITED}),
    (StepEnd(1), ["MemoryError"], None, {"nofile": 64}),
    (StepEnd(1), ["no route to host"], 9000, {"as": MIB, "cpu": 2}),
    (StepEnd(0), ["MemoryError"], 9000, {"as": MIB, "cpu": 2}),
    (StepEnd(0, cause="its result file is JSON, but no object"), ["MemoryError"], None, {"as": MIB}),
]


@pytest.mark.parametrize(("end", "words", "used_ms", "rlimits"), UNTOUCHED)
def test_what_no_limit_explains_stays_as_it_is(
    end: StepEnd, words: list[str], used_ms: int | None, rlimits: dict[str, int]
) -> None:
    assert text(end, *words, used_ms=used_ms, **rlimits) == end.text


def test_code_signal_and_figures_stay() -> None:
    figures: dict[str, Any] = {"data": 3}
    end = explained(StepEnd(127, metrics=figures), ["sbctl: 1: exec: x: not found"], launch(), None)

    assert (end.code, end.metrics) == (127, figures)


def test_of_a_step_whose_command_is_gone_its_code_is_said() -> None:
    assert explained(StepEnd(3), ["MemoryError"], None, None).text == "exit code 3"


def test_the_row_says_it(world: DeskWorld) -> None:
    world.open(job())
    world.pass_until(AT + HOUR)
    run = world.run()
    with open(run.log, "a") as log:
        log.write("sbctl: cannot enter folder /gone\n")
    world.end(code=126)

    assert world.rows()[0]["cause"] == "get: cannot enter folder /gone"


def test_what_was_ended_by_us_met_no_limit(world: DeskWorld) -> None:
    world.catalogue.commands["job"] = {"get": launch(cpu=1)}
    world.open(job(step_timeout=5.0))
    world.pass_until(AT + HOUR + 6)
    world.end(signal=9, used=(1500, 0))

    assert "cpuTimeSeconds" not in str(world.rows()[0]["cause"])
    assert world.states() == ["timed_out"]
