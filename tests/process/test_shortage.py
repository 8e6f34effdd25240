"""R14: too few descriptors, at the worst moment: what can't be done now is done later, and nobody is lost."""

from __future__ import annotations

import resource

from support.children import child
from support.daemon import Daemon
from support.processes import alive, kill
from support.waiting import eventually


def limit_files(pid: int, count: int) -> None:
    _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (count, hard))


def test_a_scheduler_killed_while_start_has_no_descriptor_left(daemon: Daemon) -> None:
    """`start` can neither pump nor make a channel for a new scheduler; both come once there is room again."""
    for number in range(6):
        daemon.home.add_plugin(f"server{number}", child("spew", 0, 50))
    daemon.start()
    start, old = daemon.pid("start"), daemon.pid("scheduler")
    before = {name: row["pid"] for name, row in daemon.rows().items() if name != "scheduler"}
    limit_files(start, 12)

    kill(old)

    eventually(lambda: not alive(old))
    eventually(lambda: alive(start) and all(alive(pid) for pid in before.values()))
    limit_files(start, 4096)
    eventually(lambda: daemon.home.pid("scheduler") not in (old, None), 20)
    daemon.settle()
    assert {name: row["pid"] for name, row in daemon.rows().items() if name != "scheduler"} == before


def test_a_spawn_without_a_descriptor_costs_no_budget_and_is_tried_again(daemon: Daemon) -> None:
    daemon.home.add_plugin("server", child("ready"), autoStart=False)
    daemon.start()
    daemons = (daemon.pid("start"), daemon.pid("scheduler"))
    with daemon.client("scheduler") as client:
        client.request("ping")  # accepted while there was room for it
        for pid in daemons:
            limit_files(pid, 10)
        client.request("start", names=["server"])
        for pid in daemons:
            limit_files(pid, 4096)
    daemon.in_phase("server", "running", 20)
    assert daemon.events("server", "service.gave_up") == []
