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
def serving(home: TemporaryHome, role: str, stderr: int | None = None) -> Iterator[subprocess.Popen[bytes]]:
    going = subprocess.Popen(
        [LAUNCHER, "serve", role],
        env=home.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
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
        assert home.sbctl("restart", "web").code == 0
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
        text = home.sbctl("status")
        assert text.code == 0
        assert f"the scheduler runs alone (serve, pid {daemon.pid})" in text.out
        assert "web" in text.out.splitlines()[-1]
        assert home.sbctl("status", "--plain").out.startswith("web\t")


def test_start_and_stop_of_a_scheduler_alone(home: TemporaryHome) -> None:
    home.add_plugin("web", ["/bin/sleep", "1000"])
    with serving(home, "scheduler") as daemon:
        eventually(lambda: home.status()["state"] == "running")
        started = home.sbctl("start", timeout=5)
        assert (started.code, started.out) == (1, "")
        assert f"the scheduler runs alone (serve, pid {daemon.pid})" in started.err
        stopped = home.sbctl("stop", timeout=5)
        assert stopped.code == 0
        assert stopped.out.startswith("stopped in ")
        assert stopped.out.endswith(f"(pid {daemon.pid})\n")
        assert daemon.wait(timeout=5) == 0
    assert home.sbctl("stop").out == "already stopped\n"


def test_serve_says_what_it_is(home: TemporaryHome) -> None:
    with serving(home, "scheduler", stderr=subprocess.PIPE) as daemon:
        assert daemon.stderr is not None
        with daemon.stderr as said:
            assert said.readline() == (
                f"scheduler runs alone, in the foreground (pid {daemon.pid}): sbctl stop or Ctrl-C ends it\n".encode()
            )
            assert b"crash safety is off" in said.readline()


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


def test_a_tunnel_that_is_not_configured(home: TemporaryHome) -> None:
    served = home.sbctl("serve", "tunnel")
    assert (served.code, served.out) == (6, "")
    assert served.err.startswith("error: no tunnel is configured: tunnel.enabled, tunnel.command\n")
