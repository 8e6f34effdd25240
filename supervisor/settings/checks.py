"""Checks as the daemons make them: everything resolved, and nothing left that needs a name server."""

from __future__ import annotations

import os

from supervisor.model import check
from supervisor.model.check import Check
from supervisor.settings import commands
from supervisor.settings.addresses import Address, http_address, status_range, tcp_address
from supervisor.settings.check_keys import CoreAliveKeys, Probe, Ready
from supervisor.settings.findings import shorten
from supervisor.settings.written import Written

STATUSES = "200-399"
PROBE = "role:probe"  # the daemon puts its own interpreter here
ENDS_BEFORE_S = 0.9  # of its limit: a helper that is not killed can say why
MAX_SOCKET = 107  # bytes, by the kernel


def ready_check(written: Written, cwd: str) -> Check | None:
    keys = written.keys.ready
    if keys is None:
        return None
    made = Check(
        kind="",
        shown="",
        interval=keys.interval_seconds or 0.5,
        timeout=keys.timeout_seconds or 1.0,
        successes=keys.successes or 1,
        grace=keys.grace_seconds or 0.0,
    )
    return made if _set_kind(made, written, "ready", keys, cwd) else None


def alive_check(written: Written, cwd: str) -> Check | None:
    keys = written.keys.alive
    if keys is None:
        return None
    made = Check(
        kind="",
        shown="",
        interval=keys.interval_seconds or 10.0,
        timeout=keys.timeout_seconds or 5.0,
        failures=keys.failures or 3,
        successes=keys.successes or 1,
        grace=keys.grace_seconds or 0.0,
        action=keys.on_failure or check.RESTART,
    )
    return made if _set_kind(made, written, "alive", keys, cwd) else None


def config_check(keys: CoreAliveKeys, host: str, port: int) -> Check | None:
    """Of the config server; a port of 0 is filled in by the daemon, which hears of it."""
    if not keys.enabled:
        return None
    address = http_address(f"[{host}]:{port or 1}/healthz" if ":" in host else f"{host}:{port or 1}/healthz")
    return Check(
        kind=check.HTTP,
        shown=f"http {address.where if port else address.host}{address.path}",
        host=address.host,
        port=port,
        path=address.path,
        interval=keys.interval_seconds,
        timeout=keys.timeout_seconds,
        failures=keys.failures,
    )


def _set_kind(made: Check, written: Written, name: str, keys: Probe, cwd: str) -> bool:
    """What it asks. False: nothing was given, which is reported."""
    if keys.statuses is not None and keys.http is None:
        written.report((name, "statuses"), "only an http check has statuses", "remove it", at_key=True)
    if keys.http is not None:
        made.statuses = status_range(keys.statuses if keys.statuses is not None else STATUSES)
        _set_address(made, written, (name, "http"), http_address(keys.http), cwd)
    elif keys.tcp is not None:
        _set_address(made, written, (name, "tcp"), tcp_address(keys.tcp), cwd)
    elif keys.exec is not None:
        made.kind, made.argv = check.EXEC, commands.words(keys.exec)
        made.shown = f"exec {keys.exec if isinstance(keys.exec, str) else ' '.join(keys.exec)}"
    elif isinstance(keys, Ready) and keys.log is not None:
        made.kind, made.text, made.shown = check.LOG, keys.log, f'log "{keys.log}"'
    elif isinstance(keys, Ready) and keys.notify:
        made.kind, made.shown = check.NOTIFY, "notify"
    else:
        kinds = ", ".join(type(keys).ONE_OF[:-1]) + f" or {type(keys).ONE_OF[-1]}"
        written.report((name,), "says no way to find out", f"add one of {kinds}", at_key=True)
        return False
    return True


def _set_address(made: Check, written: Written, path: tuple[str, str], address: Address, cwd: str) -> None:
    made.kind = check.HTTP if path[1] == "http" else check.TCP
    made.path = address.path
    if address.socket:
        made.socket = os.path.normpath(os.path.join(cwd, address.socket))
        made.shown = f"{made.kind} unix:{made.socket}{address.shown_path if made.kind == check.HTTP else ''}"
        if len(os.fsencode(made.socket)) > MAX_SOCKET:
            written.report(path, f"the path of a socket can have {MAX_SOCKET} bytes at most", "use a shorter one")
    elif address.is_here:
        made.host, made.port = address.host, address.port
        made.shown = f"{made.kind} {address.where}{address.shown_path if made.kind == check.HTTP else ''}"
    else:  # by a process of its own, that may wait for a name server
        made.kind, made.shown = check.EXEC, address.shown_url
        low, high = made.statuses
        limit = f"{made.timeout * ENDS_BEFORE_S:.3g}"
        made.argv = (PROBE, address.url, "--timeout", limit, "--statuses", f"{low}-{high}")
        if name := address.secret_name:
            written.report(
                path,
                f"a process asks this address, so everybody on this machine can read {shorten(name)} in ps",
                "use an exec check that reads it from a file or its environment",
                level="warning",
            )
