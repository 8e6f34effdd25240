"""What the daemons get to read: defaults filled in, precedence applied, references left alone."""

from __future__ import annotations

import os
import pwd
import re
from pathlib import Path
from typing import Any

import pytest
from unit.settings.settings_files import SettingsFiles

from supervisor.model.service import Policy, Restart

# The sample that the product's documents promise to work as it stands.
SAMPLE = """\
{
  "activeHours": { "start": 7, "end": 23 },
  "servers": {
    "chrome-history": { "autoStart": true, "restartOnCrash": true },
    "whatsapp":       { "autoStart": true, "restartOnCrash": false }
  },
  "tasks": [
    {
      "plugins": ["twitter", "instagram"],
      "commands": ["get", "process", "push"],
      "intervalHours": 6,
      "jitterMinutes": 30
    }
  ]
}
"""
SAMPLE_MANIFEST = """\
{
  "id": "chrome-history",
  "commands": {
    "server": "ts-node src/plugins/chrome-history/server.ts",
    "push": "ts-node src/plugins/chrome-history/push.ts"
  },
  "scheduler": {
    "mode": "interval",
    "defaultIntervalHours": 24,
    "cmd": ["push"]
  }
}
"""


def test_the_sample_of_the_documents(files: SettingsFiles) -> None:
    files.scheduler(SAMPLE)
    files.manifest("chrome-history", SAMPLE_MANIFEST)
    files.server("whatsapp")

    assert [finding.headline() for finding in files.check() if finding.is_error] == []
    chrome, whatsapp = files.spec("chrome-history"), files.spec("whatsapp")
    assert chrome.launch.argv == ("ts-node", "src/plugins/chrome-history/server.ts")
    assert (chrome.auto_start, chrome.policy.restart) == (True, Restart.ALWAYS)
    assert (whatsapp.auto_start, whatsapp.policy.restart) == (True, Restart.NEVER)


def test_the_defaults_are_those_of_the_model(files: SettingsFiles) -> None:
    files.server()

    assert files.spec().policy.as_dict() == Policy(look_outside=True).as_dict()
    assert files.spec().auto_start is False


PRECEDENCE: list[tuple[dict[str, Any], dict[str, Any], str, Any]] = [
    ({}, {}, "auto_start", False),
    ({"autoStart": True}, {}, "auto_start", True),
    ({"autoStart": True}, {"autoStart": False}, "auto_start", False),
    ({}, {"autoStart": True}, "auto_start", True),
    ({"restart": "never"}, {}, "restart", Restart.NEVER),
    ({"restart": "never"}, {"restart": "on-failure"}, "restart", Restart.ON_FAILURE),
    ({"restart": "never"}, {"restartOnCrash": True}, "restart", Restart.ALWAYS),
    ({"restart": "on-failure"}, {"restartOnCrash": False}, "restart", Restart.NEVER),
    ({"restart": "on-failure"}, {"autoStart": True}, "restart", Restart.ON_FAILURE),
    ({"exitCodes": [3, 0, 3]}, {}, "exit_codes", (0, 3)),
    ({"exitCodes": []}, {}, "exit_codes", ()),
    ({"fastCrashSeconds": 1}, {"fastCrashSeconds": 0.5}, "fast_crash", 0.5),
    ({}, {}, "grace", 7.0),
    ({"graceSeconds": 3}, {}, "grace", 3.0),
    ({"graceSeconds": 3, "stop": {"graceSeconds": 4}}, {}, "grace", 4.0),
    ({"stop": {"graceSeconds": 4}}, {"graceSeconds": 5}, "grace", 5.0),
    ({"stop": {"signal": "INT", "graceSeconds": 4}}, {"stop": {"graceSeconds": 5}}, "stop_signal", 2),
    ({"stop": {"signal": "SIGUSR1"}}, {}, "stop_signal", 10),
    ({"stop": {"signal": "hup"}}, {}, "stop_signal", 1),
    ({"windowMinutes": 0.5}, {}, "window", 30.0),
    ({"delaysSeconds": [0.1, 2]}, {}, "delays", (0.1, 2.0)),
    ({"giveUpAfter": 2, "windowDeaths": 9, "windowDelaySeconds": 8}, {}, "window_delay", 8.0),
]


@pytest.mark.parametrize(("manifest", "entry", "name", "expected"), PRECEDENCE)
def test_precedence(
    files: SettingsFiles, manifest: dict[str, Any], entry: dict[str, Any], name: str, expected: object
) -> None:
    files.settings("supervision: {graceSeconds: 7}")
    files.server(server=manifest)
    files.scheduler({"servers": {"web": entry}})

    spec = files.spec()

    assert (spec.auto_start if name == "auto_start" else getattr(spec.policy, name)) == expected


def test_where_a_server_runs_and_writes(files: SettingsFiles) -> None:
    files.settings("logs: {maxMb: 0.5, keep: 2}")
    files.server(description="words", envFile="conf/../.env")

    spec, home = files.spec(), str(files.path)

    assert spec.launch.cwd == f"{home}/plugins/web"
    assert spec.launch.log == f"{home}/logs/web/server.log"
    assert spec.launch.env_file == f"{home}/plugins/web/.env"
    assert spec.pid_file == f"{home}/logs/web/server.pid"
    assert (spec.launch.log_max, spec.launch.log_keep) == (512 << 10, 2)
    assert (spec.kind, spec.description) == ("plugin", "words")


@pytest.mark.parametrize(
    ("cwd", "expected"),
    [
        (".", "{home}/plugins/web"),
        ("home", "{home}"),
        ("./home", "{home}/plugins/web/home"),
        ("a/..", "{home}/plugins/web"),
    ],
)
def test_the_working_folder(files: SettingsFiles, cwd: str, expected: str) -> None:
    files.server(cwd=cwd)
    assert files.spec().launch.cwd == expected.format(home=files.path)


def test_an_absolute_working_folder(files: SettingsFiles) -> None:
    files.server(cwd="/tmp")
    assert files.spec().launch.cwd == "/tmp"


def test_the_environment_keeps_references(files: SettingsFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "canary-1")
    (files.path / "secret").write_text("canary-2")
    env = {
        "A": "env:GITHUB_TOKEN",
        "B": "file:../../secret",
        "C": "x ${GITHUB_TOKEN}",
        "D": "file:/etc/x",
        "PYTHONUNBUFFERED": "",
    }
    files.server(env=env, passEnv=["GITHUB_TOKEN"])

    launch = files.spec().launch

    assert launch.env == {
        "A": "env:GITHUB_TOKEN",
        "B": f"file:{files.path}/secret",
        "C": "x ${GITHUB_TOKEN}",
        "D": "file:/etc/x",
        "PYTHONUNBUFFERED": "",
        "SB_HOME": str(files.path),
        "SB_LOG_DIR": f"{files.path}/logs/web",
        "SB_PLUGIN": "web",
    }
    assert launch.drop_env == ("DASHBOARD_KEY", "DISCORD_WEBHOOK")
    assert "canary" not in str(files.document("scheduler"))


def test_a_venv_of_the_plugin_comes_first(files: SettingsFiles) -> None:
    files.manifest("web", {"id": "web", "commands": {"server": "own-python server.py"}})
    assert files.spec().launch.path_first == ""
    folder = files.path / "plugins" / "web" / ".venv" / "bin"
    folder.mkdir(parents=True)
    (folder / "own-python").write_text("#!/bin/sh\n")
    (folder / "own-python").chmod(0o755)

    assert files.spec().launch.path_first == str(folder)
    assert files.check() == []


def test_the_account_is_looked_up(files: SettingsFiles) -> None:
    nobody = pwd.getpwnam("nobody")
    for written in ("nobody", nobody.pw_uid, str(nobody.pw_uid)):
        files.server(user=written)

        user = files.spec().launch.user

        assert user is not None
        assert (user.name, user.uid, user.gid, user.home) == ("nobody", nobody.pw_uid, nobody.pw_gid, nobody.pw_dir)
        assert nobody.pw_gid in user.groups
        assert files.spec().launch.env["SB_LOG_DIR"] == f"{files.path}/logs/web/own"


def test_another_account_needs_root(files: SettingsFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    files.server(user="nobody")
    monkeypatch.setattr(os, "geteuid", lambda: 12345)

    assert [finding.message for finding in files.check()] == ["only root can start it as another account"]


def test_core_services(files: SettingsFiles) -> None:
    files.settings(
        "supervision: {graceSeconds: 3, giveUpAfter: 4}\ncore: {config: {giveUpAfter: 2, startTimeoutSeconds: 9}}\n"
    )

    scheduler, config = files.spec("scheduler"), files.spec("config")

    assert (scheduler.kind, scheduler.launch.argv, scheduler.launch.cwd) == (
        "core",
        ("role:scheduler",),
        str(files.path),
    )
    assert scheduler.launch.log == f"{files.path}/logs/scheduler.out"
    assert (scheduler.policy.give_up, scheduler.policy.wait_ready, scheduler.pid_file) == (4, True, "")
    assert (config.policy.give_up, config.policy.start_timeout, config.policy.grace) == (2, 9.0, 3.0)
    assert "DASHBOARD_KEY" not in config.launch.drop_env


def test_the_scheduler_outwaits_the_slowest_server(files: SettingsFiles) -> None:
    assert files.spec("scheduler").policy.grace == 10
    files.server(server={"stop": {"graceSeconds": 30}})
    assert files.spec("scheduler").policy.grace == 32


def test_the_config_server_can_be_left_out(files: SettingsFiles) -> None:
    files.settings("config: {enabled: false}")
    assert [service["name"] for service in files.document()["services"]] == ["scheduler"]


def test_the_tunnel_needs_a_command(files: SettingsFiles) -> None:
    files.settings("tunnel: {enabled: true, command: ssh -N -R 80:localhost:3456 example.org}")

    (provider,) = files.document("tunnel")["services"]

    assert [service["name"] for service in files.document()["services"]] == ["scheduler", "config", "tunnel"]
    assert provider["launch"]["argv"] == ["ssh", "-N", "-R", "80:localhost:3456", "example.org"]
    assert files.spec("tunnel").policy.grace == provider["policy"]["grace"] + 2


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ("config: {port: 4000}", "config: {port: 4001}", ["config"]),
        ("tunnel: {enabled: true, command: a}", "tunnel: {enabled: true, command: b}", ["tunnel"]),
        ("supervision: {tickSeconds: 1}", "supervision: {tickSeconds: 2}", []),
        ("logs: {dailyLinesPerSecond: 1}", "logs: {dailyLinesPerSecond: 2}", []),
    ],
)
def test_what_a_daemon_reads_only_at_its_start_changes_its_launch(
    files: SettingsFiles, before: str, after: str, changed: list[str]
) -> None:
    files.settings(before)
    old = {service["name"]: service["launch"] for service in files.document()["services"]}
    files.settings(after)
    new = {service["name"]: service["launch"] for service in files.document()["services"]}

    assert [name for name in old if old[name] != new[name]] == changed


def test_numbers_for_the_daemons(files: SettingsFiles) -> None:
    files.settings(
        "config: {port: 4000}\nlogs: {dailyLinesPerSecond: 50, dailyMbPerMinute: 0.5}\n"
        "supervision: {settleSeconds: 0.1, tickSeconds: 2, reconcileSeconds: 3}\ntimezone: Europe/Berlin\n"
    )

    start, scheduler = files.document("start"), files.document("scheduler")

    assert (start["host"], start["port"], start["settle"], start["tick"], start["reconcile"]) == (
        "127.0.0.1",
        4000,
        0.1,
        2,
        3,
    )
    assert (scheduler["daily_lines_per_s"], scheduler["daily_bytes_per_min"]) == (50, 512 << 10)
    assert start["summary"][0] == "timezone Europe/Berlin"
    assert start["secret_env"] == ["DASHBOARD_KEY", "DISCORD_WEBHOOK", "GITHUB_TOKEN"]


def test_the_scheduler_file_may_be_yaml(files: SettingsFiles) -> None:
    files.server()
    files.write("etc/scheduler.yaml", "servers:\n  web: {autoStart: true}\n")

    assert files.spec().auto_start is True


def test_secrets_are_read_nowhere_in_this_package() -> None:
    """Only names of secrets are known here: nothing may look the value of one up."""
    package = Path(__file__).parents[3] / "supervisor" / "settings"
    read = [path.name for path in package.glob("*.py") if re.search(r"os\.environ|getenv", path.read_text())]
    assert sorted(read) == ["launches.py", "triggers.py"]  # PATH, for a warning; the number of intervalHours: env:NAME
