"""The services of sbctl itself as records, and the program that makes the tunnel."""

from __future__ import annotations

import os

from supervisor.model.home import Home
from supervisor.model.service import Launch, Spec
from supervisor.settings import commands
from supervisor.settings.policies import policy
from supervisor.settings.schema import SbctlFile
from supervisor.settings.secrets import SECRETS

GRACE_ABOVE_S = 2.0  # a parent waits this much longer than the slowest below it

_NEEDED_SECRETS = {"config": ("DASHBOARD_KEY",)}
_WORDS = {"scheduler": "plugin servers", "config": "REST", "tunnel": "the way in from outside"}


def core_specs(home: Home, settings: SbctlFile, plugins: list[Spec], provider: Spec | None) -> list[Spec]:
    """scheduler, config, tunnel: in the order of the start; the scheduler outwaits the slowest server."""
    slowest = max((spec.policy.grace for spec in plugins), default=0.0)
    specs = [_core(home, settings, "scheduler", slowest)]
    if settings.config.enabled:
        specs.append(_core(home, settings, "config", None))
    if provider is not None:
        specs.append(_core(home, settings, "tunnel", provider.policy.grace))
    return specs


def _core(home: Home, settings: SbctlFile, role: str, below: float | None) -> Spec:
    its = policy(settings.supervision, getattr(settings.core, role), wait_ready=True)
    if below is not None:
        its.grace = max(its.grace, below + GRACE_ABOVE_S)
    launch = Launch(
        argv=(f"role:{role}",),  # `start` puts its own interpreter here
        cwd=home.path,
        drop_env=tuple(secret for secret in SECRETS if secret not in _NEEDED_SECRETS.get(role, ())),
        log=home.out_file(role),
        log_max=settings.logs.max_bytes,
        log_keep=settings.logs.keep,
    )
    return Spec(name=role, kind="core", launch=launch, policy=its, description=_WORDS[role])


def provider_spec(home: Home, settings: SbctlFile) -> Spec | None:
    """The program that makes the tunnel, which the service `tunnel` keeps running."""
    if not settings.tunnel.enabled or settings.tunnel.command is None:
        return None
    launch = Launch(
        argv=commands.words(settings.tunnel.command),
        cwd=home.path,
        drop_env=SECRETS,
        log=os.path.join(home.plugin_logs("tunnel"), "provider.log"),
        log_max=settings.logs.max_bytes,
        log_keep=settings.logs.keep,
    )
    its = policy(settings.supervision, settings.core.tunnel)
    return Spec(name="provider", kind="provider", launch=launch, policy=its, description="makes the tunnel")
