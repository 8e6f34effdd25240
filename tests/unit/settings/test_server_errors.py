"""Mistakes in the keys of a server, each with its place, its words and its remedy."""

from __future__ import annotations

import json
import os
import resource
from typing import Any

import pytest
from unit.settings.settings_files import SettingsFiles

from supervisor.settings import api

# What stands under "server", where the finding points to, its words, its remedy.
KEYS: list[tuple[dict[str, Any], str, str, str]] = [
    # readiness and liveness
    ({"ready": {}}, "server.ready", "says no way to find out", "add one of http, tcp, exec, log or notify"),
    ({"alive": {"failures": 2}}, "server.alive", "says no way to find out", "add one of http, tcp or exec"),
    ({"ready": {"http": ":1/", "tcp": 1}}, "server.ready", "there are both http and tcp", "keep one of the two"),
    ({"ready": {"http": 8080}}, "server.ready.http", "must be an address as text", 'write ":8080/healthz"'),
    ({"ready": {"http": ""}}, "server.ready.http", "not an address: it is empty", 'write ":8080/healthz"'),
    ({"ready": {"http": "/healthz"}}, "server.ready.http", "not an address: there is no port", ""),
    ({"ready": {"http": ":80a/"}}, "server.ready.http", "not an address: its host or port can't be read", ""),
    ({"ready": {"http": ":70000/"}}, "server.ready.http", "not an address: its host or port can't be read", ""),
    ({"ready": {"http": "http://[::1/"}}, "server.ready.http", "not an address: its host or port can't be read", ""),
    ({"ready": {"http": ":1/a\r\nX: y"}}, "server.ready.http", "not an address: it is empty or holds blanks", ""),
    ({"ready": {"http": "ftp://a/"}}, "server.ready.http", "not an address: only http, https and unix", ""),
    ({"ready": {"http": "http://me:pw@a/"}}, "server.ready.http", "a name and password in an address", "use an exec"),
    ({"ready": {"http": "unix::/x"}}, "server.ready.http", "there is no path of a socket after unix:", ""),
    ({"ready": {"http": "unix:/" + "s" * 107}}, "server.ready.http", "the path of a socket can have 107 bytes", ""),
    ({"alive": {"tcp": 0}}, "server.alive.tcp", "must be a port from 1 to 65535", ""),
    ({"alive": {"tcp": True}}, "server.alive.tcp", "must be a port or an address", ""),
    ({"alive": {"tcp": "localhost"}}, "server.alive.tcp", "not an address: there is no port", "write 8080"),
    ({"alive": {"tcp": ":80/x"}}, "server.alive.tcp", "not HOST:PORT", ""),
    ({"alive": {"exec": ""}}, "server.alive.exec", "the command is empty", ""),
    ({"alive": {"log": "up"}}, "server.alive.log", "not a known key", "remove log"),
    ({"alive": {"intervall": 1}}, "server.alive.intervall", "not a known key", "did you mean intervalSeconds?"),
    ({"alive": {"tcp": 1, "intervalSecond": 1}}, "server.alive.intervalSecond", "not a known key", "did you mean inte"),
    ({"alive": {"tcp": 1, "onFailure": "stop"}}, "server.alive.onFailure", "must be one of: restart, degrade", ""),
    ({"alive": {"tcp": 1, "statuses": 200}}, "server.alive.statuses", "only an http check has statuses", "remove it"),
    ({"ready": {"http": ":1/", "statuses": "2xx"}}, "server.ready.statuses", "not a status or a range of them", ""),
    ({"ready": {"http": ":1/", "statuses": "399-200"}}, "server.ready.statuses", "not a status or a range", ""),
    ({"ready": {"log": "a\nb"}}, "server.ready.log", "must be a text of one line", ""),
    ({"ready": {"log": "up"}, "log": "none"}, "server.ready.log", "nothing of its output is kept", "keep its output"),
    ({"ready": {"notify": False}}, "server.ready.notify", "must be true", "write true"),
    ({"ready": {"tcp": 1, "graceSeconds": 60}}, "server.ready.graceSeconds", "it is asked too late: it has 60 s", ""),
    ({"watchdogSeconds": 0}, "server.watchdogSeconds", "must be greater than 0", ""),
    # order
    ({"requires": "db"}, "server.requires", "must be a list, not a text", "write it as a list"),
    ({"requires": [5]}, "server.requires.0", "must be a name or a map", 'write "db", or '),
    ({"requires": [{"name": "db", "if": 1}]}, "server.requires.0.if", "not a known key", "remove if"),
    ({"requires": ["dbb"]}, "server.requires.0", "there is no plugin dbb", "did you mean db?"),
    ({"after": ["db", "nothing-near"]}, "server.after.1", "there is no plugin nothing-near", "make plugins/nothing"),
    ({"requires": ["db:2"]}, "server.requires.0", "there is no db:2", "db has: db"),
    ({"requires": ["web"]}, "server.requires.0", "a server can't wait for itself", "remove it"),
    ({"after": ["web:1"]}, "server.after.0", "a server can't wait for itself", "remove it"),
    (
        {"requires": ["scheduler"]},
        "server.requires.0",
        "scheduler is a service of sbctl itself",
        "remove it: it is always",
    ),
    ({"requires": ["config"]}, "server.requires.0", "config is a service of sbctl itself", "remove it: only servers"),
    ({"after": ["tunnel"]}, "server.after.0", "tunnel is a service of sbctl itself", "remove it: only servers"),
    ({"requires": ["tool"]}, "server.requires.0", "tool has no server that could be waited for", "add commands.server"),
    ({"requires": ["db", "db"]}, "server.requires.1", "db is required twice", "remove one of the two"),
    (
        {"requires": [{"name": "db", "condition": "finished"}]},
        "server.requires.0",
        "db is restarted whenever it ends, so it never counts as finished",
        'set "restart": "on-failure" for db',
    ),
    ({"waitFor": {"portsFree": [70000]}}, "server.waitFor.portsFree.0", "must be at most 65535", ""),
    ({"waitFor": {"file": ["x"]}}, "server.waitFor.file", "not a known key", "did you mean files?"),
    # commands, stopping, reloading
    ({"before": 5}, "server.before", "must be a map, not a number", ""),
    ({"before": {"timeoutSeconds": 5}}, "server.before", "has no command", 'add "command"'),
    ({"afterEnd": {"command": "echo 'x"}}, "server.afterEnd.command", "a quote (') is not closed", ""),
    ({"afterEnd": "echo 'x"}, "server.afterEnd", "a quote (') is not closed", ""),
    (
        {"stop": {"signal": "INT", "signals": [{"signal": "INT"}]}},
        "server.stop",
        "there are both signal and signals",
        "",
    ),
    ({"stop": {"signals": []}}, "server.stop.signals", "must not be empty", ""),
    (
        {"stop": {"signals": [{"signal": "INT"}, {"signal": "TERM"}]}},
        "server.stop",
        "a signal before the last one has no seconds",
        "say how long",
    ),
    (
        {"stop": {"signals": [{"signal": "INT", "seconds": 3}], "graceSeconds": 4}},
        "server.stop",
        "graceSeconds contradicts the seconds of the last signal",
        "",
    ),
    ({"reload": {}}, "server.reload", "says no way to reload", "add signal or command"),
    ({"reload": {"signal": "HUB"}}, "server.reload.signal", "not a signal", ""),
    ({"reload": {"signal": "HUP", "command": "x"}}, "server.reload", "there are both signal and command", ""),
    # limits and the rest
    ({"limits": {"openFiles": "many"}}, "server.limits.openFiles", "must be a number or unlimited", ""),
    ({"limits": {"openFiles": 1.5}}, "server.limits.openFiles", "must be a whole number", ""),
    ({"limits": {"openFiles": -1}}, "server.limits.openFiles", "must be from 16 to 1000000000", ""),
    ({"limits": {"openFiles": 10**9 + 1}}, "server.limits.openFiles", "must be from 16 to 1000000000", ""),
    ({"limits": {"coreMb": -1}}, "server.limits.coreMb", "must be from 0 to 1000000000", ""),
    ({"limits": {"umask": 27}}, "server.limits.umask", "must be three octal digits as text", ""),
    ({"limits": {"umask": "999"}}, "server.limits.umask", "must be three octal digits as text", ""),
    ({"limits": {"ionice": "best-effort:8"}}, "server.limits.ionice", "not a class of input and output", ""),
    ({"limits": {"nice": 20}}, "server.limits.nice", "must be at most 19", ""),
    ({"limits": {"memoryMB": 1}}, "server.limits.memoryMB", "not a known key", "did you mean memoryMb?"),
    ({"instances": 0}, "server.instances", "must be at least 1", ""),
    ({"instances": 101}, "server.instances", "must be at most 100", ""),
    ({"external": "kill"}, "server.external", "must be one of: wait, ignore", ""),
    ({"exitCodes": [0, "SIGTRM"]}, "server.exitCodes.1", "not a signal", ""),
    ({"exitCodes": [True]}, "server.exitCodes.0", "must be an exit code", ""),
    ({"noRestartCodes": ["TERM"]}, "server.noRestartCodes.0", "must be an exit code", ""),
    (
        {"exitCodes": [0, 3], "noRestartCodes": [3]},
        "server.noRestartCodes",
        "exit code 3 is also in exitCodes, where it is no failure",
        "remove it from one of the two",
    ),
    ({"log": "nowhere"}, "server.log", "must be file, syslog or none, or a map", 'write "none"'),
    ({"log": {"sink": "nowhere"}}, "server.log.sink", "must be one of: file, syslog, none", ""),
    ({"log": ["none"]}, "server.log", "must be file, syslog or none, or a map", ""),
]


def neighbours(files: SettingsFiles) -> None:
    files.server("db")
    files.manifest("tool", {"id": "tool", "commands": {"get": "/bin/true"}})


def expect(files: SettingsFiles, file: str, path: str, words: str, remedy: str) -> None:
    (found,) = [each for each in files.check() if each.is_error]
    assert (found.file, found.path) == (file, path)
    assert found.message.startswith(words)
    assert found.remedy.startswith(remedy)
    assert found.remedy
    assert found.line > 1
    assert found.col > 1


@pytest.mark.parametrize(("keys", "path", "words", "remedy"), KEYS)
def test_mistakes_in_a_manifest(files: SettingsFiles, keys: dict[str, Any], path: str, words: str, remedy: str) -> None:
    neighbours(files)
    files.server("web", server=keys)
    expect(files, "plugins/web/manifest.json", path, words, remedy)


@pytest.mark.parametrize(("keys", "path", "words", "remedy"), KEYS)
def test_the_same_in_the_scheduler_file(
    files: SettingsFiles, keys: dict[str, Any], path: str, words: str, remedy: str
) -> None:
    neighbours(files)
    files.server("web")
    files.scheduler({"servers": {"web": keys}})
    expect(files, "etc/scheduler.json", path.replace("server.", "servers.web.", 1), words, remedy)


def test_a_contradiction_between_the_files_is_told_where_the_last_word_is(files: SettingsFiles) -> None:
    files.server("web", server={"exitCodes": [0, 3]})
    files.scheduler({"servers": {"web": {"noRestartCodes": [3]}}})
    expect(files, "etc/scheduler.json", "servers.web.noRestartCodes", "exit code 3", "")


def test_a_circle_is_named_whole_at_one_place(files: SettingsFiles) -> None:
    files.server("a", server={"requires": ["b"]})
    files.server("b", server={"after": ["x", "c"]})
    files.server("c", server={"requires": [{"name": "a:2", "condition": "started"}], "instances": 2})
    files.server("x")
    files.scheduler({"servers": {"a": {"instances": 2}}})

    (found,) = [each for each in files.check() if each.is_error]

    assert found.message == "a circle, in which nobody can be first: a → b → c → a"
    assert (found.file, found.path) == ("plugins/a/manifest.json", "server.requires.0")


def test_two_circles_are_both_named(files: SettingsFiles) -> None:
    for one, other in (("a", "b"), ("b", "a"), ("c", "d"), ("d", "c")):
        files.server(one, server={"requires": [other]})

    assert [each.message.rpartition(": ")[2] for each in files.check()] == ["a → b → a", "c → d → c"]


def test_long_chains_are_no_trouble(files: SettingsFiles) -> None:
    for number in range(200):
        files.server(f"s{number}", server={"requires": [f"s{number + 1}"]} if number < 199 else {})

    assert files.check() == []
    assert files.spec("scheduler").policy.grace == 200 * 10 + 2


def test_groups(files: SettingsFiles) -> None:
    files.server("web", groups=["root"])
    expect(files, "plugins/web/manifest.json", "groups", "groups belong to an account", 'add "user"')
    files.server("web", user="nobody", groups=["no-such-group"])
    expect(files, "plugins/web/manifest.json", "groups.0", "there is no group 'no-such-group' here", "create it")


def test_what_only_root_may_is_a_warning(files: SettingsFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    limits: dict[str, Any] = {"nice": -5, "oomScore": -1, "ionice": "realtime:0", "openFiles": "unlimited", "coreMb": 0}
    files.server("web", server={"limits": limits})
    monkeypatch.setattr(resource, "getrlimit", lambda number: (1024, 4096))
    assert os.geteuid() != 0 or files.check() == []
    monkeypatch.setattr(os, "geteuid", lambda: 12345)

    found = files.check()

    assert {each.level for each in found} == {"warning"}
    names = ["server.limits.ionice", "server.limits.nice", "server.limits.oomScore", "server.limits.openFiles"]
    assert sorted(each.path for each in found) == names
    assert found[0].message == "only root may set this: the server will not start"


@pytest.mark.parametrize(
    ("keys", "path"),
    [
        ({"before": "no-such-program"}, "server.before"),
        ({"afterEnd": ["no-such-program"]}, "server.afterEnd"),
        ({"stop": {"command": "no-such-program"}}, "server.stop.command"),
        ({"reload": {"command": "no-such-program"}}, "server.reload.command"),
        ({"ready": {"exec": "no-such-program"}}, "server.ready.exec"),
        ({"alive": {"exec": "no-such-program"}}, "server.alive.exec"),
    ],
)
def test_a_command_that_is_not_there_is_a_warning(files: SettingsFiles, keys: dict[str, Any], path: str) -> None:
    files.server("web", server=keys)

    (found,) = files.check()

    assert (found.level, found.path) == ("warning", path)
    assert found.message == "command not found on PATH: no-such-program"


def test_a_first_start_leaves_out_who_is_wrong_and_keeps_who_requires_it(files: SettingsFiles) -> None:
    files.server("db", server={"requires": ["db"]})
    files.server("web", server={"requires": ["db"]})

    result = api.compile_home(files.home, tolerant=True)

    assert (result.written, result.ok) == (True, True)
    with open(files.home.compiled_file("scheduler")) as file:
        services = json.load(file)["services"]
    assert [(each["name"], each["order"]["requires"][0]["name"]) for each in services] == [("web", "db")]


SBCTL = [
    ("config: {port: automatic}", "config.port", "must be a whole number, not a text"),
    ("core: {config: {alive: {enabled: 1}}}", "core.config.alive.enabled", "must be true or false"),
    ("core: {config: {alive: no way}}", "core.config.alive", "must be a map, not a text"),
    ("core: {config: {watchdogSeconds: 1}}", "core.config.watchdogSeconds", "not a known key"),
    ("core: {scheduler: {alive: false}}", "core.scheduler.alive", "not a known key"),
    ("core: {scheduler: {watchdogSeconds: -1}}", "core.scheduler.watchdogSeconds", "must be at least 0"),
    ("supervision: {jitterPercent: 101}", "supervision.jitterPercent", "must be at most 100"),
    ("supervision: {maxStarting: 1.5}", "supervision.maxStarting", "must be a whole number"),
    ("logs: {keepDays: -1}", "logs.keepDays", "must be at least 0"),
    ("logs: {gzip: yes please}", "logs.gzip", "must be true or false"),
]


@pytest.mark.parametrize(("text", "path", "words"), SBCTL)
def test_mistakes_in_the_settings(files: SettingsFiles, text: str, path: str, words: str) -> None:
    files.settings(text)

    (found,) = files.check()

    assert found.path == path
    assert found.message.startswith(words)
    assert found.remedy
