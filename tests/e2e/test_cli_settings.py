"""Settings as a person meets them: findings, the last good revision, reload and its plan."""

from __future__ import annotations

import json
import os
import signal

from support.home import TemporaryHome
from support.waiting import eventually

SLEEPER = ["/bin/sleep", "1000"]


def pids(home: TemporaryHome) -> dict[str, int]:
    return {row["name"]: row["pid"] for row in home.status()["services"]}


def states(home: TemporaryHome) -> dict[str, str]:
    return {row["name"]: row["state"] for row in home.status()["services"]}


def test_broken_settings_and_no_good_ones(home: TemporaryHome) -> None:
    (home.path / "etc" / "sbctl.yaml").write_text("configg: 1\nformat: 7x\n")
    started = home.sbctl("start")
    assert started.code == 6
    assert "etc/sbctl.yaml:1:1" in started.err
    assert "nothing was started" in started.err
    assert home.sbctl("status").code == 3
    assert home.sbctl("config", "validate").code == 6
    assert home.sbctl("config", "validate", "--json").json()["ok"] is False


def test_broken_settings_run_on_the_last_good_ones(home: TemporaryHome) -> None:
    home.add_plugin("web", SLEEPER)
    assert home.sbctl("start").code == 0
    assert home.sbctl("stop").code == 0
    (home.path / "etc" / "sbctl.yaml").write_text("configg: 1\n")
    started = home.sbctl("start")
    assert started.code == 0, started
    assert "last good" in started.err
    assert home.status("web")["services"][0]["state"] == "running"


def test_a_bad_plugin_on_a_first_start_is_left_out(home: TemporaryHome) -> None:
    home.add_plugin("web", SLEEPER)
    home.add_plugin("bad", SLEEPER, autoStarrt=True)
    started = home.sbctl("start")
    assert "bad" in started.err
    assert "web" in pids(home)
    assert "bad" not in pids(home)


def test_reload_restarts_only_what_has_changed(home: TemporaryHome) -> None:
    home.add_plugin("web", SLEEPER)
    home.add_plugin("mail", SLEEPER)
    assert home.sbctl("start").code == 0
    before = pids(home)
    assert home.sbctl("reload").out == "nothing to change\n"

    home.add_plugin("mail", ["/bin/sleep", "1001"])
    home.add_plugin("new", SLEEPER)
    dry = home.sbctl("reload", "--dry-run")
    assert dry.code == 0, dry
    assert dry.out.splitlines()[0] == "would change:"
    assert pids(home) == before
    planned = home.sbctl("reload", "--dry-run", "--json").json()["changes"]
    assert {(change["action"], change["name"]) for change in planned} == {("restart", "mail"), ("start", "new")}

    done = home.sbctl("reload", "--json").json()
    assert done["changes"] == planned
    eventually(lambda: pids(home).get("new") and pids(home)["mail"] not in (None, before["mail"]))
    after = pids(home)
    assert (after["web"], after["scheduler"]) == (before["web"], before["scheduler"])


def test_a_reload_without_a_scheduler_tells_what_the_next_one_will_do(home: TemporaryHome) -> None:
    home.settings["core"] = {"scheduler": {"delaysSeconds": [60], "fastCrashSeconds": 60}}
    home.write()
    home.add_plugin("web", SLEEPER, instances=1)
    assert home.sbctl("start").code == 0
    old = pids(home)["scheduler"]
    os.kill(old, signal.SIGKILL)
    eventually(lambda: states(home)["scheduler"] == "backoff")
    home.add_plugin("web", SLEEPER, instances=2)
    planned = home.sbctl("reload", "--dry-run", "--json").json()["changes"]
    done = home.sbctl("reload", "--json")
    assert "it takes the new settings over when it starts" in done.err
    assert planned
    assert done.json()["changes"] == planned
    assert home.sbctl("reload").out == "nothing to change\n"


def test_plan_and_deed_agree_on_what_is_stopped(home: TemporaryHome) -> None:
    home.add_plugin("asleep", SLEEPER, autoStart=False)
    home.add_plugin("halted", SLEEPER)
    assert home.sbctl("start").code == 0
    assert home.sbctl("stop", "halted").code == 0
    home.add_plugin("asleep", SLEEPER)
    home.add_plugin("halted", ["/bin/sleep", "1001"])

    dry = home.sbctl("reload", "--dry-run")
    assert dry.out.splitlines()[1:] == [
        "  start    asleep  autoStart",
        "  leave    halted  commands.server (stays stopped)",
    ]
    assert home.sbctl("reload").out.splitlines()[1:] == dry.out.splitlines()[1:]
    eventually(lambda: pids(home)["asleep"])
    assert home.status("halted")["services"][0]["state"] == "stopped"


def test_reload_of_broken_settings_changes_nothing(home: TemporaryHome) -> None:
    home.add_plugin("web", SLEEPER)
    assert home.sbctl("start").code == 0
    before = pids(home)
    (home.path / "etc" / "scheduler.json").write_text('{"servers": {"web": {"autoStart": 7}}}')
    for args in (["reload"], ["reload", "--dry-run"]):
        done = home.sbctl(*args)
        assert done.code == 6
        assert "etc/scheduler.json:1:" in done.err
        assert "nothing changed" in done.err
    assert pids(home) == before


def test_config_show(home: TemporaryHome) -> None:
    shown = json.loads(home.sbctl("config", "show", "--json").out)
    assert shown["sbctl"]["config"]["port"] == home.port
    assert "port:" in home.sbctl("config", "show").out


def test_init_makes_a_home_that_runs(home: TemporaryHome) -> None:
    new = home.path / "other home"
    made = home.sbctl("init", new)
    assert made.code == 0
    settings = new / "etc" / "sbctl.yaml"
    settings.write_text(settings.read_text() + f"config:\n  port: {home.port}\n")
    env: dict[str, str | None] = {"SB_HOME": None}
    try:
        started = home.sbctl("--home", new, "start", env=env)
        assert started.code == 0, started
        assert home.sbctl("--home", new, "status", "--check", env=env).code == 0
        # From a folder inside it, it is found without being named.
        assert home.sbctl("status", env=env, cwd=new / "plugins").out.splitlines()[0].endswith(str(new))
    finally:
        assert home.sbctl("--home", new, "stop", env=env).code == 0


def test_a_plugin_that_was_left_out_is_seen(home: TemporaryHome) -> None:
    home.add_plugin("web", ["/bin/sleep", "1000"])
    home.add_plugin("bad", "true").joinpath("manifest.json").write_text("{")
    assert home.sbctl("start").code == 0

    assert home.sbctl("status").out.splitlines()[-1] == (
        "settings: 1 problem, running revision 0001; sbctl config validate"
    )
    (problem,) = home.status()["settings_problems"]
    assert problem.startswith("plugins/bad/manifest.json:1:")
    for verb in ("why", "start"):
        told = home.sbctl(verb, "bad")
        assert (told.code, told.err.splitlines()[:2]) == (
            6,
            ["error: bad was left out: its settings have errors", f"  why:  {problem}"],
        )

    home.add_plugin("bad", ["/bin/sleep", "1000"])
    assert home.sbctl("reload").code == 0
    assert home.status()["settings_problems"] == []


def test_a_start_on_the_last_good_settings_is_seen(home: TemporaryHome) -> None:
    home.add_plugin("web", ["/bin/sleep", "1000"])
    assert home.sbctl("start").code == 0
    assert home.sbctl("stop").code == 0
    (home.path / "etc" / "sbctl.yaml").write_text("format: none\n")
    assert home.sbctl("start").code == 0
    assert "running revision 0001; sbctl config validate" in home.sbctl("status").out
    home.write()
    assert home.sbctl("reload").code == 0
    assert "config validate" not in home.sbctl("status").out
