"""R38: settings that are cut, half written, or made to hurt who reads them.

Never a traceback; what is wrong is told with file and line; and nobody who runs is touched by it.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.children import child
from support.daemon import Daemon
from support.home import TemporaryHome
from support.waiting import eventually

from supervisor.base.where import role_command
from supervisor.model.home import Home
from supervisor.settings.api import compile_home

YAML = """# what a person writes
config:
  enabled: false
timezone: Europe/Berlin
logs:
  maxMb: 5
  keep: 3
supervision:
  delaysSeconds: [0.1, 0.2]
  graceSeconds: 2
  settleSeconds: 0.1
notASetting: "x"
"""
SCHEDULER = {
    "activeHours": {"start": "06:00", "end": "22:00"},
    "servers": {"web": {"autoStart": True, "restart": "always"}, "same": {"autoStart": True}},
    "tasks": [{"plugins": ["job"], "intervalHours": 24, "runAtStart": False}],
}
MANIFEST = "plugins/web/manifest.json"
FILES = (MANIFEST, "etc/scheduler.json", "etc/sbctl.yaml")


@pytest.fixture
def laid(home: TemporaryHome) -> TemporaryHome:
    home.add_plugin("web", child("ready"))
    home.add_plugin("same", child("ready"))
    job = home.path / "plugins" / "job"
    job.mkdir()
    (job / "manifest.json").write_text(json.dumps({"id": "job", "commands": {"get": "true"}}))
    (home.path / "etc" / "scheduler.json").write_text(json.dumps(SCHEDULER, indent=2) + "\n")
    (home.path / "etc" / "sbctl.yaml").write_text(YAML.replace('notASetting: "x"\n', ""))
    return home


def cuts(size: int, name: str) -> list[int]:
    """A manifest at every byte, the others at each 32nd part."""
    return list(range(size)) if name == MANIFEST else [size * part // 32 for part in range(32)]


def in_force(home: TemporaryHome) -> dict[str, Any]:
    """What the daemons would read, without what differs with each compilation."""
    found: dict[str, Any] = {}
    for name in ("start.json", "scheduler.json"):
        document = json.loads((home.path / "logs" / "run" / "settings" / "current" / name).read_text())
        found[name] = {key: document[key] for key in ("services", "schedules", "problems") if key in document}
    return found


@pytest.mark.parametrize("name", FILES)
def test_cut_anywhere_it_is_refused_with_its_place_or_means_what_it_says(laid: TemporaryHome, name: str) -> None:
    """By the compiler itself, for a process each would take minutes."""
    path = laid.path / name
    whole = path.read_bytes()
    home = Home(str(laid.path))
    assert compile_home(home).ok
    before = in_force(laid)
    refused = 0
    for cut in cuts(len(whole), name):
        path.write_bytes(whole[:cut])
        result = compile_home(home)
        if result.ok:
            assert name.endswith("yaml") or whole[:cut].strip() == whole.strip(), (cut, whole[:cut])
            before = in_force(laid)  # cut between two lines it is a shorter text that means something
            continue
        refused += 1
        assert in_force(laid) == before, cut
        errors = [finding for finding in result.findings if finding.is_error]
        assert any(finding.file == name and finding.line > 0 for finding in errors), (cut, errors)
        assert all(finding.remedy for finding in errors), (cut, errors)
    assert refused > (5 if name.endswith("yaml") else 25)


# the same with a tree that runs


def pids(daemon: Daemon) -> dict[str, Any]:
    return {name: (row["pid"], row["state"], row["restarts"]) for name, row in daemon.rows().items()}


@pytest.fixture
def running(laid: TemporaryHome) -> Iterator[Daemon]:
    daemon = Daemon(laid)
    daemon.start()
    yield daemon
    daemon.end()


def refusals(daemon: Daemon, name: str, steps: int) -> None:
    path = daemon.home.path / name
    whole = path.read_bytes()
    before = pids(daemon)
    for number in range(steps):
        path.write_bytes(whole[: len(whole) * number // steps])
        for words in (["reload"], ["config", "validate"]) if number == 1 else (["reload"],):
            done = daemon.home.sbctl(*words)
            assert "Traceback" not in done.out + done.err, (number, words, done)
            assert done.code == 6, (number, words, done)
            assert re.search(rf"{re.escape(name)}:\d+:\d+: ", done.err + done.out), (number, words, done)
        now = pids(daemon)
        assert {key: now[key] for key in ("web", "same", "scheduler")} == before, number
    path.write_bytes(whole)
    assert daemon.home.sbctl("reload").code == 0
    assert pids(daemon) == before


@pytest.mark.slow
@pytest.mark.parametrize("name", [MANIFEST, "etc/scheduler.json"])
def test_a_reload_of_what_is_cut_touches_nobody(running: Daemon, name: str) -> None:
    refusals(running, name, 2)


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", [MANIFEST, "etc/scheduler.json"])
def test_a_reload_at_many_cuts(running: Daemon, name: str) -> None:
    refusals(running, name, 60)


def written_slowly(daemon: Daemon, pause: float, min_reloads: int) -> None:
    """As a bad editor does it, while reload runs again and again: old, old, old, then new; others never."""
    path = daemon.home.path / MANIFEST
    manifest = json.loads(path.read_text())
    new = {**manifest, "name": "Zürich", "env": {"NEW": "1"}}
    source = daemon.home.path / "new.json"
    source.write_text(json.dumps(new, ensure_ascii=False))
    before = pids(daemon)
    writer = subprocess.Popen(child("slow_writer", path, source, pause))
    reloads = refused = 0
    try:
        while writer.poll() is None:
            done = daemon.home.sbctl("reload")
            assert "Traceback" not in done.out + done.err, done
            assert done.code in (0, 6), done
            reloads += 1
            refused += done.code == 6
            if path.read_bytes() != source.read_bytes():
                assert pids(daemon) == before, done
    finally:
        writer.kill()
        writer.wait()
    assert reloads >= min_reloads
    assert refused >= 1
    assert daemon.home.sbctl("reload").code == 0
    after = eventually(lambda: now if (now := pids(daemon))["web"] != before["web"] else None)
    assert (after["same"], after["scheduler"]) == (before["same"], before["scheduler"])


@pytest.mark.slow
def test_a_manifest_that_is_written_slowly(running: Daemon) -> None:
    written_slowly(running, 0.008, 1)


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_manifest_that_is_written_very_slowly(running: Daemon) -> None:
    written_slowly(running, 0.1, 2)


# S23: YAML that hurts


def laughs(levels: int) -> str:
    lines = ["x-l0: &l0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"x-l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, levels)]
    return "\n".join(lines)


HOSTILE = {
    "an object": "x-o: !!python/object/apply:os.system ['touch evil']\n",
    "a module": "x-o: !!python/name:os.system\n",
    "a tag of its own": "x-o: !evil {a: 1}\n",
    "a tag on everything": "!!python/object:os.environ {}\n",
    "billion laughs": laughs(10),
    "an anchor of a megabyte": "x-a: &" + "a" * (1 << 20) + " 1\n",
    "a megabyte of anchors": "\n".join(f"x-{n}: &a{n} 1" for n in range(60_000)),
    "one anchor used without end": "x-a: &a [1, 2]\nx-b: [" + "*a," * 300_000 + "]\n",
    "an anchor within itself": "x-a: &a [*a, *a]\n",
    "lists ten thousand deep": "x-a: " + "[" * 10_000 + "]" * 10_000 + "\n",
    "lists a million deep": "[" * (1 << 20),
    "maps ten thousand deep": "x-a: " + "{a: " * 10_000 + "1" + "}" * 10_000 + "\n",
    "indented ten thousand deep": "\n".join(" " * n + "a:" for n in range(1_400)),
    "a merge of itself": "x-a: &a\n  <<: *a\n  b: 1\n",
    "sixty-four megabytes": "# " + "x" * (64 << 20) + "\n",
    "a number without end": "x-n: " + "9" * 1_000_000 + "\n",
    "other bytes": "\x00\x01\x02",
    "utf-16": "config: {}\n".encode("utf-16").decode("latin-1"),
}


# What the kernel says of a child's memory holds that of whoever made it, until its exec: so a small one makes it.
MEASURE = """
import os, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, used = os.wait4(pid, 0)
print(f"\\n[{status}, {used.ru_utime + used.ru_stime}, {used.ru_maxrss}]", end="")
"""
QUICK = ("an object", "billion laughs", "one anchor used without end", "lists a million deep", "other bytes")


@pytest.mark.parametrize(
    "what", [*QUICK, *(pytest.param(what, marks=pytest.mark.slow) for what in HOSTILE if what not in QUICK)]
)
def test_yaml_that_hurts_is_refused_in_bounded_time_and_memory(laid: TemporaryHome, what: str) -> None:
    """As the compiler is started by all: a process of its own, judged by what the kernel says it took."""
    (laid.path / "etc" / "sbctl.yaml").write_bytes(HOSTILE[what].encode("latin-1"))
    began = time.monotonic()
    words = [sys.executable, "-I", "-S", "-c", MEASURE, *role_command("compile", str(laid.path))]
    done = subprocess.run(words, env={**os.environ, "SB_HOME": str(laid.path)}, capture_output=True, timeout=50)
    out, _, figures = done.stdout.decode().rpartition("\n")
    status, seconds, kib = json.loads(figures)
    assert os.waitstatus_to_exitcode(status) != -signal.SIGKILL
    answer = json.loads(out)
    assert answer["ok"] is False
    places = [finding for finding in answer["findings"] if finding["file"] == "etc/sbctl.yaml"]
    assert places, answer
    assert all(len(finding["text"]) < 2000 for finding in answer["findings"]), "nobody reads a megabyte"
    assert seconds < 8
    assert kib < 400 << 10
    assert time.monotonic() - began < 30
    assert not (laid.path / "evil").exists()


@pytest.mark.slow
def test_a_reload_of_a_bomb_touches_nobody(running: Daemon) -> None:
    before = pids(running)
    path = Path(running.home.path, "etc", "sbctl.yaml")
    for what in ("billion laughs", "an object", "lists ten thousand deep"):
        path.write_text(HOSTILE[what])
        done = running.home.sbctl("reload")
        assert done.code == 6, done
        assert "etc/sbctl.yaml:" in done.err
        assert "Traceback" not in done.err + done.out
        assert pids(running) == before
