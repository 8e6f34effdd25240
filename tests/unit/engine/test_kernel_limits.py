"""The shell step that sets a service's limits: carried out for real, as what it would become."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from supervisor.core.verdict import cause_of
from supervisor.engine.kernel_limits import find_tool, soft_open_files, step
from supervisor.model.cause import CauseKind
from supervisor.model.limits import START, UNLIMITED, KernelLimits

LOOK = """
import json, os, resource
limits = {name: resource.getrlimit(getattr(resource, "RLIMIT_" + name)) for name in ("NOFILE", "CORE", "AS", "NPROC")}
umask = os.umask(0)
print(json.dumps({"limits": limits, "nice": os.getpriority(os.PRIO_PROCESS, 0), "umask": umask, "pid": os.getpid(),
    "oom": int(open("/proc/self/oom_score_adj").read()), "env": sorted(os.environ)}))
"""


def become(limits: KernelLimits, command: str = LOOK, **more: Any) -> subprocess.CompletedProcess[str]:
    words = [*step(limits, **more), sys.executable, "-I", "-S", "-c", command]
    return subprocess.run(words, capture_output=True, text=True, check=False, env={"A": "b"})


def seen(limits: KernelLimits) -> dict[str, Any]:
    done = become(limits)
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_each_limit_arrives_and_nothing_is_left_in_the_environment() -> None:
    rlimits = {"nofile": (100, 200), "core": (0, 4097), "as": (1 << 32, UNLIMITED), "nproc": (1000, 1000)}
    found = seen(KernelLimits(rlimits=rlimits, nice=7, ionice="best-effort:6", umask=0o027, oom_score=500))

    assert found["limits"] == {"NOFILE": [100, 200], "CORE": [0, 4097], "AS": [1 << 32, -1], "NPROC": [1000, 1000]}
    assert (found["nice"], found["umask"], found["oom"]) == (7, 0o027, 500)
    assert set(found["env"]) - {"LC_CTYPE", "PWD"} == {"A"}, "Python and the shell add these two themselves"


@pytest.mark.parametrize(("text", "shown"), [("idle", "idle"), ("best-effort:3", "best-effort: prio 3")])
def test_the_class_of_its_io(text: str, shown: str) -> None:
    words = [*step(KernelLimits(ionice=text)), find_tool("ionice")]

    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip() == shown


def test_it_stays_the_same_process() -> None:
    words = [*step(KernelLimits(umask=0o077, nice=5)), "/bin/sh", "-c", "echo $$"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.communicate()[0] == f"{process.pid}\n"


NEVER = KernelLimits(rlimits={"nofile": (10, 1 << 40), "core": (0, 0)})


def test_what_is_refused_is_named_and_it_does_not_start() -> None:
    done = become(NEVER)

    assert (done.returncode, done.stdout) == (126, "")
    assert done.stderr.startswith("sbctl: cannot set limit openFiles: ")
    cause = cause_of(126 << 8, asked=False, words=done.stderr.splitlines(), exit_codes=(0,))
    assert (cause.kind, cause.text) == (CauseKind.BAD_LIMIT, done.stderr.removeprefix("sbctl: ").strip())


def test_or_it_is_said_and_it_starts_with_the_others() -> None:
    NEVER.if_refused = START
    done = become(NEVER)
    NEVER.if_refused = "fail"

    assert done.returncode == 0
    assert done.stderr.startswith("sbctl: cannot set limit openFiles: ")
    assert done.stderr.endswith("; started without it\n")
    assert json.loads(done.stdout)["limits"]["CORE"] == [0, 0]


def test_a_tool_that_is_missing_is_such_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.engine.kernel_limits.FOLDERS", ("/no/such/folder",))

    for limits, name in ((KernelLimits(ionice="idle"), "ionice"), (KernelLimits(rlimits={"core": (0, 0)}), "coreMb")):
        done = become(limits)
        assert done.returncode == 126
        assert done.stderr.startswith(f"sbctl: cannot set limit {name}: the program ")


def test_what_was_known_before_is_said_in_the_same_way() -> None:
    limits = KernelLimits(cgroup={"memory_max": 1 << 30})
    done = become(limits, refused={"cgroup.memoryMb": "it's not here; $(id) `id`"})

    assert (done.returncode, done.stderr) == (
        126,
        "sbctl: cannot set limit cgroup.memoryMb: it's not here; $(id) `id`\n",
    )


def test_a_cgroup_is_joined_by_its_file(tmp_path: Path) -> None:
    path = tmp_path / "it's a group"
    path.touch()
    done = become(KernelLimits(cgroup={"pids_max": 5}), group=str(path))

    assert path.read_text() == f"{json.loads(done.stdout)['pid']}\n"
    done = become(KernelLimits(cgroup={"pids_max": 5}), group="/no/such/group")
    assert done.returncode == 126
    assert done.stderr.startswith("sbctl: cannot set limit cgroup: ")


def test_who_is_not_root_hears_that_only_root_may() -> None:
    if os.geteuid() != 0:
        words = step(KernelLimits(oom_score=-1000))
        done = subprocess.run([*words, "/bin/true"], capture_output=True, text=True, check=False)
    else:
        words = [find_tool("setpriv"), "--reuid=65534", "--clear-groups", "--", *step(KernelLimits(oom_score=-1000))]
        done = subprocess.run([*words, "/bin/true"], capture_output=True, text=True, check=False, cwd="/")

    assert done.returncode == 126
    assert done.stderr == "sbctl: cannot set limit oomScore: to go below that of sbctl takes root (CAP_SYS_RESOURCE)\n"


def test_the_soft_limit_on_open_files_is_the_services_own() -> None:
    assert soft_open_files(KernelLimits(), 64) == "64"
    assert soft_open_files(KernelLimits(rlimits={"nofile": (9, 10)}), 64) == "9"
    assert soft_open_files(KernelLimits(rlimits={"nofile": (UNLIMITED, UNLIMITED)}), 64) == "unlimited"
