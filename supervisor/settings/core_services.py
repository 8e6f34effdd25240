"""The services of sbctl itself as records, and the program that makes the tunnel."""

from __future__ import annotations

import hashlib

from supervisor.core.order import longest_stop
from supervisor.model.home import Home
from supervisor.model.service import PROVIDER_NAME, Launch, Spec
from supervisor.settings import commands
from supervisor.settings.checks import config_check
from supervisor.settings.policies import policy
from supervisor.settings.policy_keys import WatchedPolicy
from supervisor.settings.schema import SbctlFile
from supervisor.settings.secrets import SECRETS
from supervisor.settings.servers import set_logs

# config and tunnel read their settings when they start: a change of these must show as a change of the service.
SETTINGS = "SB_SETTINGS"

SIGNS_MISSED = 3
GRACE_ABOVE_S = 2.0  # a parent waits this much longer than the slowest below it

_NEEDED_SECRETS = {"config": ("DASHBOARD_KEY",)}
_WORDS = {"scheduler": "plugin servers", "config": "REST", "tunnel": "the way in from outside"}


def core_specs(home: Home, settings: SbctlFile, plugins: list[Spec], provider: Spec | None) -> list[Spec]:
    """scheduler, config, tunnel: in the order of the start; the scheduler outwaits the slowest server."""
    specs = [_core(home, settings, "scheduler", below=longest_stop(plugins))]
    if settings.config.enabled:
        its = settings.config
        config = _core(home, settings, "config", env={SETTINGS: f"{its.host}:{its.port}"})
        config.alive = config_check(settings.core.config.alive, its.host, its.port)
        specs.append(config)
    if provider is not None:
        mark = hashlib.sha256(repr(provider.as_dict()).encode("utf-8", "surrogateescape")).hexdigest()[:16]
        specs.append(_core(home, settings, "tunnel", below=longest_stop([provider]), env={SETTINGS: mark}))
    return specs


def _core(
    home: Home, settings: SbctlFile, role: str, *, below: float | None = None, env: dict[str, str] | None = None
) -> Spec:
    its = policy(settings.supervision, getattr(settings.core, role), wait_ready=True)
    if below is not None:
        its.grace = max(its.grace, below + GRACE_ABOVE_S)
    launch = Launch(
        argv=(f"role:{role}",),  # `start` puts its own interpreter here
        cwd=home.path,
        env=env,
        drop_env=tuple(secret for secret in SECRETS if secret not in _NEEDED_SECRETS.get(role, ())),
        log=home.out_file(role),
    )
    set_logs(launch, settings.logs)
    spec = Spec(name=role, kind="core", launch=launch, policy=its, description=_WORDS[role])
    spec.watchdog = _watchdog(settings, role)
    spec.critical = bool(getattr(settings.core, role).critical)
    return spec


def _watchdog(settings: SbctlFile, role: str) -> float:
    """Its signs of life come with each reconciliation: less than three of those would end it for nothing."""
    keys = getattr(settings.core, role)
    if not isinstance(keys, WatchedPolicy) or not keys.watchdog_seconds:
        return 0.0
    return max(keys.watchdog_seconds, SIGNS_MISSED * settings.supervision.reconcile_seconds)


def provider_spec(home: Home, settings: SbctlFile) -> Spec | None:
    """The program that makes the tunnel, which the service `tunnel` keeps running."""
    if not settings.tunnel.enabled or settings.tunnel.command is None:
        return None
    launch = Launch(
        argv=commands.server_words(settings.tunnel.command),
        cwd=home.path,
        drop_env=SECRETS,
        log=home.provider_log,
    )
    set_logs(launch, settings.logs)
    its = policy(settings.supervision, settings.core.tunnel)
    return Spec(name=PROVIDER_NAME, kind="provider", launch=launch, policy=its, description="makes the tunnel")
