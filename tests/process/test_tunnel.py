"""The tunnel keeps its provider alive, and says how that goes."""

from __future__ import annotations

from support.children import child
from support.daemon import Daemon
from support.processes import alive, kill
from support.waiting import eventually


def with_provider(daemon: Daemon, command: list[str]) -> Daemon:
    daemon.home.settings["tunnel"] = {"enabled": True, "command": command}
    daemon.home.write()
    return daemon


def test_a_running_provider_makes_it_ready_and_ends_with_it(daemon: Daemon) -> None:
    with_provider(daemon, child("ready")).start()
    eventually(lambda: daemon.row("tunnel")["ready"])
    (provider,) = daemon.marked()["provider.1"]
    tunnel = daemon.pid("tunnel")

    assert daemon.stop() == 0

    assert not alive(provider)
    assert not alive(tunnel)


def test_a_provider_that_dies_is_started_again(daemon: Daemon) -> None:
    daemon.home.supervision["fastCrashSeconds"] = 0.001
    with_provider(daemon, child("ready")).start()
    (old,) = eventually(lambda: daemon.marked().get("provider.1"))
    tunnel = daemon.pid("tunnel")

    kill(old)

    eventually(lambda: daemon.marked().get("provider.2"))
    eventually(lambda: daemon.row("tunnel")["ready"])
    assert daemon.pid("tunnel") == tunnel


def test_without_a_running_provider_it_is_not_green(daemon: Daemon) -> None:
    with_provider(daemon, ["nosuchtunnel"]).start(wait=False)

    row = eventually(lambda: "not found" in daemon.row("tunnel")["detail"] and daemon.row("tunnel"))

    assert row["state"] == "starting"
    assert not row["ready"]


def test_a_provider_that_is_lost_later_degrades_it(daemon: Daemon) -> None:
    daemon.home.supervision["delaysSeconds"] = [30]
    with_provider(daemon, child("ready")).start()
    eventually(lambda: daemon.row("tunnel")["ready"])

    kill(daemon.marked()["provider.1"][0])

    row = eventually(lambda: not daemon.row("tunnel")["ready"] and daemon.row("tunnel"))
    assert row["state"] == "running"
    assert "SIGKILL" in row["detail"]
    assert daemon.ask("start", "status")["summary"]["state"] == "degraded"


def test_it_goes_by_other_settings_without_being_restarted(daemon: Daemon) -> None:
    daemon.home.supervision.update(settleSeconds=3600, reconcileSeconds=600)
    with_provider(daemon, child("ready")).start(wait=False)
    eventually(lambda: daemon.marked().get("provider.1"))
    pid = eventually(lambda: daemon.pid("tunnel"))
    assert not daemon.row("tunnel")["ready"]
    daemon.home.supervision.update(settleSeconds=0.1, reconcileSeconds=300)
    daemon.home.write()

    daemon.reload()

    eventually(lambda: daemon.row("tunnel")["ready"])
    assert daemon.pid("tunnel") == pid
