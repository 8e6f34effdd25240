"""What the keys of a server become in the record that the daemons read."""

from __future__ import annotations

import grp
import json
import os
from typing import Any

import pytest
from unit.settings.settings_files import SettingsFiles

from supervisor.model.check import Check
from supervisor.model.limits import UNLIMITED
from supervisor.model.order import Condition
from supervisor.model.service import Restart, Spec
from supervisor.settings import api

CWD = "{home}/plugins/web"

# A check as written, and what of it differs from a check with the defaults of its place.
READY: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"http": ":8080/healthz"},
        {"kind": "http", "shown": "http 127.0.0.1:8080/healthz", "host": "127.0.0.1", "port": 8080, "path": "/healthz"},
    ),
    (
        {"http": "http://localhost:8080"},
        {"kind": "http", "shown": "http 127.0.0.1:8080/", "host": "127.0.0.1", "port": 8080},
    ),
    (
        {"http": "http://[::1]/a?b=c#d"},
        {"kind": "http", "shown": "http [::1]:80/a?…", "host": "::1", "port": 80, "path": "/a?b=c"},
    ),
    (
        {"http": "127.0.0.2:81/x", "statuses": 204},
        {
            "kind": "http",
            "shown": "http 127.0.0.2:81/x",
            "host": "127.0.0.2",
            "port": 81,
            "path": "/x",
            "statuses": [204, 204],
        },
    ),
    (
        {"http": "unix:/run/web.sock:/healthz", "statuses": "200-204"},
        {
            "kind": "http",
            "shown": "http unix:/run/web.sock/healthz",
            "socket": "/run/web.sock",
            "path": "/healthz",
            "statuses": [200, 204],
        },
    ),
    ({"http": "unix:web.sock"}, {"kind": "http", "shown": f"http unix:{CWD}/web.sock/", "socket": f"{CWD}/web.sock"}),
    (
        {"http": "https://localhost/x", "timeoutSeconds": 2},
        {
            "kind": "exec",
            "shown": "https://127.0.0.1:443/x",
            "path": "/x",
            "timeout": 2,
            "argv": ["role:probe", "https://127.0.0.1:443/x", "--timeout", "1.8", "--statuses", "200-399"],
        },
    ),
    (
        {"http": "http://example.org/x"},
        {
            "kind": "exec",
            "shown": "http://example.org:80/x",
            "path": "/x",
            "argv": ["role:probe", "http://example.org:80/x", "--timeout", "0.9", "--statuses", "200-399"],
        },
    ),
    ({"tcp": 5432}, {"kind": "tcp", "shown": "tcp 127.0.0.1:5432", "host": "127.0.0.1", "port": 5432}),
    ({"tcp": "[::1]:5432"}, {"kind": "tcp", "shown": "tcp [::1]:5432", "host": "::1", "port": 5432}),
    ({"tcp": "unix:/run/db"}, {"kind": "tcp", "shown": "tcp unix:/run/db", "socket": "/run/db"}),
    (
        {"tcp": "db.example.org:5432"},
        {
            "kind": "exec",
            "shown": "tcp://db.example.org:5432",
            "argv": ["role:probe", "tcp://db.example.org:5432", "--timeout", "0.9", "--statuses", "200-399"],
        },
    ),
    ({"exec": "/bin/sh -c true"}, {"kind": "exec", "shown": "exec /bin/sh -c true", "argv": ["/bin/sh", "-c", "true"]}),
    (
        {"exec": "test -e $X"},
        {"kind": "exec", "shown": "exec test -e $X", "argv": ["/bin/sh", "-c", "test -e $X"]},
    ),
    ({"log": "is (really) up"}, {"kind": "log", "shown": 'log "is (really) up"', "text": "is (really) up"}),
    ({"notify": True}, {"kind": "notify", "shown": "notify"}),
    (
        {"tcp": 1, "intervalSeconds": 3, "timeoutSeconds": 4, "successes": 5, "graceSeconds": 6},
        {
            "kind": "tcp",
            "shown": "tcp 127.0.0.1:1",
            "host": "127.0.0.1",
            "port": 1,
            "interval": 3,
            "timeout": 4,
            "successes": 5,
            "grace": 6,
        },
    ),
]


def filled(files: SettingsFiles, value: Any) -> Any:
    return json.loads(json.dumps(value).replace("{home}", str(files.path)))


@pytest.mark.parametrize(("written", "expected"), READY)
def test_ready(files: SettingsFiles, written: dict[str, Any], expected: dict[str, Any]) -> None:
    files.server(server={"ready": written})

    spec = files.spec()

    assert spec.ready is not None
    default = Check(kind="", shown="", interval=0.5, timeout=1.0).as_dict()
    assert spec.ready.as_dict() == {**default, **filled(files, expected)}
    assert spec.policy.wait_ready
    assert spec.launch.notify is ("notify" in written)


def test_alive(files: SettingsFiles) -> None:
    files.server(server={"alive": {"tcp": 1}})
    spec = files.spec()
    assert spec.alive is not None
    default = Check(kind="tcp", shown="tcp 127.0.0.1:1", host="127.0.0.1", port=1, interval=10.0, timeout=5.0)
    assert spec.alive.as_dict() == default.as_dict()
    assert not spec.policy.wait_ready

    files.scheduler({"servers": {"web": {"alive": {"failures": 9, "onFailure": "degrade"}}}})
    alive = files.spec().alive
    assert alive is not None
    assert (alive.kind, alive.failures, alive.action) == ("tcp", 9, "degrade")


def test_another_kind_of_check_replaces_the_first(files: SettingsFiles) -> None:
    files.server(server={"ready": {"http": ":1/", "intervalSeconds": 3}})
    files.scheduler({"servers": {"web": {"ready": {"tcp": 2}}}})
    ready = files.spec().ready
    assert ready is not None
    assert (ready.kind, ready.port, ready.interval) == ("tcp", 2, 3)


def test_the_watchdog(files: SettingsFiles) -> None:
    files.server(server={"watchdogSeconds": 2.5})
    spec = files.spec()
    assert (spec.watchdog, spec.launch.notify, spec.launch.env["WATCHDOG_USEC"]) == (2.5, True, "2500000")


def test_order(files: SettingsFiles) -> None:
    files.server("db", server={"instances": 2})
    files.server("migrate", server={"restart": "on-failure"})
    files.server("cache")
    requires = ["db", {"name": "migrate", "condition": "finished", "restart": True}]
    files.server("web", server={"requires": requires, "after": ["cache", "db:2"]})

    order = files.spec().order

    assert [(need.name, need.condition, need.restart) for need in order.requires] == [
        ("db:1", Condition.READY, False),
        ("db:2", Condition.READY, False),
        ("migrate", Condition.FINISHED, True),
    ]
    assert order.after == ("cache", "db:2")
    assert files.spec().policy.gated
    assert not files.spec("cache").policy.gated


def test_what_else_must_be_so(files: SettingsFiles) -> None:
    asked = {"files": ["ready", "/etc/x"], "portsFree": [80, 80], "freeDiskMb": 0.5, "timeoutSeconds": 9}
    files.server(server={"waitFor": asked})

    spec, cwd = files.spec(), f"{files.path}/plugins/web"

    assert spec.order.files == (f"{cwd}/ready", "/etc/x")
    assert (spec.order.ports, spec.order.free_bytes, spec.order.free_path) == ((80,), 512 << 10, cwd)
    assert (spec.policy.gated, spec.policy.wait_timeout) == (True, 9.0)


def test_commands_and_their_time(files: SettingsFiles) -> None:
    keys = {
        "before": {"command": "/bin/sh a.sh", "timeoutSeconds": 3},
        "afterEnd": ["/bin/sh", "b.sh"],
        "stop": {"command": "/bin/echo $X"},
        "reload": {"command": "/bin/true"},
    }
    files.server(server=keys)

    spec = files.spec()

    assert spec.commands == {
        "before": ("/bin/sh", "a.sh"),
        "afterEnd": ("/bin/sh", "b.sh"),
        "stop": ("/bin/sh", "-c", "/bin/echo $X"),
        "reload": ("/bin/true",),
    }
    assert (spec.policy.before, spec.policy.after_end, spec.policy.stop_command) == (3.0, 60.0, 10.0)

    entry = {"before": "/bin/true", "stop": {"commandSeconds": 4}, "reload": {"signal": "HUP"}}
    files.scheduler({"servers": {"web": entry}})
    spec = files.spec()
    assert (spec.commands["before"], spec.policy.before, spec.policy.stop_command) == (("/bin/true",), 3.0, 4.0)
    assert ("reload" in spec.commands, spec.reload_signal) == (False, 1)


STOPS: list[tuple[dict[str, Any], dict[str, Any], tuple[Any, ...]]] = [
    ({}, {}, ((), 15, 10.0)),
    ({"signals": [{"signal": "INT", "seconds": 2}, {"signal": "QUIT"}]}, {}, (((2, 2.0),), 3, 10.0)),
    ({"signals": [{"signal": "INT", "seconds": 2}, {"signal": "QUIT", "seconds": 4}]}, {}, (((2, 2.0),), 3, 4.0)),
    ({"signals": [{"signal": "INT", "seconds": 2}, {"signal": "QUIT"}]}, {"signal": "HUP"}, ((), 1, 10.0)),
    ({"signal": "HUP", "graceSeconds": 3}, {"signals": [{"signal": "INT"}]}, ((), 2, 3.0)),
    ({"signals": [{"signal": "INT", "seconds": 2}]}, {"graceSeconds": 5}, ((), 2, 5.0)),
]


@pytest.mark.parametrize(("manifest", "entry", "expected"), STOPS)
def test_signals_in_turn(
    files: SettingsFiles, manifest: dict[str, Any], entry: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    files.server(server={"stop": manifest})
    files.scheduler({"servers": {"web": {"stop": entry}}})
    policy = files.spec().policy
    assert (policy.stop_first, policy.stop_signal, policy.grace) == expected


def test_the_scheduler_outwaits_the_longest_chain(files: SettingsFiles) -> None:
    files.server("db", server={"graceSeconds": 20, "afterEnd": {"command": "/bin/true", "timeoutSeconds": 5}})
    files.server("web", server={"requires": ["db"], "stop": {"command": "/bin/true", "commandSeconds": 7}})
    files.server("apart", server={"graceSeconds": 30})
    assert files.spec("scheduler").policy.grace == 20 + 5 + 7 + 10 + 2


def test_limits_of_the_kernel(files: SettingsFiles) -> None:
    limits: dict[str, Any] = {
        "openFiles": 1024, "processes": "unlimited", "coreMb": 0, "fileMb": 0.5, "cpuTimeSeconds": 60,
        "lockedMemoryMb": 1, "addressSpaceMb": 2, "stackMb": 3, "nice": 5, "ionice": "best-effort:4", "umask": "027",
        "oomScore": 500, "ifRefused": "start", "cgroup": {"memoryMb": 64, "cpuPercent": 50, "processes": 20},
    }  # fmt: skip
    files.server(server={"limits": {**limits, "nice": 1}})
    files.scheduler({"servers": {"web": {"limits": {"nice": 5}}}})

    found = files.spec().launch.limits

    assert found.rlimits == {
        "nofile": (1024, 1024),
        "nproc": (UNLIMITED, UNLIMITED),
        "core": (0, 0),
        "fsize": (512 << 10, 512 << 10),
        "memlock": (1 << 20, 1 << 20),
        "as": (2 << 20, 2 << 20),
        "stack": (3 << 20, 3 << 20),
        "cpu": (60, 60),
    }
    assert (found.nice, found.ionice, found.umask, found.oom_score) == (5, "best-effort:4", 0o027, 500)
    assert found.cgroup == {"memory_max": 64 << 20, "cpu_percent": 50, "pids_max": 20}
    assert found.if_refused == "start"


def test_limits_that_are_watched(files: SettingsFiles) -> None:
    limits: dict[str, Any] = {"memoryMb": 64, "cpuPercent": 80, "cpuSeconds": 9, "maxAgeHours": 2, "onExceed": "warn"}
    files.server(server={"limits": {**limits, "maxAgeSpreadPercent": 0}})

    found = files.spec().limits

    assert (found.memory, found.memory_for, found.cpu, found.cpu_for) == (64 << 20, 30.0, 80.0, 9.0)
    assert (found.max_age, found.max_age_spread, found.action) == (7200.0, 0.0, "warn")
    assert not files.spec().launch.limits


def test_instances(files: SettingsFiles) -> None:
    files.server(server={"instances": 2, "log": {"stderr": "separate"}, "autoStart": True})

    one, two, logs = files.spec("web:1"), files.spec("web:2"), f"{files.path}/logs/web"

    assert (one.plugin, one.instance, two.instance, two.auto_start) == ("web", 1, 2, True)
    assert (two.launch.log, two.launch.err_log) == (f"{logs}/server-2.log", f"{logs}/server-2.err.log")
    assert two.pid_file == f"{logs}/server-2.pid"
    assert (one.launch.env["SB_INSTANCE"], two.launch.env["SB_INSTANCE"]) == ("1", "2")

    files.scheduler({"servers": {"web": {"instances": 1}}})
    assert (files.spec().instance, "SB_INSTANCE" in files.spec().launch.env) == (0, False)


def test_which_ends_are_no_failure(files: SettingsFiles) -> None:
    files.server(server={"exitCodes": [3, "SIGTERM", 0, "int"], "noRestartCodes": [9, 8, 9], "restart": "on-failure"})
    policy = files.spec().policy
    assert (policy.exit_codes, policy.exit_signals, policy.no_restart_codes) == ((0, 3), (2, 15), (8, 9))
    assert policy.restart is Restart.ON_FAILURE


def test_more_about_trying_again(files: SettingsFiles) -> None:
    files.settings("supervision: {jitterPercent: 10, retryFailedMinutes: 30, maxStarting: 3, startTimeoutSeconds: 5}")
    files.server("a")
    files.server("b", server={"jitterPercent": 20, "retryFailedMinutes": 0, "startTimeoutSeconds": 7})
    a, b = files.spec("a").policy, files.spec("b").policy
    assert (a.jitter, a.retry_failed, a.start_timeout, a.gated) == (0.1, 1800.0, 5.0, True)
    assert (b.jitter, b.retry_failed, b.start_timeout) == (0.2, 0.0, 7.0)
    assert files.document("scheduler")["max_starting"] == 3


@pytest.mark.parametrize(
    ("keys", "expected"), [({}, True), ({"external": "wait"}, True), ({"external": "ignore"}, False)]
)
def test_a_program_outside(files: SettingsFiles, keys: dict[str, Any], expected: bool) -> None:
    files.server(server=keys)
    assert files.spec().policy.look_outside is expected


def test_logs(files: SettingsFiles) -> None:
    files.settings("logs: {maxMb: 2, maxAgeHours: 1, budgetMb: 8, gzip: false, keepDays: 2, totalBudgetMb: 100}")
    files.server("a")
    files.server("b", server={"log": {"maxMb": 3, "sink": "syslog", "maxAgeHours": 0, "keep": 1, "budgetMb": 9}})
    files.server("c", server={"log": "none"})

    a, b = files.spec("a").launch, files.spec("b").launch

    assert (a.sink, a.err_log, a.log_max, a.log_keep, a.log_age, a.log_budget) == (
        "file",
        "",
        2 << 20,
        5,
        3600,
        8 << 20,
    )
    assert (b.sink, b.log_max, b.log_keep, b.log_age, b.log_budget) == ("syslog", 3 << 20, 1, 0, 9 << 20)
    assert files.spec("c").launch.sink == "none"
    logs = files.document("scheduler")["logs"]
    assert logs == {"gzip": False, "total_budget": 100 << 20, "keep_age": 2 * 86400}


def test_groups_beside_those_of_the_account(files: SettingsFiles) -> None:
    root = grp.getgrgid(0)
    for written in ("0", 0, root.gr_name):
        files.server(user="nobody", groups=[written])
        user = files.spec().launch.user
        assert user is not None
        assert {0, user.gid} <= set(user.groups)


def test_core_services_are_watched(files: SettingsFiles) -> None:
    files.settings("tunnel: {enabled: true, command: /bin/true}")
    scheduler, config, tunnel = (files.spec(name) for name in ("scheduler", "config", "tunnel"))
    assert (scheduler.watchdog, config.watchdog, tunnel.watchdog) == (90.0, 0.0, 90.0)
    assert config.alive is not None
    assert (config.alive.shown, config.alive.interval) == ("http 127.0.0.1:3456/healthz", 30.0)
    assert (config.alive.failures, config.alive.port) == (3, 3456)

    files.settings(
        "supervision: {reconcileSeconds: 60}\nconfig: {port: auto, host: '::1'}\n"
        "core: {scheduler: {watchdogSeconds: 100}, config: {alive: {failures: 9}}}"
    )
    config = files.spec("config")
    assert files.spec("scheduler").watchdog == 180.0  # its signs of life come once a minute
    assert config.alive is not None
    assert (config.alive.host, config.alive.port, config.alive.failures) == ("::1", 0, 9)
    assert files.document()["port"] == 0
    assert "config server on a free port of ::1" in files.document()["summary"]

    files.settings("core: {scheduler: {watchdogSeconds: 0}, config: {alive: false}}")
    assert (files.spec("scheduler").watchdog, files.spec("config").alive) == (0.0, None)


def test_a_record_comes_back_as_it_was(files: SettingsFiles) -> None:
    files.server("db")
    keys: dict[str, Any] = {
        "ready": {"notify": True}, "alive": {"exec": "/bin/true"}, "requires": ["db"], "limits": {"nice": 1},
        "before": "/bin/true", "stop": {"signals": [{"signal": "INT", "seconds": 1}, {"signal": "TERM"}]},
    }  # fmt: skip
    files.server(server=keys)
    spec = files.spec()
    assert Spec.from_dict(json.loads(json.dumps(spec.as_dict()))).as_dict() == spec.as_dict()


def test_every_default_is_shown_as_people_write_it(files: SettingsFiles) -> None:
    files.settings("config: {port: auto}\ncore: {config: {alive: false}}")
    files.server(server={"requires": ["web2"], "before": "x", "log": "none"})

    shown = api.show(files.home)

    assert shown["sbctl"]["config"]["port"] == "auto"
    assert shown["sbctl"]["core"]["config"]["alive"]["enabled"] is False
    server = shown["plugins"]["web"]["server"]
    assert server["requires"] == [{"name": "web2", "condition": "ready", "restart": False}]
    assert (server["before"], server["log"]) == ({"command": "x", "timeoutSeconds": 60.0}, {"sink": "none"})


def test_an_own_variable_can_not_be_set(files: SettingsFiles) -> None:
    files.server(env={"SB_INSTANCE": "1"})
    assert [each.message for each in files.check()] == ["SB_INSTANCE is set by sbctl"]
    assert os.path.exists(files.home.plugins)
