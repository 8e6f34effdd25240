"""The documents that the daemons read: one a role, everything in it resolved."""

from __future__ import annotations

import hashlib
from typing import Any

from supervisor import __version__
from supervisor.base.address import address
from supervisor.model.inputs import FORMAT
from supervisor.model.service import Spec
from supervisor.settings import revisions
from supervisor.settings.commands import find_problem
from supervisor.settings.core_services import core_specs, provider_spec
from supervisor.settings.findings import Finding, has_errors
from supervisor.settings.hours_keys import Window
from supervisor.settings.launches import search_path
from supervisor.settings.load import Loaded
from supervisor.settings.schedules import schedule_section, without
from supervisor.settings.schema import MIB, ConfigServer
from supervisor.settings.secrets import SECRETS
from supervisor.settings.servers import plugin_specs
from supervisor.settings.shape import DAY_S

Documents = dict[str, dict[str, Any]]

# What differs from one compilation to the next while the outcome is the same.
_PASSING = ("revision", "compiled_at", "fingerprint", "inputs", "problems", "errors", "version", "sums")


def build(loaded: Loaded) -> Documents:
    """All documents, but for the stamp of a revision. Adds warnings to the findings of `loaded`."""
    home, settings = loaded.home, loaded.settings
    plugins = plugin_specs(loaded)
    schedules = schedule_section(loaded)
    left_out = _leave_out(loaded)
    plugins = [spec for spec in plugins if spec.plugin not in left_out]
    schedules = without(schedules, left_out)
    provider = provider_spec(home, settings)
    _warn_of_tunnel(loaded, provider)
    beat = {
        "tick": settings.supervision.tick_seconds,
        "reconcile": settings.supervision.reconcile_seconds,
        "settle": settings.supervision.settle_seconds,
    }
    core = core_specs(home, settings, plugins, provider)
    documents: Documents = {
        "start": {
            "secret_env": list(SECRETS),
            "services": [spec.as_dict() for spec in core],
            **beat,
            "host": settings.config.host,
            "port": settings.config.port,
            "summary": _summary(loaded, schedules),
        },
        "scheduler": {
            "services": [spec.as_dict() for spec in plugins],
            **beat,
            "max_starting": settings.supervision.max_starting,
            "logs": {
                "gzip": settings.logs.gzip,
                "total_budget": int(settings.logs.total_budget_mb * MIB),
                "keep_age": settings.logs.keep_days * DAY_S,
            },
            "daily_lines_per_s": settings.logs.daily_lines_per_second,
            "daily_bytes_per_min": settings.logs.daily_bytes_per_minute,
            "schedules": schedules,
            "summary": _summary(loaded, schedules),
        },
    }
    if provider is not None:
        documents["tunnel"] = {"services": [provider.as_dict()], **beat}
    return documents


def _leave_out(loaded: Loaded) -> set[str]:
    """Plugins whose manifests hold by themselves, but not together with the rest."""
    wrong = {name for name, plugin in loaded.plugins.items() if has_errors(plugin.document.findings)}
    for name in wrong:
        loaded.left_out[name] = loaded.plugins.pop(name).document.findings
    return wrong


def _warn_of_tunnel(loaded: Loaded, provider: Spec | None) -> None:
    document = loaded.settings_document
    if provider is not None:
        launch = provider.launch
        if problem := find_problem(launch.argv, launch.cwd, search_path(launch)):
            document.report(("tunnel", "command"), *problem, level="warning")
    elif loaded.settings.tunnel.enabled:
        message = "enabled, but there is no command: no tunnel"
        document.report(("tunnel",), message, "add tunnel.command", level="warning", at_key=True)


def _summary(loaded: Loaded, schedules: dict[str, Any]) -> list[str]:
    """The settings in force, as the start banner has them."""
    settings, rules = loaded.settings, loaded.settings.supervision
    servers = [plugin.manifest for plugin in loaded.plugins.values() if plugin.manifest.commands.server is not None]
    count = len(schedules["schedules"])
    delays = ", ".join(f"{delay:g}" for delay in rules.delays_seconds)
    lines = [
        f"timezone {schedules['zone'] or 'of this machine'}",
        f"{len(servers)} plugin servers",
        f"{count} schedule{'' if count == 1 else 's'}",
        _config_server(settings.config),
        f"fast crash within {rules.fast_crash_seconds:g} s, next tries after {delays} s, "
        f"given up after {rules.give_up_after}",
        f"{rules.grace_seconds:g} s from the stop signal to SIGKILL",
        f"a tick every {rules.tick_seconds:g} s",
        f"logs of {settings.logs.max_mb:g} MB, {settings.logs.keep} kept",
    ]
    if windows := loaded.scheduler.active_hours:
        lines.append(f"active hours {', '.join(map(_window, windows))}")
    return lines


def _window(window: Window) -> str:
    start, end = (hour if isinstance(hour, str) else f"{hour:g}" for hour in (window.start, window.end))
    days = f" {' '.join(window.weekdays)}" if window.weekdays else ""
    return f"{start}-{end}{days}"


def _config_server(its: ConfigServer) -> str:
    if not its.enabled:
        return "no config server"
    return f"config server on {address(its.host, its.port) if its.port else f'a free port of {its.host}'}"


def stamp(
    documents: Documents,
    *,
    revision: str,
    home_id: str,
    at: str,
    inputs: list[list[Any]],
    findings: list[Finding],
) -> Documents:
    """The documents as they are written: who they are, what of, and what was wrong."""
    head: dict[str, Any] = {"format": FORMAT, "revision": revision, "home_id": home_id}
    stamped = {role: {**head, **document} for role, document in documents.items()}
    mark = fingerprint(stamped)
    for document in stamped.values():
        document["fingerprint"] = mark
    stamped["start"].update(compiled_at=at, version=__version__, inputs=inputs, **told(findings))
    return stamped


def told(findings: list[Finding]) -> dict[str, list[str]]:
    """What `start` is to say of them, and what `status` shows for as long as it is so."""
    return {
        "problems": [finding.headline() for finding in findings],
        "errors": [finding.headline() for finding in findings if finding.is_error],
    }


def fingerprint(documents: Documents) -> str:
    """Of the outcome: an edit that changes nothing for any service makes no new revision."""
    digest = hashlib.sha256()
    for role, document in sorted(documents.items()):
        lasting = {key: value for key, value in sorted(document.items()) if key not in _PASSING}
        digest.update(role.encode() + b"\0" + revisions.encode(lasting))
    return digest.hexdigest()
