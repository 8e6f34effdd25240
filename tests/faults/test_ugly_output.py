"""R35 R09 R08: output that is no text, has no end, or looks like orders.

The raw file has every byte; what is shown is safe to show; no daemon grows, waits or obeys.
"""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
from support.children import child
from support.daemon import Daemon
from support.home import TemporaryHome
from support.processes import kill, resident_kib
from support.scheduling import Scheduling
from support.waiting import eventually

UGLY = {
    "no utf-8": b"\xff\xfe\x80 \xed\xa0\x80 \xf8\x88\x80\x80\x80 \xc3",
    "nul": b"a\x00b\x00\x00",
    "ansi": b"\x1b[2J\x1b[1;1H\x1b[31mred\x1b[0m",
    "osc": b"\x1b]0;title\x07\x1b]52;c;ZXZpbA==\x1b\\\x9d0;c1\x9c \xc2\x9b2J\xc2\x9d0;x\xc2\x9c",
    "bidi": "\u202eevil\u202c \u2066x\u2069 \u200f \u061c".encode(),
    "cr": b"harmless\rrewritten\x08\x08\x08",
    "separators": "one\u2028two\u2029three\u0085four\x0bfive\x0csix".encode(),
    "forged": b"x\n[2026-01-01 00:00:00 UTC] web: stopped by a forged line",
    "mark": b"\xef\xbb\xbfbegins with a mark of byte order",
    "no line end": b"and the last one has no end",
}
BLOB = b"\n".join(UGLY.values())

# What a terminal would obey, or what could pretend to be another line.
DANGEROUS = [*map(chr, range(0x20)), "\x7f", *map(chr, range(0x80, 0xA0)), *"\u202a\u202b\u202c\u202d\u202e"]
DANGEROUS += ["\u2066", "\u2067", "\u2068", "\u2069", "\u2028", "\u2029"]


def raw(home: TemporaryHome, name: str) -> bytes:
    path = home.path / "logs" / name / "server.log"
    return path.read_bytes() if path.exists() else b""


def tail(home: TemporaryHome, name: str) -> bytes:
    with (home.path / "logs" / name / "server.log").open("rb") as file:
        file.seek(max(file.seek(0, os.SEEK_END) - 5, 0))
        return file.read()


def size(home: TemporaryHome, name: str) -> int:
    """Of all its raw files."""
    return sum(path.stat().st_size for path in (home.path / "logs" / name).glob("server.log*") if path.suffix != ".idx")


def is_safe(text: str) -> None:
    for line in text.split("\n"):
        bad = [hex(ord(letter)) for letter in line if letter in DANGEROUS and letter != "\t"]
        assert bad == [], (bad, line)


def lay(home: TemporaryHome, data: bytes) -> Path:
    path = home.path / "blob"
    path.write_bytes(data)
    return path


def test_every_byte_is_kept_and_what_is_shown_is_safe(scheduling: Scheduling) -> None:
    home = scheduling.home
    blob = lay(home, BLOB)
    home.add_plugin("ugly", child("blob", blob))
    home.add_plugin("dies", child("blob", blob, 3), restart="never")
    scheduling.job("job", child("blob", blob, 5))
    scheduling.start()
    run = scheduling.done("job")

    eventually(lambda: raw(home, "ugly") == raw(home, "dies") == BLOB)
    assert Path(run["log"]).read_bytes().endswith(BLOB) or BLOB in Path(run["log"]).read_bytes()
    assert run["exit_code"] == 5
    eventually(lambda: "has no end" in scheduling.daily())
    is_safe(scheduling.daily())
    for words in (
        ["logs", "ugly"], ["logs", "ugly", "--json"], ["logs"], ["why", "dies"], ["why", "job"], ["status"],
        ["status", "--json"], ["events"], ["events", "--json"], ["runs"], ["run", "show", run["id"]],
    ):  # fmt: skip
        shown = home.sbctl(*words)
        is_safe(shown.out + shown.err)
        assert "Traceback" not in shown.out + shown.err, words
        if "--json" in words:
            for line in shown.out.splitlines() if words[0] != "status" else [shown.out]:
                json.loads(line)
    assert home.sbctl("logs", "ugly", "--raw").code == 0


@pytest.mark.parametrize("language", ["C", "oops", pytest.param("tr_TR.UTF-8", marks=pytest.mark.slow)])
def test_any_language_will_do(home: TemporaryHome, language: str) -> None:
    home.settings["config"]["enabled"] = False
    home.write()
    home.add_plugin("ugly", child("blob", lay(home, BLOB)))
    env: dict[str, str | None] = {"LANG": language, "LC_ALL": language, "PYTHONUTF8": None, "PYTHONIOENCODING": None}
    assert home.sbctl("start", env=env).code == 0
    eventually(lambda: raw(home, "ugly") == BLOB)
    for words in (["logs", "ugly"], ["status"], ["why", "ugly"], ["logs", "ugly", "--json"]):
        shown = home.sbctl(*words, env=env)
        assert shown.code == 0, shown
        assert "Traceback" not in shown.out + shown.err
        is_safe(shown.out)
    assert home.sbctl("stop", env=env).code == 0


@pytest.mark.parametrize("mib", [64, pytest.param(1024, marks=[pytest.mark.slow, pytest.mark.timeout(300)])])
@pytest.mark.parametrize("reader", ["scheduler", "start"])
def test_a_line_without_end_grows_nobody(daemon: Daemon, mib: int, reader: str) -> None:
    """Whoever pumps it: `start` does while a scheduler that was killed waits for its next try."""
    daemon.home.settings["logs"] = {"maxMb": 100, "keep": 1}
    daemon.home.settings["core"] = {"scheduler": {"fastCrashSeconds": 60, "delaysSeconds": [30]}}
    daemon.home.write()
    daemon.home.add_plugin("endless", child("long_line", mib))
    daemon.start()
    eventually(lambda: raw(daemon.home, "endless") == b"ready\n")
    pids = {role: daemon.pid(role) for role in ("start", "scheduler")}
    server = daemon.row("endless")["pid"]
    if reader == "start":
        kill(pids.pop("scheduler"))
        eventually(lambda: daemon.home.pid("scheduler") is None)
    before = {role: resident_kib(pid) for role, pid in pids.items()}

    kill(server, signal.SIGUSR1)

    eventually(lambda: tail(daemon.home, "endless") == b"\nend\n", 120)
    if mib <= 64:
        assert size(daemon.home, "endless") == 6 + (mib << 20) + 5
    for role, pid in pids.items():
        assert resident_kib(pid) - before[role] < 32 << 10, role
    shown = daemon.home.sbctl("logs", "endless", "-n", "1")
    assert shown.out == "end\n"


def test_a_writer_finds_a_pipe_that_waits(daemon: Daemon) -> None:
    """R08: who gets a descriptor that does not wait dies of EAGAIN as soon as nobody reads for a moment."""
    daemon.home.add_plugin("loud", child("long_line", 4))
    daemon.start()
    eventually(lambda: raw(daemon.home, "loud"))
    scheduler, pid = daemon.pid("scheduler"), daemon.row("loud")["pid"]
    kill(scheduler, signal.SIGSTOP)
    try:
        kill(pid, signal.SIGUSR1)
        # "0" is what is told to those who may not know.
        eventually(lambda: "pipe" in (where := Path(f"/proc/{pid}/wchan").read_text()) or where == "0", 5)
    finally:
        kill(scheduler, signal.SIGCONT)
    eventually(lambda: tail(daemon.home, "loud") == b"\nend\n")
    assert size(daemon.home, "loud") == 6 + (4 << 20) + 5
    assert daemon.row("loud")["pid"] == pid


@pytest.mark.slow
def test_a_step_that_says_much_at_its_end_holds_up_nobody(scheduling: Scheduling) -> None:
    """R09: a megabyte to stderr, then it exits; the next slot runs."""
    scheduling.job("loud", "head -c 1048576 /dev/zero >&2; echo $SB_NOMINAL_TIME >>$SB_HOME/started", intervalSeconds=1)
    scheduling.start()
    first, second = scheduling.first("loud", 2, 10)
    for run in (first, second):
        assert run["state"] == "succeeded"
        assert Path(run["log"]).read_bytes().count(b"\0") == 1 << 20
    slots = scheduling.started()
    assert len(slots) == len(set(slots))


# S24: output is data

ORDERS = [
    {"verb": "shutdown"},
    {"verb": "stop", "names": ["innocent"]},
    {"verb": "drop", "key": "innocent.1"},
    {"spawn": "evil", "key": "evil.1", "launch": {"argv": ["/bin/touch", "evil"]}},
    {"event": {"kind": "service.gave_up", "service": "innocent", "text": "innocent: gave up"}},
    {"seq": "9.9", "at": "2026-01-01T00:00:00.000Z", "kind": "service.failed", "service": "innocent", "text": "x"},
    {"state": "failed", "quality": 0, "metrics": {"quality": 0}, "update_event": {"enabled": 0}},
]
WORDS = b"READY=1\nSTATUS=evil\nSTOPPING=1\nMAINPID=1\nWATCHDOG=trigger\n"


def test_output_that_looks_like_orders_is_only_output(scheduling: Scheduling) -> None:
    home = scheduling.home
    lines = [json.dumps(order).encode() for order in ORDERS]
    framed = [len(line).to_bytes(4, "big") + line for line in lines]
    data = b"\n".join([*lines, *framed, WORDS])
    blob = lay(home, data)
    home.add_plugin("innocent", child("ready"))
    home.add_plugin("evil", child("blob", blob), ready={"notify": True})
    scheduling.job("job", child("blob", blob, 0))
    scheduling.daemon.start(wait=False)
    scheduling.daemon.in_phase("innocent", "running")
    eventually(lambda: raw(home, "evil") == data)
    run = scheduling.done("job")

    assert run["state"] == "succeeded"
    rows = scheduling.daemon.rows()
    assert (rows["innocent"]["state"], rows["innocent"]["restarts"]) == ("running", 0)
    assert rows["evil"]["state"] == "starting", "ready is what is said to the notify socket, not what is printed"
    assert "evil" not in rows["evil"]["detail"]
    assert scheduling.row("job")["enabled"]
    journal = home.events()
    assert not [event for event in journal if event["kind"] in ("service.gave_up", "service.failed")]
    assert not [event for event in journal if event["seq"] == "9.9"]
    assert not (home.path / "plugins" / "evil" / "evil").exists()
    assert scheduling.daemon.process is not None
    assert scheduling.daemon.process.poll() is None
