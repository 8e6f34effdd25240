"""The checks that a schedule can ask for by name: each is a command, since a name server may have to be waited for."""

from __future__ import annotations

from typing import Any

from supervisor.model.launch import Launch
from supervisor.settings import commands
from supervisor.settings.addresses import Address, http_address, status_range, tcp_address
from supervisor.settings.checks import ENDS_BEFORE_S, PROBE, STATUSES
from supervisor.settings.findings import Path, shorten
from supervisor.settings.launches import search_path
from supervisor.settings.load import Loaded
from supervisor.settings.scheduler_file import NamedCheck


def named_checks(loaded: Loaded) -> dict[str, dict[str, Any]]:
    """By name: argv, timeout, fresh (so long an answer counts), name (what people see), exec, plugin_env."""
    found = {}
    for name, keys in sorted(loaded.scheduler.checks.items()):
        if made := _check(loaded, ("checks", name), keys):
            found[name] = made
    return found


def _check(loaded: Loaded, path: Path, keys: NamedCheck) -> dict[str, Any] | None:
    document = loaded.scheduler_document
    if keys.statuses is not None and keys.http is None:
        document.report((*path, "statuses"), "only an http check has statuses", "remove it", at_key=True)
    common = {"timeout": keys.timeout_seconds, "fresh": keys.interval_seconds, "plugin_env": None}
    if keys.exec is not None:
        text = keys.exec if isinstance(keys.exec, str) else " ".join(keys.exec)
        launch = Launch(argv=commands.words(keys.exec), cwd=loaded.home.path, log="")
        if problem := commands.find_problem(launch.argv, launch.cwd, search_path(launch)):
            document.report((*path, "exec"), *problem, level="warning")
        return {"argv": list(launch.argv), "name": f"exec {text}", "exec": True, **common}
    if keys.http is not None:
        address = http_address(keys.http)
    elif keys.tcp is not None:
        address = tcp_address(keys.tcp)
    else:
        document.report(path, "says no way to find out", "add one of http, tcp or exec", at_key=True)
        return None
    key = "http" if keys.http is not None else "tcp"
    if address.socket:
        document.report((*path, key), "a socket can't be asked here", "use an exec check, or a port")
        return None
    _warn_of_secret(loaded, (*path, key), address)
    low, high = status_range(keys.statuses if keys.statuses is not None else STATUSES)
    limit = f"{keys.timeout_seconds * ENDS_BEFORE_S:.3g}"
    argv = [PROBE, address.url, "--timeout", limit, "--statuses", f"{low}-{high}"]
    return {"argv": argv, "name": address.shown_url, "exec": False, **common}


def _warn_of_secret(loaded: Loaded, path: Path, address: Address) -> None:
    if name := address.secret_name:
        loaded.scheduler_document.report(
            path,
            f"a process asks this address, so everybody on this machine can read {shorten(name)} in ps",
            "use an exec check that reads it from a file or its environment",
            level="warning",
        )
