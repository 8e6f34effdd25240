"""The quick path and the full one: the same bytes and exit codes; and how both end when the world goes away."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.cli import plain_home
from support.fake_daemon import FakeDaemon, row
from support.waiting import eventually

from supervisor.base.where import MAIN, ROOT
from supervisor.cli.hot_verbs import SPELLINGS
from supervisor.cli.settling import settle
from supervisor.model.home import Home

DOTS = "••••"
HOT = [sys.executable, "-I", "-S", os.path.join(ROOT, "supervisor", "cli", "hot.py")]
FULL = [sys.executable, MAIN]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return plain_home(tmp_path)


@pytest.fixture
def running(home: Home) -> Iterator[FakeDaemon]:
    plugins = [
        row("mail", "failed", detail="gave up: exit code 1; next try in 12s"),
        *(row(f"web{n}") for n in range(20)),
    ]
    with (
        FakeDaemon(home, "start", [row("scheduler", ready=True, detail="21 servers")]) as start,
        FakeDaemon(home, "scheduler", plugins) as scheduler,
    ):
        scheduler.fake.remarks = ["all schedules are paused by me; sbctl resume"]
        start.fake.settings_problems = ["plugins/bad/manifest.json:1:2: this is no JSON"]
        yield start


def run(command: list[str], args: list[str], **env: str) -> tuple[int, bytes, bytes]:
    done = subprocess.run([*command, *args], capture_output=True, check=False, env={**os.environ, **env}, timeout=20)
    return done.returncode, done.stdout, done.stderr


def both(home: Home, args: list[str], **env: str) -> list[tuple[int, bytes, bytes]]:
    return [run(command, ["--home", home.path, *args], **env) for command in (HOT, FULL)]


@pytest.mark.parametrize("args", SPELLINGS)
@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_same_bytes_from_a_stopped_home(home: Home, args: list[str], locale: str) -> None:
    if args == ["start"]:
        (Path(home.path) / "etc" / "sbctl.yaml").write_text("format: none\n")
    hot, full = both(home, args, LC_ALL=locale)
    assert hot == full
    assert hot[0] == {"status": 3, "stop": 0, "start": 6}[args[0]]


NOTED = """
import sys
sys.path.insert(0, sys.argv[1])
from supervisor.cli import early, hot_verbs
ask = early.ask
def noted(home):
    print([name for name in ("supervisor.cli.quick", "supervisor.cli.table") if name in sys.modules], file=sys.stderr)
    return ask(home)
early.ask = noted
sys.exit(hot_verbs.quick(["--home", sys.argv[2], "status"]))
"""


@pytest.mark.usefixtures("running")
def test_the_daemons_are_asked_before_what_shows_the_answer_is_loaded(home: Home) -> None:
    command = [sys.executable, "-I", "-S", "-c", NOTED, ROOT, home.path]
    done = subprocess.run(command, capture_output=True, check=False, timeout=20)

    assert (done.returncode, done.stderr) == (0, b"[]\n")
    assert done.stdout == run(HOT, ["--home", home.path, "status"])[1]


LOADED = "import sys; sys.path.insert(0, sys.argv[1]); import {}; print([name for name in {} if name in sys.modules])"


@pytest.mark.parametrize("module", ["quick", "stopping", "starting"])
def test_what_asks_is_loaded_without_parts_that_take_longer_than_all_of_it(module: str) -> None:
    heavy = ("collections", "enum", "json", "re", "signal", "subprocess", "typing")
    code = LOADED.format(f"supervisor.cli.{module}", heavy)
    done = subprocess.run([*HOT[:-1], "-c", code, ROOT], capture_output=True, check=True, timeout=20)

    assert done.stdout == b"[]\n"


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("args", [spelling for spelling in SPELLINGS if spelling != ["stop"]])
@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_same_bytes_from_a_running_one(home: Home, args: list[str], locale: str) -> None:
    hot, full = both(home, args, LC_ALL=locale)
    assert hot == full
    assert hot[0] == 0
    assert hot[1].isascii() == (locale == "C" or args != ["status"])


def test_same_bytes_and_no_secret_where_a_program_speaks(home: Home) -> None:
    secrets = Path(home.secrets)
    secrets.mkdir(parents=True)
    (secrets / "mail").write_text("correct horse\n")
    details = ["\x1b[31m token=hunter22", "connected with correct horse", "finished"]
    rows = [row(f"web{number}", "failed", detail=text, cause=text) for number, text in enumerate(details)]
    with (
        FakeDaemon(home, "start", [row("scheduler")]),
        FakeDaemon(
            home,
            "scheduler",
            rows,
        ),
    ):
        for args in (["status"], ["status", "--plain"], ["start"]):
            hot, full = both(home, args, LC_ALL="C.UTF-8")
            assert hot == full
            assert (hot[1] + hot[2]).decode().count(DOTS) == 2
        for args in (["status", "--json"], ["status", "web0", "web1"]):
            shown = run(HOT, ["--home", home.path, *args], LC_ALL="C.UTF-8")[1].decode()
            assert DOTS in shown
            assert "hunter22" not in shown
            assert "correct horse" not in shown
        settled = settle(home, "scheduler", ["web0", "web1"], 0.1)  # what start, restart, enable and stop tell from
        assert [each["detail"] for each in settled] == [f"\x1b[31m token={DOTS}", f"connected with {DOTS}"]


def test_same_bytes_with_the_scheduler_away(home: Home) -> None:
    with FakeDaemon(home, "start", [row("scheduler", "backoff")]):
        hot, full = both(home, ["status"])
        assert hot == full
        assert b"orphan" in hot[1]


@pytest.mark.usefixtures("running")
def test_the_home_may_come_from_the_environment(home: Home) -> None:
    code, out, err = run(HOT, ["--home", home.path, "status"])
    hint = f"sbctl --home {home.path} ".encode()
    assert hint in out  # who has named it must name it in the next command, too
    assert run(HOT, ["status"], SB_HOME=home.path) == (code, out.replace(hint, b"sbctl "), err)


def test_other_spellings_reach_the_full_command_line(home: Home) -> None:
    assert run(HOT, ["version"])[1].startswith(b"sbctl 0.1.0\n")
    code, out, err = run(HOT, ["--home", home.path, "statsu"])
    assert (code, out) == (2, b"")
    assert b"did you mean: sbctl status" in err


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("command", [HOT, FULL])
@pytest.mark.parametrize("args", ["status", "status --json", "help", "stop --help", "--help", "logs", "events"])
def test_a_reader_that_has_gone(home: Home, command: list[str], args: str) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run(
        [*command, "--home", home.path, *args.split()], stdout=write_end, stderr=subprocess.PIPE, check=False
    )
    os.close(write_end)
    assert b"Traceback" not in done.stderr
    assert b"Exception" not in done.stderr
    assert done.returncode == 0


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("command", [HOT, FULL])
@pytest.mark.parametrize("args", ["status", "status --json", "why web1", "logs", "events", "help", "status --help"])
def test_a_full_disk_is_no_success(home: Home, command: list[str], args: str) -> None:
    """Whoever writes the answer into a file must learn that it is not in there."""
    os.makedirs(home.daily_folder)
    Path(home.daily_folder, "2026-11-21.log").write_text("a line\n")
    Path(home.journal_file).write_text('{"kind": "tick", "seq": "1.1", "at": "", "text": "tick"}\n')
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*command, "--home", home.path, *args.split()], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 1
    assert b"No space left on device" in done.stderr


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("command", [HOT, FULL])
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_standard_descriptors(home: Home, command: list[str], closed: str) -> None:
    words = " ".join(f"'{word}'" for word in [*command, "--home", home.path, "status"])
    done = subprocess.run(["/bin/sh", "-c", f"exec {words} {closed}"], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"sbctl") == (">&-" not in closed or closed == "2>&-")


@pytest.mark.parametrize("args", ["logs -f", "events -f", "status --watch"])
def test_following_ends_with_its_reader(home: Home, args: str) -> None:
    going = subprocess.Popen([*HOT, "--home", home.path, *args.split()], stdout=subprocess.PIPE)
    assert going.stdout is not None
    going.stdout.close()
    assert going.wait(timeout=10) == 0


def test_ctrl_c(home: Home) -> None:
    os.makedirs(home.daily_folder)
    Path(home.daily_folder, "2026-11-21.log").write_text("a line\n")
    going = subprocess.Popen([*HOT, "--home", home.path, "logs", "-f"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert going.stdout is not None
    assert going.stdout.readline() == b"a line\n"
    going.send_signal(signal.SIGINT)
    _, err = going.communicate(timeout=10)
    assert (going.returncode, err.strip()) == (130, b"")


def test_stop_waits_for_the_very_process(home: Home) -> None:
    """The listener is this test's own process, which does not end: the time limit tells."""
    with FakeDaemon(home, "start", []) as start:
        code, out, err = run(HOT, ["--home", home.path, "stop", "--timeout", "0"])
        assert (code, out) == (124, b"")
        assert b"not stopped within 0 s" in err
        assert start.fake.asked == [{"timeout": 0.0}]


def test_a_suspended_start_is_told_about(home: Home) -> None:
    os.makedirs(home.run)
    code = f"""
import socket, os, sys
sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
os.chdir({home.run!r})
sock.bind("start.sock")
sock.listen()
print("ready", flush=True)
sys.stdin.read()
"""
    silent = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert silent.stdout is not None
    assert silent.stdout.readline() == b"ready\n"
    code_, _, err = run(HOT, ["--home", home.path, "stop"])
    silent.kill()
    silent.communicate()
    assert code_ == 1
    assert f"kill -CONT {silent.pid}".encode() in err
    eventually(lambda: run(HOT, ["--home", home.path, "status"])[0] == 3)


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("args", ["status", "start"])
def test_the_quick_path_loads_nothing_that_takes_time(home: Home, args: str) -> None:
    timed = [sys.executable, "-X", "importtime", *HOT[1:], "--home", home.path, args]
    done = subprocess.run(timed, capture_output=True, text=True, check=True)
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    slow = {"click", "typing", "dataclasses", "subprocess", "socket", "pydantic", "site"}
    assert "supervisor.cli.quick" in loaded
    assert loaded & (slow if args == "start" else slow | {"json", "re", "enum", "signal"}) == set()
