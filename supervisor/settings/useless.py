"""What a person wrote that changes nothing, or harms: said, because whoever wrote it counts on it."""

from __future__ import annotations

from pydantic.alias_generators import to_camel

from supervisor.model.launch import NONE
from supervisor.model.service import Policy, Restart
from supervisor.settings.findings import Level, Path
from supervisor.settings.limit_keys import CgroupKeys, KernelLimits
from supervisor.settings.shape import given
from supervisor.settings.written import Written

# A key that says more about others, and those others: one of them must be there.
_BELONG_TO = {
    "memory_seconds": ("memory_mb",),
    "cpu_seconds": ("cpu_percent",),
    "max_age_spread_percent": ("max_age_hours",),
    "on_exceed": ("memory_mb", "cpu_percent"),
}
_WATCHED = {*_BELONG_TO, *(key for keys in _BELONG_TO.values() for key in keys)}
_TOLD_CHECKS = ("log", "notify")
_OF_ASKING = ("interval_seconds", "timeout_seconds", "successes", "grace_seconds")
# By default these are ignored, or only halt or continue the process (signal(7)).
_ENDS_NOTHING = frozenset({"CHLD", "CLD", "CONT", "URG", "WINCH", "STOP", "TSTP", "TTIN", "TTOU"})


def report_useless(written: Written, policy: Policy) -> None:
    """`policy`: what these keys have become, together with the defaults of all."""
    _limits(written)
    _stop(written)
    _waiting(written)
    _readiness(written)
    keys = written.keys
    if keys.log and keys.log.sink == NONE and keys.log.stderr == "separate":
        remedy = 'remove it, or set "sink" to file or syslog'
        _report(written, ("log", "stderr"), "there is no output to keep apart: sink is none", remedy, level="error")
    if keys.critical and policy.retry_failed:
        message = "there is no try after retryFailedMinutes: everything stops as soon as it has failed"
        _warn(written, ("critical",), message, "retryFailedMinutes: 0, or without critical")
    if keys.no_restart_codes and policy.restart is Restart.NEVER:
        _warn(written, ("noRestartCodes",), "it is never restarted, after whatever exit code", "remove it")


def _limits(written: Written) -> None:
    limits = written.keys.limits
    if limits is None:
        return
    for key, others in _BELONG_TO.items():
        if getattr(limits, key) is not None and all(getattr(limits, other) is None for other in others):
            wanted = " or ".join(map(to_camel, others))
            _warn(written, ("limits", to_camel(key)), f"without {wanted} it limits nothing", f"add {wanted}")
    for name, message, remedy in useless_kernel_limits(limits):
        _warn(written, ("limits", name), message, remedy)


def useless_kernel_limits(limits: KernelLimits) -> list[tuple[str, str, str]]:
    """Key, message and remedy."""
    found = []
    if limits.cgroup is not None and not given(limits.cgroup):
        wanted = ", ".join(map(to_camel, CgroupKeys.model_fields))
        found.append(("cgroup", "there is no limit in it", f"add one of {wanted}, or remove it"))
    if limits.if_refused is not None and not _is_set_before_start(limits):
        remedy = "add one of openFiles to cgroup, or remove it"
        found.append(("ifRefused", "there is no limit that could be refused", remedy))
    return found


def _is_set_before_start(limits: KernelLimits) -> bool:
    others = {key: value for key, value in given(limits).items() if key not in _WATCHED and key != "if_refused"}
    return any(value is not None and (key != "cgroup" or given(value)) for key, value in others.items())


def _stop(written: Written) -> None:
    stop = written.keys.stop
    if stop is None:
        return
    if stop.command_seconds is not None and stop.command is None:
        _warn(written, ("stop", "commandSeconds"), "there is no command that it could limit", 'add "command"')
    names = [each.signal for each in stop.signals] if stop.signals else [stop.signal] if stop.signal else []
    if names and all(name.upper().removeprefix("SIG") in _ENDS_NOTHING for name in names):
        _warn(
            written,
            ("stop", "signals") if stop.signals else ("stop", "signal"),
            f"{names[-1]} ends no program that does not catch it: each stop may end with SIGKILL after the grace",
            "take TERM, INT or QUIT, unless the program says that it ends by this one",
        )


def _waiting(written: Written) -> None:
    keys = written.keys
    wait_for = keys.wait_for
    if wait_for is None:
        return
    is_waited_for = wait_for.files or wait_for.ports_free or wait_for.free_disk_mb or keys.requires
    if wait_for.timeout_seconds is not None and not is_waited_for:
        message = "there is nothing that is waited for"
        _warn(written, ("waitFor", "timeoutSeconds"), message, "add files, portsFree or freeDiskMb here, or requires")
    if wait_for.ports_free and len(written.services) > 1:
        first, second = written.services[:2]
        _report(
            written,
            ("waitFor", "portsFree"),
            f"all instances wait for the same port: when {first} listens there, {second} waits for ever",
            'remove it, or "instances"; each instance can look for its own port in "before", by $SB_INSTANCE',
            level="error",
        )


def _readiness(written: Written) -> None:
    keys = written.keys
    if keys.ready is None:
        if keys.start_timeout_seconds is not None:
            message = "it counts only until a server is ready, and this one says nothing of that"
            _warn(written, ("startTimeoutSeconds",), message, 'add "ready", or remove it')
        return
    kind = next((name for name in _TOLD_CHECKS if getattr(keys.ready, name) is not None), None)
    for key in _OF_ASKING if kind else ():
        if getattr(keys.ready, key) is not None:
            message = f"a {kind} check asks nothing: it is told"
            _warn(written, ("ready", to_camel(key)), message, "remove it; startTimeoutSeconds limits the wait")


def _warn(written: Written, path: Path, message: str, remedy: str) -> None:
    _report(written, path, message, remedy, level="warning")


def _report(written: Written, path: Path, message: str, remedy: str, *, level: Level) -> None:
    written.report(path, message, remedy, level=level, at_key=True)
