"""The figures that the design asks for: in its order, in words, and which row of which figure says what was reached."""

from __future__ import annotations

from typing import NamedTuple

OURS = "sbctl"


class Asked(NamedTuple):
    words: str
    key: str
    row: str = OURS


ASKED = (
    Asked("100 servers run after `sbctl start`", "start.100"),
    Asked("500 servers run after `sbctl start`", "start.500"),
    Asked("the config server answers after `sbctl start`", "config.answers.100"),
    Asked("100 servers are gone after a stop", "stop.100"),
    Asked("500 servers are gone after a stop", "stop.500"),
    Asked("the whole tree of 100 is gone", "stop.tree.100"),
    Asked("20 servers that ignore SIGTERM are gone, their grace 1 s", "deaf.20"),
    Asked("100 of them are gone", "deaf.100"),
    Asked("500 of them are gone", "deaf.500"),
    Asked("1,000 of them are gone", "deaf.1000"),
    Asked("restart of 1 of 100 after kill -9", "restart.100"),
    Asked("scheduler killed, 100 servers adopted again", "adopt.100"),
    Asked("log of 1 writer, exact", "logs.speed.1"),
    Asked("log of 1 writer, processor time", "logs.cpu.1"),
    Asked("log of 20 writers, exact", "logs.speed.20"),
    Asked("log of 20 writers, processor time", "logs.cpu.20"),
    Asked("`sbctl status`, 100 services, each after a pause", "status.command.100", f"{OURS}, each after a pause"),
    Asked("status on an open connection, one question after the other", "status.asked.100"),
    Asked("idle, 100 servers and 1,000 schedules: memory of `start`", "schedules.idle.1000.pss", "sbctl start"),
    Asked("idle: memory of the scheduler", "schedules.idle.1000.pss", "sbctl scheduler"),
    Asked("idle: memory of the config server", "config.idle.100.pss", "sbctl config"),
    Asked("idle: processor time of `start`", "schedules.idle.1000.cpu", "sbctl start"),
    Asked("idle: processor time of the scheduler", "schedules.idle.1000.cpu", "sbctl scheduler"),
    Asked("idle: wake-ups of `start`", "wakeups.100", "sbctl start"),
    Asked("idle: wake-ups of the scheduler", "wakeups.100", "sbctl scheduler"),
    Asked("idle: wake-ups of the config server", "config.idle.100.switches", "sbctl config"),
    Asked("10,000 compiled schedules loaded", "schedules.load.10000"),
    Asked("100,000 compiled schedules loaded", "schedules.load.100000"),
    Asked("memory of 10,000 schedules", "schedules.memory.10000"),
    Asked("1,000 due in one second: the median is decided", "schedules.due.1000.median"),
    Asked("1,000 due in one second: the last is decided", "schedules.due.1000.last"),
    Asked("1,000 due in one second: the last claim is durable", "schedules.due.1000.claimed"),
    Asked("200 commands due in one second, all ended, each with its durable row", "schedules.commands.200"),
)
