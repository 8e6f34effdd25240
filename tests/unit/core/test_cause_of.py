"""Why a process has ended, told from its wait status and its last words."""

from __future__ import annotations

import signal

import pytest

from supervisor.core.verdict import cause_of
from supervisor.model.cause import Cause, CauseKind

# Beyond those that the C library keeps for itself they count from either end, as `kill -l` has them.
NAMES = {32: "signal 32", 33: "signal 33", 34: "SIGRTMIN", 64: "SIGRTMAX"}
NAMES |= {34 + number: f"SIGRTMIN+{number}" for number in range(1, 16)}
NAMES |= {64 - number: f"SIGRTMAX-{number}" for number in range(1, 15)}


def by_code(code: int, *words: str, exit_codes: tuple[int, ...] = (0,), asked: bool = False) -> Cause:
    return cause_of(code << 8, asked=asked, words=list(words), exit_codes=exit_codes)


def by_signal(number: int, *, asked: bool = False, oom: bool = False, stop_signal: int = 15) -> Cause:
    return cause_of(number, asked=asked, words=[], exit_codes=(0,), stop_signals=(stop_signal,), oom=oom)


@pytest.mark.parametrize("code", range(256))
def test_every_exit_code(code: int) -> None:
    kinds = {0: CauseKind.CLEAN, 78: CauseKind.SETTINGS_ERROR, 125: CauseKind.STAY_DOWN}
    cause = by_code(code)
    assert (cause.kind, cause.code, cause.signal) == (kinds.get(code, CauseKind.EXIT_CODE), code, None)
    assert f"exit code {code}" in cause.text
    stopped = by_code(code, asked=True)
    assert (stopped.kind, stopped.text) == (CauseKind.STOPPED, f"stopped: exit code {code}")
    assert by_code(code, exit_codes=(code,)).kind is CauseKind.CLEAN


@pytest.mark.parametrize("number", range(1, 65))
def test_every_signal(number: int) -> None:
    name = NAMES.get(number) or signal.Signals(number).name
    cause = by_signal(number)
    assert (cause.kind, cause.code, cause.signal) == (CauseKind.SIGNAL, None, name)
    assert cause.text == f"killed by {name}" + (" (by hand, or out of memory)" if number == 9 else "")
    assert by_signal(number | 0x80).text == f"{cause.text} (core dumped)"
    assert by_signal(number, asked=True).kind is (CauseKind.STOPPED if number in (9, 15) else CauseKind.SIGNAL)
    stopped = by_signal(number, asked=True, stop_signal=number)
    assert (stopped.kind, stopped.text) == (CauseKind.STOPPED, f"stopped: {name}")


def test_out_of_memory() -> None:
    cause = by_signal(9, oom=True)
    assert (cause.kind, cause.text) == (CauseKind.OUT_OF_MEMORY, "out of memory: killed by SIGKILL")
    assert by_signal(9, oom=True, asked=True).kind is CauseKind.STOPPED
    by_shell = cause_of(137 << 8, asked=False, words=[], exit_codes=(0,), oom=True)
    assert (by_shell.kind, by_shell.text) == (CauseKind.OUT_OF_MEMORY, "out of memory: exit code 137")
    assert cause_of(0, asked=False, words=[], exit_codes=(0,), oom=True).kind is CauseKind.CLEAN


@pytest.mark.parametrize("status", [-1, 0x7F, 0x137F, 0x10000, 0xFFFF])
def test_what_is_no_end_is_unknown_and_never_clean(status: int) -> None:
    for asked in (False, True):
        assert cause_of(status, asked=asked, words=["x"], exit_codes=(0,)).kind is CauseKind.UNKNOWN


def test_thirty_last_words_are_kept() -> None:
    words = [f"line {n}" for n in range(100)]
    assert by_code(1, *words).words == tuple(words[70:])
    assert cause_of(9, asked=False, words=words, exit_codes=()).words == tuple(words[70:])


NOT_FOUND, NOT_EXECUTABLE = CauseKind.NOT_FOUND, CauseKind.NOT_EXECUTABLE


@pytest.mark.parametrize(
    ("code", "line", "kind", "text"),
    [
        # dash
        (127, "sbctl: 1: exec: serve: not found", NOT_FOUND, "cannot start: serve: not found"),
        (126, "sbctl: 1: exec: /srv/a: Permission denied", NOT_EXECUTABLE, "cannot start: /srv/a: Permission denied"),
        (126, "sbctl: 1: exec: ./elf: Exec format error", NOT_EXECUTABLE, "cannot start: ./elf: Exec format error"),
        # bash
        (127, "sbctl: line 1: exec: serve: not found", NOT_FOUND, "cannot start: serve: not found"),
        (127, "sbctl: line 1: a: No such file or directory", NOT_FOUND, "cannot start: a: No such file or directory"),
        (126, "sbctl: line 1: exec: /tmp: cannot execute: Is a directory", NOT_EXECUTABLE, "cannot start: /tmp: cannot "
         "execute: Is a directory"),
        (127, "sbctl: line 1: ./a: cannot execute: required file not found", NOT_FOUND, "cannot start: ./a: cannot "
         "execute: required file not found"),
        # a shim that says it in other words
        (127, "sbctl: 1: ./a: Kaputt", NOT_FOUND, "cannot start: ./a: Kaputt"),
        (126, "sbctl: 1: ./a: Kaputt", NOT_EXECUTABLE, "cannot start: ./a: Kaputt"),
        (126, "sbctl: cannot enter folder /srv/x y", CauseKind.BAD_FOLDER, "cannot enter folder /srv/x y"),
        # a script's own shell
        (127, "run.sh: 3: node: not found", NOT_FOUND, "cannot start: run.sh: 3: node: not found"),
        (126, "run.sh: 3: ./x: Permission denied", NOT_EXECUTABLE, "cannot start: run.sh: 3: ./x: Permission denied"),
        # switching the user
        (127, "sbctl: 1: exec: setpriv: not found", CauseKind.BAD_USER, "cannot switch the user: setpriv is missing "
         "(package util-linux)"),
        (127, "setpriv: setresuid failed: Operation not permitted", CauseKind.BAD_USER, "cannot switch the user: "
         "setresuid failed: Operation not permitted"),
        (1, "setpriv: initgroups failed", CauseKind.BAD_USER, "cannot switch the user: initgroups failed"),
        (127, "setpriv: failed to execute a: No such file or directory", NOT_FOUND, "cannot start: a: No such file or "
         "directory"),
        (126, "setpriv: failed to execute b: Permission denied", NOT_EXECUTABLE, "cannot start: b: Permission denied"),
        (126, "setpriv: failed to execute /b: Kaputt", NOT_EXECUTABLE, "cannot start: /b: Kaputt"),
        # nothing of the kind
        (126, "that went wrong", CauseKind.EXIT_CODE, "exit code 126"),
        (127, "that went wrong", CauseKind.EXIT_CODE, "exit code 127"),
        (1, "page not found", CauseKind.EXIT_CODE, "exit code 1"),
        (1, "sbctl: 1: exec: serve: not found", CauseKind.EXIT_CODE, "exit code 1"),
        (0, "setpriv: all is well", CauseKind.CLEAN, "exit code 0"),
    ],
)  # fmt: skip
def test_trouble_at_the_start(code: int, line: str, kind: CauseKind, text: str) -> None:
    cause = by_code(code, "something before", line, "  ")
    assert (cause.kind, cause.text, cause.code) == (kind, text, code)


def test_what_we_say_ourselves_about_settings_is_the_text() -> None:
    line = "sbctl: /etc/web.env:3: not a NAME=VALUE line"
    for cause in (by_code(78, line), by_code(78, "before", line, " ", exit_codes=(0, 78))):
        assert (cause.kind, cause.text) == (CauseKind.SETTINGS_ERROR, "/etc/web.env:3: not a NAME=VALUE line")
    assert by_code(78, line, "a program's own words").text == "its settings are wrong (exit code 78)"
    assert by_code(3, line).kind is CauseKind.EXIT_CODE
    assert by_code(78, line, asked=True).kind is CauseKind.STOPPED


@pytest.mark.parametrize(
    ("line", "port"),
    [
        ("OSError: [Errno 98] Address already in use", None),
        (
            "OSError: [Errno 98] error while attempting to bind on address ('127.0.0.1', 8000): address already in use",
            8000,
        ),
        ("OSError: ('::', 8080, 0, 0): Address already in use", 8080),
        ("Error: listen EADDRINUSE: address already in use :::3000", 3000),
        ("Error: listen EADDRINUSE: address already in use 127.0.0.1:3000", 3000),
        ("2026/01/02 10:22:33 listen tcp :8080: bind: address already in use", 8080),
        ("main.go:45: listen tcp 0.0.0.0:8080: bind: address already in use", 8080),
        ("listen tcp [::1]:8080: bind: address already in use", 8080),
        ("2026/01/02 10:22:33 [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)", 80),
        ("10:22:33 server.js:45: Address already in use", None),
        ("2026-01-02T10:22:33 Address already in use", None),
        ("port 9000: address already in use", 9000),
        ("Port: 9000, address already in use", 9000),
        ("bind failed port=9000 error='Address already in use'", 9000),
        ("tcp://localhost:4222: ADDRESS ALREADY IN USE", 4222),
        ("*:70000: address already in use", None),
        ("1.2.3.4.5:80 or :0 address already in use", None),
    ],
)
def test_port_in_use(line: str, port: int | None) -> None:
    cause = by_code(1, "starting", line, "  at Server.listen (net.js:1:2)")
    assert (cause.kind, cause.text) == (
        CauseKind.PORT_IN_USE,
        f"port {port} is in use" if port else "its port is in use",
    )
    assert by_code(0, line).kind is CauseKind.CLEAN
    assert by_code(1, line, asked=True).kind is CauseKind.STOPPED


def test_no_exit_of_zero_is_read_for_trouble() -> None:
    cause = by_code(0, "address already in use :80", exit_codes=(3,))
    assert (cause.kind, cause.text) == (CauseKind.EXIT_CODE, "exit code 0")


def test_a_signal_may_be_expected() -> None:
    cause = cause_of(10, asked=False, words=[], exit_codes=(0,), exit_signals=(10,))
    assert (cause.kind, cause.text) == (CauseKind.CLEAN, "ended by SIGUSR1, as expected")
    assert cause_of(12, asked=False, words=[], exit_codes=(0,), exit_signals=(10,)).kind is CauseKind.SIGNAL


def test_each_signal_of_a_stop_is_one_that_was_asked_for() -> None:
    for number in (2, 15, 9):
        assert cause_of(number, asked=True, words=[], exit_codes=(0,), stop_signals=(2, 15)).kind is CauseKind.STOPPED
    assert cause_of(11, asked=True, words=[], exit_codes=(0,), stop_signals=(2, 15)).kind is CauseKind.SIGNAL
