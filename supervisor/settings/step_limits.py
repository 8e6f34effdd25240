"""The limits and the account of a command: its own, else those of its plugin."""

from __future__ import annotations

from supervisor.model.home import Home
from supervisor.model.launch import Launch
from supervisor.model.limits import UNLIMITED, KernelLimits
from supervisor.settings.accounts import find_account
from supervisor.settings.findings import Path
from supervisor.settings.launches import warn_of_user
from supervisor.settings.limits import FOR_ROOT, for_root_only, kernel_limits
from supervisor.settings.load import Plugin
from supervisor.settings.shape import merged
from supervisor.settings.step_keys import StepKeys, StepLimits
from supervisor.settings.useless import useless_kernel_limits

HEED_S = 1  # from SIGXCPU to SIGKILL


def limits_of(plugin: Plugin, keys: StepKeys) -> KernelLimits:
    """With equal limits of processor time it would be a SIGKILL at once, which does not say what it is for."""
    limits = kernel_limits(merged(plugin.manifest.limits or StepLimits(), keys.limits))
    seconds = limits.rlimits.get("cpu", (UNLIMITED, UNLIMITED))[0]
    if seconds != UNLIMITED:
        limits.rlimits["cpu"] = (seconds, seconds + HEED_S)
    return limits


def set_account(launch: Launch, home: Home, name: str, plugin: Plugin, step: str) -> None:
    """An account of its own has a folder of its own too: each start gives that to whom it is for."""
    keys, manifest = plugin.manifest.commands.steps[step], plugin.manifest
    user = manifest.user if keys.user is None else keys.user
    if user is None:
        if keys.groups:
            message = "groups belong to an account, and none is given"
            plugin.document.report(("commands", step, "groups"), message, 'add "user"', at_key=True)
        return
    if keys.user is None and keys.groups is None:
        return
    its = launch.user
    launch.user = find_account(user, keys.groups if keys.groups is not None or keys.user is not None else [])
    if its is None or its.uid != launch.user.uid:
        launch.env["SB_LOG_DIR"] = home.own_logs(name, launch.user.name)
    if keys.user is not None:
        warn_of_user(plugin, launch, ("commands", step, "user"))


def check_limits(plugin: Plugin) -> None:
    """What changes nothing, or will be refused: said once for the plugin, and for each command that has its own."""
    manifest, steps = plugin.manifest, plugin.manifest.commands.steps
    if manifest.limits is not None and not steps:
        message = "it has no command that they could hold for"
        remedy = "limits of the server stand in server.limits" if manifest.commands.server else "remove it"
        plugin.document.report(("limits",), message, remedy, level="warning", at_key=True)
        return
    _check(plugin, manifest.limits, ("limits",))
    for step, keys in steps.items():
        _check(plugin, keys.limits, ("commands", step, "limits"))


def _check(plugin: Plugin, limits: StepLimits | None, path: Path) -> None:
    if limits is None:
        return
    for name, message in for_root_only(limits, "command"):
        plugin.document.report((*path, name), message, FOR_ROOT, level="warning")
    for name, message, remedy in useless_kernel_limits(limits):
        plugin.document.report((*path, name), message, remedy, level="warning", at_key=True)
