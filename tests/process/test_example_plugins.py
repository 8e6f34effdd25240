"""The plugins and settings that a new home begins with: they do what their comments say, also without sbctl."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import yaml
from support.home import ROOT
from support.ports import free_port
from support.waiting import eventually

from supervisor.settings.schema import SbctlFile
from supervisor.settings.shape import Shape

EXAMPLES = ROOT / "supervisor" / "examples"


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Any]:
    started: list[subprocess.Popen[str]] = []

    def start(plugin: str, *args: str, **env: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "server.py", *args],
            cwd=EXAMPLES / "plugins" / plugin,
            env={**os.environ, "SB_LOG_DIR": str(tmp_path / "logs"), **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def samples(tmp_path: Path) -> list[dict[str, Any]]:
    file = tmp_path / "logs" / "samples.ndjson"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_disk_watch_samples_and_sums_up(run: Any, tmp_path: Path) -> None:
    watch = run("disk-watch", DISK_WATCH_SECONDS="0.05")
    eventually(lambda: len(samples(tmp_path)) >= 3, message="three samples")
    watch.terminate()
    assert watch.wait(5) == 0

    told = json.loads(run("disk-watch", "get").communicate(timeout=10)[0])
    assert told["samples"] == len(samples(tmp_path))
    assert 0 <= told["least_free_percent"]["/"] <= 100


def test_disk_watch_tells_of_a_limit_once(run: Any, tmp_path: Path) -> None:
    low = {"DISK_WATCH_SECONDS": "0.05", "DISK_WATCH_LOW_PERCENT": "101"}

    watch = run("disk-watch", **low)
    eventually(lambda: len(samples(tmp_path)) >= 3, message="three samples")
    watch.send_signal(signal.SIGINT)
    out = watch.communicate(timeout=30)[0]
    assert len(re.findall(r"^/: LOW, free: space [\d.]+ %, inodes [\d.]+ %$", out, re.MULTILINE)) == 1

    # After a restart what was low is not news.
    count = len(samples(tmp_path))
    again = run("disk-watch", **low)
    eventually(lambda: len(samples(tmp_path)) > count, message="one more sample")
    again.terminate()
    assert "LOW" not in again.communicate(timeout=30)[0]


def test_disk_watch_keeps_its_file_small(run: Any, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    line = json.dumps({"at": "2026-01-01T00:00:00Z", "load": 0.5, "disks": {}}) + "\n"
    (tmp_path / "logs" / "samples.ndjson").write_text(line * ((1 << 20) // len(line)) + "cut off {\n")

    watch = run("disk-watch", DISK_WATCH_SECONDS="60")
    eventually(lambda: (tmp_path / "logs" / "samples.ndjson").stat().st_size < 600_000, message="the file is halved")
    watch.terminate()
    assert watch.wait(5) == 0


def test_hello_web_counts(run: Any) -> None:
    port = free_port()
    web = run("hello-web", PORT=str(port))
    assert web.stdout.readline() == f"ready: http://127.0.0.1:{port}/\n"

    answers = [json.load(urlopen(f"http://127.0.0.1:{port}/", timeout=30)) for _ in range(3)]

    assert [answer["requests"] for answer in answers] == [1, 2, 3]
    assert answers[2]["uptime_seconds"] > 0
    web.terminate()
    assert web.wait(5) == 0


def test_hello_web_ends_at_whatever_moment_it_is_told_to(run: Any) -> None:
    """Also right after a request, when it is about to sleep."""
    port = free_port()
    for _ in range(10):
        web = run("hello-web", PORT=str(port))
        assert web.stdout.readline()
        with socket.create_connection(("127.0.0.1", port)):
            web.send_signal(signal.SIGTERM)
        assert web.wait(5) == 0


def test_hello_web_says_that_its_port_is_taken(run: Any) -> None:
    port = str(free_port())
    assert run("hello-web", PORT=port).stdout.readline()

    second = run("hello-web", PORT=port)

    assert second.communicate(timeout=30)[0] == f"port {port} is in use: Address already in use\n"
    assert second.returncode == 1


@pytest.mark.parametrize(
    ("plugin", "env"),
    [("hello-web", {"PORT": "http"}), ("hello-web", {"PORT": "0"}), ("disk-watch", {"DISK_WATCH_SECONDS": "-1"})],
)
def test_a_wrong_setting_is_exit_code_78(run: Any, plugin: str, env: dict[str, str]) -> None:
    process = run(plugin, **env)

    assert next(iter(env)) in process.communicate(timeout=30)[0]
    assert process.returncode == 78


def test_what_the_commented_settings_show_are_the_defaults() -> None:
    text = (EXAMPLES / "etc" / "sbctl.yaml").read_text()
    shown = yaml.safe_load(re.sub(r"^# ( *)(?=[\w-]+:)", r"\1", text, flags=re.MULTILINE))

    assert "supervision" in shown
    # Where nothing is the default, the comment has to show something.
    del shown["timezone"], shown["tunnel"]["command"], shown["core"]
    assert SbctlFile.model_validate(shown).model_dump() == SbctlFile().model_dump()


def test_every_key_is_in_the_commented_settings() -> None:
    text = (EXAMPLES / "etc" / "sbctl.yaml").read_text()
    shown = set(re.findall(r"^#? *(\w+):", text, flags=re.MULTILINE))

    assert keys(SbctlFile) - shown == set()


def keys(shape: type[Shape]) -> set[str]:
    found: set[str] = set()
    for field in shape.model_fields.values():
        found.add(field.alias or "")
        if isinstance(field.annotation, type) and issubclass(field.annotation, Shape):
            found |= keys(field.annotation)
    return found
