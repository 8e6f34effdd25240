"""Every kind of mistake, with the place and the words in which it is reported."""

from __future__ import annotations

import json

import pytest
from unit.settings.settings_files import SettingsFiles

SBCTL = [
    (
        "port: 1",
        "1:1: port: not a known key",
        "did you mean config.port?",
    ),
    (
        "qqqq: 1",
        "1:1: qqqq: not a known key",
        "remove qqqq, or name it x-qqqq to keep it as a note; known here: config, ",
    ),
    ("supervison: {}", "1:1: supervison: not a known key", "did you mean supervision?"),
    ("config:\n  prot: 1", "2:3: config.prot: not a known key", "did you mean port?"),
    ("config: {port: 0}", "1:16: config.port: must be at least 1", ""),
    ("config: {port: 65536}", "1:16: config.port: must be at most 65535", ""),
    ("config: {port: 3456.5}", "1:16: config.port: must be a whole number, not a number", "write a whole number"),
    (
        'config: {port: "3456"}',
        "1:16: config.port: must be a whole number, not a text",
        "write plain digits, without quotes",
    ),
    ("config: {port: on}", "1:16: config.port: must be a whole number, not true", "write a whole number"),
    ("config: {enabled: 1}", "1:19: config.enabled: must be true or false, not a number", "write true or false"),
    (
        "config: {host: 0.0.0.0}",
        "1:16: config.host: the config server listens on this machine only",
        "write 127.0.0.1; ",
    ),
    ("config: {host: example.org}", "1:16: config.host: the config server listens on this machine only", ""),
    ("config: 3", "1:9: config: must be a map, not a number", "write a map"),
    ("- a", "1:1: must be a map, not a list", "write a map"),
    ("just text", "1:1: must be a map, not a text", "write a map"),
    ("timezone: Mars/Base", "1:11: timezone: not a time zone that is known here", "write a name like UTC"),
    ("timezone: ../../etc/passwd", "1:11: timezone: not a time zone that is known here", ""),
    ("timezone: on", "1:11: timezone: must be a text, not true", "put it in quotes (YAML reads on, off, "),
    ("timezone: 5", "1:11: timezone: must be a text, not a number", "put it in quotes"),
    ("logs: {maxMb: 0}", "1:15: logs.maxMb: must be greater than 0", ""),
    ("logs: {maxMb: 1e3}", "1:15: logs.maxMb: must be a number, not a text", "write plain digits, without quotes"),
    ("logs: {keep: 1001}", "1:14: logs.keep: must be at most 1000", ""),
    ("supervision: {delaysSeconds: []}", "1:30: supervision.delaysSeconds: must not be empty", "give a value"),
    (
        "supervision: {delaysSeconds: 5}",
        "1:30: supervision.delaysSeconds: must be a list, not a number",
        "write it as a list",
    ),
    (
        "supervision:\n  delaysSeconds:\n    - 1\n    - -1",
        "4:7: supervision.delaysSeconds.1: must be greater than 0",
        "",
    ),
    ("supervision: {graceSeconds: 1.0e+9}", "1:29: supervision.graceSeconds: must be at most 2678400", ""),
    ("supervision: {giveUpAfter: 1.5}", "1:28: supervision.giveUpAfter: must be a whole number, not a number", ""),
    ("core: {start: {}}", "1:8: core.start: not a known key", "remove start, "),
    ("core: {config: {settleSeconds: 1}}", "1:17: core.config.settleSeconds: not a known key", ""),
    ("tunnel: {command: }\n", "", ""),
    (
        "tunnel: {command: [ssh, 5]}",
        "1:19: tunnel.command: must be a text or a list of texts",
        'write "python3 server.py"',
    ),
    ("format: 0", "1:9: format: must be at least 1", ""),
    ("format: true", "1:9: format: must be a whole number, not true", ""),
    ("config:\ntunnel:\nlogs:\nx-note: [anything, {at: all}]\n", "", ""),
    ("config: {x-note: 1, port: 4000}", "", ""),
]

SCHEDULER = [
    ("[]", "1:1: must be a map, not a list", "write a map"),
    ("", "1:1: the file is empty", "write {} for no settings"),
    ('{"activeHours": {"start": 7}}', "1:17: activeHours.end: is missing", 'add "end"'),
    ('{"activeHours": {"start": 7, "end": 25}}', "1:37: activeHours.end: must be at most 24", ""),
    (
        '{"activeHours": {"start": "7", "end": 9}}',
        "1:27: activeHours.start: must be an hour of the day",
        "write a number from 0 to 24",
    ),
    ('{"servers": []}', "1:13: servers: must be a map, not a list", "write a map"),
    ('{"servers": {"web": true}}', "1:21: servers.web: must be a map, not true", "write a map"),
    (
        '{"servers": {"web": {"autostart": true}}}',
        "1:22: servers.web.autostart: not a known key",
        "did you mean autoStart?",
    ),
    (
        '{"servers": {"web": {"auto_start": true}}}',
        "1:22: servers.web.auto_start: not a known key",
        "did you mean autoStart?",
    ),
    (
        '{"servers": {"web": {"restart": "no"}}}',
        "1:33: servers.web.restart: must be one of: always, on-failure, never",
        "choose one of them",
    ),
    (
        '{"servers": {"web": {"restart": "always",\n "restartOnCrash": false}}}',
        "2:2: servers.web.restartOnCrash: contradicts restart",
        "keep one of the two",
    ),
    ('{"servers": {"web": {"exitCodes": [0, 256]}}}', "1:39: servers.web.exitCodes.1: must be at most 255", ""),
    (
        '{"servers": {"web": {"exitCodes": 0}}}',
        "1:35: servers.web.exitCodes: must be a list, not a number",
        "write it as ",
    ),
    (
        '{"servers": {"web": {"stop": {"signal": "TREM"}}}}',
        "1:41: servers.web.stop.signal: not a signal",
        "write a name like",
    ),
    ('{"tasks": [{"plugins": []}]}', "1:24: tasks.0.plugins: must not be empty", "give a value, or remove the key"),
    ('{"tasks": [{}]}', "1:12: tasks.0.plugins: is missing", 'add "plugins"'),
    (
        '{"tasks": [{"plugins": ["a"], "commands": ["server"]}]}',
        "1:44: tasks.0.commands.0: the server is no step: it is kept running",
        "name other commands",
    ),
    ('{"activeHours": [{"start": 1, "end": 2, "day": "x"}]}', "1:41: activeHours.0.day: not a known key", "remove day"),
    ('{"activeHours": {"start": 1, "end": 2, "day": "x"}}', "1:40: activeHours.day: not a known key", "remove day"),
    ('{"activeHours": 7}', "1:17: activeHours: must be a map, a list of maps, or false", "write {"),
    ('{"tasks": [{"plugins": ["a"], "at": 8}]}', "1:37: tasks.0.at: must be a list, not a number", ""),
    (
        '{"tasks": [{"plugins": ["a"], "at": "25:00"}]}',
        "1:37: tasks.0.at: must be a time of day as text",
        "write it in",
    ),
    (
        '{"tasks": [{"plugins": ["a"], "weekdays": ["mon-fry"]}]}',
        "1:44: tasks.0.weekdays.0: not a weekday",
        "write mon",
    ),
    (
        '{"tasks": [{"plugins": ["a"], "exclude": "2026-02-30"}]}',
        "1:42: tasks.0.exclude: not a date",
        "write it as text",
    ),
    ('{"tasks": [{"plugins": ["a"], "once": "2026-12-01"}]}', "1:39: tasks.0.once: a date without a time", "write "),
    ('{"tasks": [{"plugins": ["a"], "once": "soon"}]}', "1:39: tasks.0.once: not a date and time", "write it as text"),
    (
        '{"tasks": [{"plugins": ["a"], "intervalHours": 1, "intervalMinutes": 5}]}',
        "1:12: tasks.0: there are both intervalHours and intervalMinutes",
        "keep one of the two",
    ),
    (
        '{"tasks": [{"plugins": ["a"], "jitterMinutes": 1, "jitterSeconds": 5}]}',
        "1:12: tasks.0: there are both jitterMinutes and jitterSeconds",
        "keep one of the two",
    ),
    ('{"tasks": [{"plugins": ["a"], "name": "a.b"}]}', "1:39: tasks.0.name: not a name for a schedule", "use letters"),
    (
        '{"tasks": [{"plugins": ["a"], "tenant": "a\\nb"}]}',
        "1:41: tasks.0.tenant: must be a word or two",
        "write letters",
    ),
    (
        '{"tasks": [{"plugins": ["a"], "afterSchedule": {"schedule": "b", "wen": "done"}}]}',
        "1:66: tasks.0.afterSchedule.wen: not a known key",
        "did you mean when?",
    ),
    ('{"tasks": [{"plugins": ["a"], "safety": {"level": "lax"}}]}', "1:51: tasks.0.safety.level: must be one of", ""),
    ('{"blackouts": {"x": [{"from": "2026-12-24"}]}}', "1:22: blackouts.x.0: there is no to", "give both"),
    (
        '{"blackouts": {"x": [{"from": "2027-06-30", "to": "2026-12-01"}]}}',
        "1:22: blackouts.x.0: to comes before from, so it would never hold",
        "correct one of the two",
    ),
    (
        '{"blackouts": {"x": [{"from": "2026-12-24T18:00", "to": "2026-12-24T18:00"}]}}',
        "1:22: blackouts.x.0: to is the same time as from, so it would never hold",
        "correct one of the two",
    ),
    ('{"blackouts": {"x": [{"dates": "2026-12-24", "end": 5}]}}', "1:22: blackouts.x.0: must be one of: dates", ""),
    ('{"groups": {"big": 0}}', "1:20: groups.big: must be at least 1", ""),
    ('{"checks": {"net": {}}}', "1:13: checks.net: says no way to find out", "add one of http, tcp or exec"),
    (
        '{"checks": {"net": {"http": "unix:/x:/y"}}}',
        "1:29: checks.net.http: a socket can't be asked here",
        "use an exec",
    ),
    (
        '{"tasks": [{"plugins": ["a"], "intervalHours": "6"}]}',
        "1:48: tasks.0.intervalHours: must be a number of hours or env:NAME",
        "write a number like 6, or env:SB_INTERVAL_HOURS",
    ),
    (
        '{"tasks": [{"plugins": ["a"], "intervalHours": 0}]}',
        "1:48: tasks.0.intervalHours: must be greater than 0 and at most 8784 hours",
        "",
    ),
    (
        '{"tasks": [{"plugins": ["a"], "intervalHour": 1}]}',
        "1:31: tasks.0.intervalHour: not a known key",
        "did you mean int",
    ),
    ('{"tasks": [{"plugins": ["a"], "jitterMinutes": -1}]}', "1:48: tasks.0.jitterMinutes: must be at least 0", ""),
    (
        '{"servers": {"web": {"giveUpAfter": 1' + "0" * 250 + "}}}",
        "1:37: servers.web.giveUpAfter: must be at most 1000000",
        "",
    ),
    ('{"activeHours": {"start": 1' + "0" * 250 + ', "end": 1}}', "1:27: activeHours.start: must be at most 24", ""),
]

MANIFEST = [
    ("{}", "1:1: id: is missing", 'add "id"'),
    ("null", "1:1: id: is missing", 'add "id"'),
    ("7", "1:1: must be a map, not a number", "write a map"),
    ('{"id": "wed"}', "1:8: id: differs from the name of its folder", 'write "web", or rename the folder to wed'),
    ('{"id": "Web"}', "1:8: id: not an id", "use small letters, digits, - and _, "),
    ('{"id": "-web"}', "1:8: id: not an id", ""),
    ('{"id": "web\\n"}', "1:8: id: not an id", ""),
    ('{"id": "../web"}', "1:8: id: not an id", ""),
    ('{"id": "' + "a" * 64 + '"}', "1:8: id: not an id", ""),
    ('{"id": "scheduler"}', "1:8: id: scheduler is a word of sbctl itself", "choose another id"),
    ('{"id": "all"}', "1:8: id: all is a word of sbctl itself", ""),
    ('{"id": 5}', "1:8: id: must be a text, not a number", "put it in quotes"),
    ('{"id": "web", "command": {}}', "1:15: command: not a known key", "did you mean commands?"),
    ('{"id": "web", "commands": {"sever": "x"}}', "1:28: commands.sever: not a known key", "did you mean server?"),
    ('{"id": "web", "commands": {"server": ""}}', "1:38: commands.server: the command is empty", "write a command"),
    ('{"id": "web", "commands": {"server": "  "}}', "1:38: commands.server: the command is empty", ""),
    ('{"id": "web", "commands": {"server": "\'\' x"}}', "1:38: commands.server: the command is empty", ""),
    ('{"id": "web", "commands": {"server": []}}', "1:38: commands.server: the command is empty", ""),
    ('{"id": "web", "commands": {"server": ["", "x"]}}', "1:38: commands.server: the command is empty", ""),
    (
        '{"id": "web", "commands": {"server": [1]}}',
        "1:38: commands.server: must be a text or a list of texts",
        'write "py',
    ),
    ('{"id": "web", "commands": {"server": {"a": 1}}}', "1:38: commands.server: must be a text or a list of texts", ""),
    (
        '{"id": "web", "commands": {"server": "echo \'x"}}',
        "1:38: commands.server: a quote (') is not closed",
        "close it, or write the command as a list of words",
    ),
    (
        json.dumps({"id": "web", "commands": {"server": "x " * 20_000}}),
        "1:38: commands.server: the command is longer than 32000 letters",
        "put it into a script",
    ),
    ('{"id": "web", "env": {"A-B": "x"}}', "1:23: env.A-B: not a name for an environment variable", "use letters"),
    ('{"id": "web", "env": {"SB_HOME": "x"}}', "1:23: env.SB_HOME: SB_HOME is set by sbctl", "remove it"),
    ('{"id": "web", "env": {"A": 5}}', "1:28: env.A: must be a text, not a number", "put it in quotes"),
    ('{"id": "web", "env": {"A": null}}', "1:28: env.A: must be a text, not null", ""),
    ('{"id": "web", "env": {"A": "env:B-C"}}', "1:28: env.A: env: wants the name of a variable", "write env:NAME"),
    ('{"id": "web", "env": {"A": "file:"}}', "1:28: env.A: file: wants a path", "write file:PATH"),
    ('{"id": "web", "passEnv": "A"}', "1:26: passEnv: must be a list, not a text", "write it as a list"),
    ('{"id": "web", "user": "no-such-account"}', "1:23: user: there is no account 'no-such-account' here", "create it"),
    ('{"id": "web", "user": 4000000000}', "1:23: user: there is no account '4000000000' here", ""),
    ('{"id": "web", "user": 99999999999999999999}', "1:23: user: there is no account '99999999999999999999' here", ""),
    ('{"id": "web", "user": true}', "1:23: user: must be the name or number of an account", "write a name"),
    ('{"id": "web", "user": []}', "1:23: user: must be the name or number of an account", ""),
    ('{"id": "web", "cwd": ""}', "1:22: cwd: must not be empty", ""),
    ('{"id": "web", "name": "' + "n" * 10_001 + '"}', "1:23: name: is too long (at most 10000)", "shorten it"),
    (
        '{"id": "web", "scheduler": {"mode": "hourly"}}',
        "1:37: scheduler.mode: must be one of: interval, at, cron, once",
        "",
    ),
    ('{"id": "web", "scheduler": {"cmd": "Get it"}}', "1:36: scheduler.cmd: not the name of a command", "use small"),
    ('{"id": "web", "commands": {"gte": "x"}}', "1:28: commands.gte: not a known key", "did you mean get?"),
    (
        '{"id": "web", "commands": {"Roll_Back": "x"}}',
        "1:28: commands.Roll_Back: not a known key",
        "did you mean rollback",
    ),
    ('{"id": "web", "commands": {"Sync": "x"}}', "1:28: commands.Sync: not a name for a command", "use small letters"),
    ('{"id": "web", "commands": {"sync": 5}}', "1:36: commands.sync: must be a text, a list of texts or a map", ""),
]


def expect(found: list[tuple[str, str]], file: str, line: str, remedy: str) -> None:
    if not line:
        assert found == []
        return
    assert len(found) == 1, found
    place, _, words = line.partition(": ")
    assert found[0][0].startswith(f"{file}:{place}: error: {words}")
    assert found[0][1].startswith(remedy)


def errors(files: SettingsFiles) -> list[tuple[str, str]]:
    return [(finding.headline(), finding.remedy) for finding in files.check() if finding.is_error]


@pytest.mark.parametrize(("text", "line", "remedy"), SBCTL)
def test_mistakes_in_the_settings(files: SettingsFiles, text: str, line: str, remedy: str) -> None:
    files.settings(text)
    expect(errors(files), "etc/sbctl.yaml", line, remedy)


@pytest.mark.parametrize(("text", "line", "remedy"), SCHEDULER)
def test_mistakes_in_the_scheduler_file(files: SettingsFiles, text: str, line: str, remedy: str) -> None:
    files.scheduler(text)
    expect(errors(files), "etc/scheduler.json", line, remedy)


@pytest.mark.parametrize(("text", "line", "remedy"), MANIFEST)
def test_mistakes_in_a_manifest(files: SettingsFiles, text: str, line: str, remedy: str) -> None:
    files.manifest("web", text)
    expect(errors(files), "plugins/web/manifest.json", line, remedy)


def test_all_files_are_judged_at_once_and_sorted(files: SettingsFiles) -> None:
    files.settings("config: {port: 0}\nlogs: {keep: 0}\ntypo: 1\n")
    files.scheduler('{"servers": {"web": {"restart": "no"}},\n "typo": 1}')
    files.manifest("web", '{"typo": 1,\n "env": {"A": 5, "B": 6}, "user": "no-such-account"}')
    files.manifest("api", "{")

    assert [line.rpartition(": ")[0] for line in files.lines()] == [
        "etc/sbctl.yaml:1:16: error: config.port",
        "etc/sbctl.yaml:2:14: error: logs.keep",
        "etc/sbctl.yaml:3:1: error: typo",
        "etc/scheduler.json:1:33: error: servers.web.restart: must be one of",
        "etc/scheduler.json:2:2: error: typo",
        "plugins/api/manifest.json:1:2: error: not JSON",
        "plugins/web/manifest.json:1:1: error: id",
        "plugins/web/manifest.json:1:2: error: typo",
        "plugins/web/manifest.json:2:15: error: env.A",
        "plugins/web/manifest.json:2:23: error: env.B",
        "plugins/web/manifest.json:2:35: error: user",
    ]


def test_a_value_is_never_shown(files: SettingsFiles) -> None:
    files.manifest("web", '{"id": "web", "env": {"TOKEN": 987654321}, "passEnv": "987654321", "name": ["987654321"]}')

    assert len(files.check()) == 3
    assert not any("987654321" in finding.text() for finding in files.check())


def test_what_a_file_holds_can_not_break_the_line(files: SettingsFiles) -> None:
    files.manifest("web", '{"id": "web", "a\\n\\u001b]52;\\u202e": 1}')

    (finding,) = files.check()

    assert finding.text().count("\n") == 1
    assert finding.headline() == "plugins/web/manifest.json:1:15: error: a\\x0a\\x1b]52;\\u202e: not a known key"


def test_a_newer_format_turns_unknown_keys_into_warnings(files: SettingsFiles) -> None:
    files.manifest("web", {"id": "web", "format": 2, "commands": {"server": "/bin/sh x", "heal": "y"}, "moods": []})

    assert [(finding.level, finding.path) for finding in files.check()] == [
        ("warning", "format"),
        ("warning", "commands.heal"),
        ("warning", "moods"),
    ]
    assert files.spec().launch.argv == ("/bin/sh", "x")


def test_a_newer_format_does_not_excuse_other_mistakes(files: SettingsFiles) -> None:
    files.manifest("web", {"id": "web", "format": 2, "moods": [], "cwd": 5})

    assert [finding.path for finding in files.check() if finding.is_error] == ["cwd"]


def test_the_same_id_twice_names_both_files(files: SettingsFiles) -> None:
    files.server("web")
    files.manifest("web2", '{"id": "WEB"}')

    found = [finding for finding in files.check() if "same id" in finding.message]

    assert [(finding.file, finding.message) for finding in found] == [
        ("plugins/web/manifest.json", "the same id as in plugins/web2/manifest.json"),
        ("plugins/web2/manifest.json", "the same id as in plugins/web/manifest.json"),
    ]


def test_two_scheduler_files(files: SettingsFiles) -> None:
    files.scheduler("{}")
    files.write("etc/scheduler.yaml", "")

    assert files.lines() == ["etc/scheduler.json:1:1: error: there are both scheduler.json and scheduler.yaml"]


def test_names_that_are_nearly_right_are_not_read_in_silence(files: SettingsFiles) -> None:
    files.write("etc/sbctl.yml", "nonsense")

    assert files.lines() == ["etc/sbctl.yml: warning: a file of this name is not read"]
    assert files.check()[0].remedy == "rename it to etc/sbctl.yaml"


def test_files_that_can_not_be_read(files: SettingsFiles) -> None:
    (files.path / "etc" / "sbctl.yaml").mkdir()
    (files.path / "etc" / "scheduler.json").symlink_to("nowhere")
    files.write("plugins/web/manifest.json", b" " * (1 << 20) + b"{}")

    assert files.lines() == [
        "etc/sbctl.yaml:1:1: error: can't be read: Is a directory",
        "etc/scheduler.json:1:1: error: can't be read: No such file or directory",
        "plugins/web/manifest.json:1:1: error: the file is larger than 1048576 bytes",
    ]


def test_what_is_no_plugin_is_left_alone(files: SettingsFiles) -> None:
    for name in (".git", "_old"):
        files.manifest(name, "nonsense")
    (files.path / "plugins" / "README").write_text("words")

    assert files.lines() == []


def test_a_home_without_any_file_has_no_problems(files: SettingsFiles) -> None:
    (files.path / "etc").rmdir()
    (files.path / "plugins").rmdir()

    assert files.lines() == []
    assert [service["name"] for service in files.document()["services"]] == ["scheduler", "config"]


WARNINGS = [
    ({"commands": {"server": "no-such-program --x"}}, "commands.server: command not found on PATH: no-such-program"),
    ({"commands": {"server": "bin/none"}}, "commands.server: command not found: {plugin}/bin/none"),
    ({"commands": {"server": "./manifest.json"}}, "commands.server: not executable: {plugin}/manifest.json"),
    ({"commands": {"server": "/bin/sh x"}, "cwd": "none"}, "cwd: there is no folder {plugin}/none"),
    ({"commands": {"server": "/bin/sh x"}, "envFile": ".env"}, "envFile: there is no file {plugin}/.env"),
    ({"server": {"autoStart": True}}, "server.autoStart: there is no commands.server to start"),
]


@pytest.mark.parametrize(("keys", "line"), WARNINGS)
def test_what_would_fail_now_is_a_warning(files: SettingsFiles, keys: dict[str, object], line: str) -> None:
    files.manifest("web", {"id": "web", **keys})

    (finding,) = files.check()

    assert finding.level == "warning"
    assert f"{finding.path}: {finding.message}" == line.format(plugin=files.path / "plugins" / "web")


def test_servers_without_a_plugin_or_a_command_are_warnings(files: SettingsFiles) -> None:
    files.manifest("idle", {"id": "idle"})
    files.manifest("broken", "{")
    files.scheduler('{"servers": {"idle": {}, "nobody": {}, "broken": {}},\n "tasks": [{"plugins": ["nobody"]}]}')

    assert [line for line in files.lines() if "warning" in line] == [
        "etc/scheduler.json:1:14: warning: servers.idle: this plugin has no server command",
        "etc/scheduler.json:1:26: warning: servers.nobody: there is no such plugin",
        "etc/scheduler.json:2:25: warning: tasks.0.plugins.0: there is no such plugin",
    ]


def test_a_tunnel_without_a_command_is_a_warning(files: SettingsFiles) -> None:
    files.settings("tunnel: {enabled: true}")

    assert files.lines() == ["etc/sbctl.yaml:1:1: warning: tunnel: enabled, but there is no command: no tunnel"]
