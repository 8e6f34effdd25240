"""Limits that the kernel keeps, from the manifest to the server; and what becomes of one that can't be set."""

from __future__ import annotations

import pytest
from support.children import child
from support.daemon import Daemon
from support.waiting import eventually

SHOW = (
    'ulimit -S -n; ulimit -H -n; umask; cut -d" " -f19 /proc/self/stat; cat /proc/self/oom_score_adj; exec sleep 1000'
)


def shown(daemon: Daemon, name: str) -> list[str]:
    return eventually(lambda: len(found := daemon.home.log(name).split()) >= 5 and found)


@pytest.mark.root
def test_a_server_has_the_limits_of_its_manifest_also_as_another_user(daemon: Daemon) -> None:
    limits = {"openFiles": 77, "umask": "027", "nice": 3, "oomScore": 5, "ionice": "best-effort:6", "coreMb": 0}
    argv = ["/bin/sh", "-c", SHOW]
    daemon.home.add_plugin("own", argv, limits=limits)
    daemon.home.add_plugin("other", argv, limits=limits, manifest={"user": "nobody", "cwd": "/"})
    daemon.start()

    assert shown(daemon, "own") == ["77", "77", "0027", "3", "5"]
    assert shown(daemon, "other") == ["77", "77", "0027", "3", "5"]


def test_a_limit_that_can_not_be_set_is_named_and_the_setting_says_what_follows(daemon: Daemon) -> None:
    daemon.home.supervision["delaysSeconds"] = [0.01]
    daemon.home.write()
    never = {"openFiles": "unlimited"}  # above what any kernel has
    daemon.home.add_plugin("fails", child("ready"), limits=never)
    daemon.home.add_plugin("starts", child("ready"), limits={**never, "ifRefused": "start"})
    daemon.start()

    row = daemon.in_phase("fails", "failed")
    assert row["cause"].startswith("cannot set limit openFiles: ")
    assert daemon.events("fails", "service.exited")[-1]["data"]["cause"]["kind"] == "bad-limit"
    daemon.in_phase("starts", "running")
    assert "cannot set limit openFiles" in eventually(lambda: daemon.home.log("starts"))
