"""What a person does in the first week, through `bin/sbctl` on real trees: signals, disabling, undo, several homes."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from support.home import TemporaryHome
from support.waiting import eventually

SLEEPER = ["/bin/sleep", "1000"]
TELLS = ["/bin/sh", "-c", "trap 'echo hup' HUP; trap 'echo usr1' USR1; echo up; while :; do sleep 0.05; done"]


@pytest.fixture
def quiet(home: TemporaryHome) -> TemporaryHome:
    """Without a config server, which takes longest to start."""
    home.settings["config"] = {"enabled": False}
    home.write()
    return home


def test_signals_reach_the_main_process(quiet: TemporaryHome) -> None:
    quiet.add_plugin("web", TELLS)
    quiet.add_plugin("mail", TELLS)
    assert quiet.sbctl("start").code == 0
    eventually(lambda: quiet.log("web") == quiet.log("mail") == "up\n")
    assert quiet.sbctl("signal", "w*", "mail", "usr1").out == "web got SIGUSR1\nmail got SIGUSR1\n"
    eventually(lambda: "usr1" in quiet.log("web") and "usr1" in quiet.log("mail"))
    assert quiet.sbctl("signal", "web", "HUP", "--group", "--json").json()["group"] is True
    eventually(lambda: "hup" in quiet.log("web"))
    assert "hup" not in quiet.log("mail")
    assert quiet.sbctl("signal", "wbe", "HUP").code == 2
    old = quiet.pid("scheduler")
    assert quiet.sbctl("signal", "scheduler", "web", "KILL").out == "web got SIGKILL\nscheduler got SIGKILL\n"
    eventually(lambda: quiet.pid("scheduler") not in (old, None), 10, "there is a new scheduler")
    eventually(lambda: quiet.log("web").splitlines().count("up") == 2, 10, "web is started again")


def test_what_is_disabled_stays_down_over_a_restart(quiet: TemporaryHome) -> None:
    quiet.add_plugin("web", SLEEPER)
    quiet.add_plugin("mail", SLEEPER)
    assert quiet.sbctl("disable", "mail").out == "mail is disabled\n"  # before anything was ever started
    assert quiet.sbctl("start").code == 0
    assert states(quiet) == {"scheduler": "running", "web": "running", "mail": "stopped"}
    assert quiet.sbctl("disable", "web").out == "web is disabled and stopped\n"
    started = quiet.sbctl("start", "mail")
    assert started.code == 0
    assert "mail is disabled: the next time" in started.err
    assert quiet.sbctl("restart").code == 0
    assert states(quiet) == {"scheduler": "running", "web": "stopped", "mail": "stopped"}
    assert quiet.sbctl("enable", "web", "mail").out.startswith("web is enabled; web is up (pid ")
    assert quiet.sbctl("restart", "--json").json()["started"] is True
    assert set(states(quiet).values()) == {"running"}


def states(home: TemporaryHome) -> dict[str, str]:
    return {row["name"]: row["state"] for row in home.status()["services"]}


def test_an_undo_is_taken_over_by_a_running_tree(quiet: TemporaryHome) -> None:
    quiet.add_plugin("web", ["/bin/sleep", "1000"])
    assert quiet.sbctl("start").code == 0
    before = quiet.status("web")["services"][0]["pid"]
    assert quiet.status("scheduler")["services"][0]["detail"] == "1 server"
    quiet.add_plugin("web", ["/bin/sleep", "2000"])
    assert quiet.sbctl("reload").code == 0
    changed = quiet.status("web")["services"][0]["pid"]
    assert changed != before
    history = quiet.sbctl("config", "history").out.splitlines()
    assert "changed web" in history[0]
    undone = quiet.sbctl("config", "undo", "--yes")
    assert undone.code == 0, undone
    assert "  restart  web  commands.server" in undone.out.splitlines(), "in the words of a reload"
    eventually(lambda: quiet.status("web")["services"][0]["pid"] not in (before, changed, None))
    assert "1000" in (quiet.path / "plugins" / "web" / "manifest.json").read_text()


def test_boot_where_nothing_can_be_asked(quiet: TemporaryHome, tmp_path: Path) -> None:
    """Neither systemd nor cron: a clear word, and the command for an entry point."""
    if Path("/run/systemd/system").is_dir():
        pytest.skip("systemd is the init here")
    tools = tmp_path / "tools"
    tools.mkdir()
    result = quiet.sbctl("boot", "enable", env={"PATH": str(tools)})
    assert result.code == 5
    assert f"--home {quiet} start --foreground" in result.err


def test_several_homes(make_home: Callable[..., TemporaryHome], tmp_path: Path) -> None:
    state = {"XDG_STATE_HOME": str(tmp_path / "state")}
    one, other = make_home("one"), make_home("other")
    for home in (one, other):
        home.settings["config"] = {"enabled": False}
        home.write()
        assert home.sbctl("start", env=state).code == 0
    assert other.sbctl("stop").code == 0
    found = {home["path"]: home for home in one.sbctl("homes", "--json", env=state).json()["homes"]}
    assert (found[str(one)]["state"], found[str(one)]["pid"]) == ("running", one.pid("start"))
    assert found[str(other)]["state"] == "stopped"
    (other.path / "etc").rename(tmp_path / "etc")
    (other.path / "plugins").rename(tmp_path / "plugins")
    shown = one.sbctl("homes", "--forget", env=state)
    assert f"forgotten: {other}" in shown.err
    assert str(other) not in shown.out


def test_two_homes_take_a_free_port_each_and_keep_it(make_home: Callable[..., TemporaryHome]) -> None:
    homes = [make_home("one"), make_home("other")]
    for home in homes:
        home.settings["config"] = {"port": "auto"}
        home.write()
        started = home.sbctl("start", "--json")
        assert started.code == 0, started
    ports = [port_of(home) for home in homes]
    assert len(set(ports)) == 2
    assert all(answers(port) for port in ports)
    listed = {home["path"]: home["port"] for home in homes[0].sbctl("homes", "--json").json()["homes"]}
    assert [listed[str(home)] for home in homes] == ports
    assert homes[0].sbctl("restart", "config").code == 0
    assert port_of(homes[0]) == ports[0]
    assert answers(ports[0])


def port_of(home: TemporaryHome) -> int:
    """As status tells it."""
    return int(home.status("config")["services"][0]["detail"].rpartition(":")[2])


def answers(port: int) -> bool:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as response:
        return bool(json.load(response)["status"] == "ok")


def test_a_tab_while_it_runs(quiet: TemporaryHome) -> None:
    quiet.add_plugin("web", SLEEPER)
    assert quiet.sbctl("start").code == 0
    asked = quiet.sbctl("__complete", "fish", "restart", "")
    assert asked.out.splitlines() == ["scheduler\trunning", "web\trunning"]
    assert not os.path.exists(quiet.path / "logs" / "state.json")
