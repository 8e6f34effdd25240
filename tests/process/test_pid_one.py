"""R43, R21: as the first process of a container `start` ends on what a runtime sends, reaps everybody's orphans, and
carries an exit code out.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.children import child
from support.container import UNSHARE, Container, check_namespaces
from support.daemon import Daemon
from support.processes import alive
from support.waiting import eventually

from supervisor.base import proc

pytestmark = pytest.mark.root


@pytest.fixture
def container(daemon: Daemon) -> Iterator[Container]:
    made = Container(daemon)
    yield made
    made.end()


def start_log(container: Container) -> str:
    return (container.daemon.home.path / "logs" / "start.log").read_text()


# the end


def seldom(*values: object, name: str | None = None) -> object:
    """The same once more, with other values."""
    return pytest.param(*values, id=name, marks=pytest.mark.slow)


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGTERM, id="docker"),
        pytest.param(signal.SIGRTMIN + 3, id="nspawn-halt"),
        seldom(signal.SIGINT, name="terminal"),
        seldom(signal.SIGQUIT, name="quit"),
        seldom(signal.SIGPWR, name="lxc"),
        seldom(signal.SIGRTMIN + 4, name="nspawn-poweroff"),
    ],
)
def test_what_a_runtime_sends_ends_everything_with_code_0(container: Container, number: int) -> None:
    home = container.daemon.home
    home.add_plugin("server", child("ready"), critical=True)
    container.start()
    container.daemon.settle()
    eventually(lambda: "ready" in home.log("server"))

    container.signal(number)

    assert container.wait() == 0
    assert "bye" in home.log("server")
    assert "everything has stopped" in start_log(container)


@pytest.mark.slow
def test_what_concerns_nobody_is_told_and_ignored(container: Container) -> None:
    container.start()
    container.daemon.settle()
    names = ("HUP", "USR1", "USR2", "ALRM", "VTALRM", "TSTP", "TTIN", "IO", "RTMIN")
    for name in names:
        container.signal(getattr(signal, f"SIG{name}"))

    eventually(lambda: all(f"SIG{name} ignored" in start_log(container) for name in names))
    left = {number for number in signal.valid_signals() if not container.mask("SigCgt") >> number - 1 & 1}
    assert {signal.Signals(number).name for number in left} == {
        "SIGABRT", "SIGBUS", "SIGCONT", "SIGFPE", "SIGILL", "SIGKILL", "SIGPIPE", "SIGSEGV", "SIGSTOP", "SIGSYS",
        "SIGTRAP", "SIGURG", "SIGWINCH", "SIGXFSZ",
    }  # fmt: skip
    assert container.daemon.row("scheduler")["state"] == "running"
    assert container.stop() == 0


def test_a_stop_while_it_begins_is_not_lost(container: Container) -> None:
    """The kernel drops a TERM for a first process without a handler: the container would be killed after the grace."""
    container.daemon.home.add_plugin("server", child("ready"))
    container.start()
    eventually(lambda: proc.words_of(container.init)[:1] == [os.fsencode(sys.executable)])  # unshare has done its part
    eventually(lambda: container.mask("SigBlk") >> signal.SIGTERM - 1 & 1, 5, "TERM is held")
    assert not container.mask("SigCgt") >> signal.SIGTERM - 1 & 1, "it had its handlers already"

    assert container.stop() == 0


@pytest.mark.slow
def test_a_second_term_is_for_at_once(container: Container) -> None:
    home = container.daemon.home
    home.add_plugin("deaf", child("ignore_term"), stop={"graceSeconds": 60})
    container.start()
    eventually(lambda: "ready" in home.log("deaf"))
    container.signal(signal.SIGTERM)
    eventually(lambda: "ignored SIGTERM" in home.log("deaf"))

    assert container.stop() == 0


def test_killed_after_the_grace_of_the_runtime_all_had_their_term(container: Container) -> None:
    """`docker stop` with a server that takes too long; and the next container on the same volume begins clean."""
    home = container.daemon.home
    home.add_plugin("deaf", child("ignore_term"), stop={"graceSeconds": 60})
    home.add_plugin("server", child("ready"))
    container.start()
    eventually(lambda: "ready" in home.log("deaf") and "ready" in home.log("server"))
    container.signal(signal.SIGTERM)
    eventually(lambda: "ignored SIGTERM" in home.log("deaf") and "bye" in home.log("server"))

    container.signal(signal.SIGKILL)

    assert container.wait() != 0
    heard = home.log("deaf").count("ignored SIGTERM")  # twice, if its scheduler outlived `start` for a moment
    assert home.pid("start") == 1
    container.start()
    container.daemon.settle()
    assert {row["state"] for row in container.daemon.rows().values()} == {"running"}
    assert "leftover.found" not in start_log(container)
    eventually(lambda: home.log("deaf").count("ready") == 2)  # else it may not have learnt to be deaf yet
    container.signal(signal.SIGTERM)
    eventually(lambda: home.log("deaf").count("ignored SIGTERM") > heard)
    assert container.stop() == 0


@pytest.mark.parametrize(
    ("script", "keys", "code"),
    [("kill -9 $$", {}, 137), seldom("exit 3", {}, 3), seldom("exit 0", {"restart": "never"}, 0)],
)
def test_the_exit_code_of_a_critical_service_leaves_the_container(
    container: Container, script: str, keys: dict[str, str], code: int
) -> None:
    """And stdout says why, in lines that are JSON each."""
    home = container.daemon.home
    command = ["/bin/sh", "-c", f"echo here; sleep 0.3; {script}"]
    home.add_plugin("main", command, critical=True, giveUpAfter=1, fastCrashSeconds=60, **keys)
    home.add_plugin("other", child("ready"))
    container.start("--log-format", "json", "--output", stdout=subprocess.PIPE)
    assert container.process is not None
    assert container.process.stdout is not None
    said = [json.loads(line) for line in container.process.stdout.read().splitlines()]
    container.process.stdout.close()

    assert container.wait() == code
    (told,) = (line for line in said if line["kind"] == "service.critical")
    assert (told["level"], told["service"], told["data"]["code"]) == ("error", "main", code)
    assert {("main", "here"), ("other", "bye")} <= {(line["service"], line["text"]) for line in said}


@pytest.mark.slow
def test_a_pipe_that_nobody_reads(container: Container) -> None:
    home = container.daemon.home
    home.add_plugin("loud", child("spew", 3000, 0, "stay"))
    read_end, write_end = os.pipe()
    try:
        fcntl.fcntl(write_end, fcntl.F_SETPIPE_SZ, 4096)
        os.write(write_end, b"x" * 4096)
        container.start("--output", stdout=write_end)
        eventually(lambda: home.log("loud").count("\n") > 3000)

        assert container.daemon.row("loud")["state"] == "running"
        assert container.stop() == 0
    finally:
        os.close(read_end)
        os.close(write_end)


# orphans


def test_500_orphans_leave_no_zombie_and_no_end_is_mixed_up(container: Container) -> None:
    home = container.daemon.home
    for number in range(4):
        home.add_plugin(f"own{number}", ["/bin/sh", "-c", f"sleep 0.{number}5; exit {10 + number}"], restart="never")
    home.add_plugin("forks", child("double_forks", 500))
    container.start()
    eventually(lambda: "done" in home.log("forks"))

    eventually(lambda: container.zombies() == [], 2, "everybody's orphans are reaped")
    for number in range(4):
        assert container.daemon.in_phase(f"own{number}", "failed")["exit"]["code"] == 10 + number
    assert container.daemon.row("forks")["state"] == "running"
    assert container.stop() == 0


def test_an_orphan_that_is_none_of_ours_is_reaped(container: Container) -> None:
    """As of `docker exec`: it was in no session of ours."""
    container.start()
    container.daemon.settle()
    inside = ["nsenter", "-t", str(container.init), "-p", "-m", "--"]
    script = 'for i in 1 2 3 4 5 6 7 8; do sh -c "sleep 0.$i & exit 0"; done'
    subprocess.run([*inside, "/bin/sh", "-c", script], check=True, timeout=10)
    eventually(lambda: len(proc.Children(container.init).read()) > 2)

    eventually(lambda: len(proc.Children(container.init).read()) == 1, 5, "only the scheduler is left")
    assert container.stop() == 0


# what a container leaves to the next one

STRANGERS = 12


def test_what_a_killed_container_has_recorded_means_nobody_in_the_next(container: Container, tmp_path: Path) -> None:
    """The same pids, and (here by force) the same start times: of strangers, who were there first."""
    home = container.daemon.home
    home.add_plugin("server", child("ready"))
    container.start()
    container.daemon.settle()
    container.signal(signal.SIGKILL)
    container.wait()
    script = f'for i in $(seq {STRANGERS}); do sleep 100 & done; while [ ! -e {tmp_path}/go ]; do :; done; exec "$@"'
    container.start(through=("/bin/sh", "-c", script, "sh"))
    strangers = eventually(lambda: pids_below(container, STRANGERS))
    records = home.path / "logs" / "run" / "records"
    head = records.read_text().splitlines()[0]
    lines = [
        json.dumps({"k": f"server.{number}", "p": inner, "s": proc.start_time(pid), "i": 0, "g": [9, 0]})
        for number, (pid, inner) in enumerate(strangers.items())
    ]
    assert json.loads(head)["boot"] == proc.boot_id()
    records.write_text("\n".join([head, *lines, ""]))
    (tmp_path / "go").touch()

    container.daemon.settle()

    assert all(alive(pid) for pid in strangers)
    assert container.daemon.row("server")["state"] == "running"
    assert container.stop() == 0


def pids_below(container: Container, count: int) -> dict[int, int]:
    """Of each child of the first process: its pid by our numbers, and by those of the container."""
    found = {}
    for pid in proc.Children(container.init).read():
        try:
            with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
                numbers = next((line.split() for line in file if line.startswith("NSpid:")), [])
        except (FileNotFoundError, ProcessLookupError):  # the shell's `seq`, say, which is gone again
            continue
        if numbers and proc.words_of(pid)[:1] == [b"sleep"]:
            found[pid] = int(numbers[-1])
    return found if len(found) == count else {}


def test_no_two_namespaces_have_one_name() -> None:
    """Their inodes alone are given out again."""
    check_namespaces()
    script = "from supervisor.base import proc; print(proc.pid_space())"
    root = str(Path(__file__).resolve().parents[2])
    names = [
        subprocess.run([*UNSHARE, sys.executable, "-c", script], cwd=root, capture_output=True, check=True, timeout=20)
        for _ in range(5)
    ]

    assert len({name.stdout for name in names}) == 5
    assert all(name.stdout.startswith(b"pid:[") for name in names)
