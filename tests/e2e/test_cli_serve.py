"""Daemons without `start`."""

from __future__ import annotations

import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from support.home import LAUNCHER, TemporaryHome
from support.waiting import eventually


@contextmanager
def serving(home: TemporaryHome, role: str) -> Iterator[subprocess.Popen[bytes]]:
    going = subprocess.Popen(
        [LAUNCHER, "serve", role], env=home.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    try:
        yield going
    finally:
        going.kill()
        going.wait()


def test_a_scheduler_alone(home: TemporaryHome) -> None:
    home.add_plugin("web", ["/bin/sh", "-c", "echo hello; exec sleep 1000"])
    with serving(home, "scheduler") as going:
        eventually(lambda: "runs alone" in home.sbctl("status").out)
        eventually(lambda: home.log("web") == "hello\n")
        assert home.sbctl("stop", "web").out == "web stopped\n"
        assert home.sbctl("start", "web").code == 0
        going.send_signal(signal.SIGTERM)
        assert going.wait(timeout=20) == 0
    assert home.pids() == []
    assert home.sbctl("status").code == 3


def test_status_of_a_scheduler_alone(home: TemporaryHome) -> None:
    home.add_plugin("web", ["/bin/sleep", "1000"])
    with serving(home, "scheduler") as daemon:
        eventually(lambda: home.status()["state"] == "running")

        assert home.sbctl("status", "--json").code == 0
        assert home.status()["pid"] == daemon.pid
        assert [row["name"] for row in home.status()["services"]] == ["web"]


def test_a_config_server_alone(home: TemporaryHome) -> None:
    def answers() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{home.port}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code == 503  # it lives, and says that nothing else does
        except OSError:
            return False

    with serving(home, "config") as going:
        eventually(answers)
        going.send_signal(signal.SIGTERM)
        assert going.wait(timeout=20) == 0


def test_serve_checks_the_settings_first(home: TemporaryHome) -> None:
    (home.path / "etc" / "sbctl.yaml").write_text("configg: 1\n")
    assert home.sbctl("serve", "scheduler").code == 6
