"""The config server: until it answers after a start, and what it costs while nobody asks."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import time

from benchmarks import procs, targets
from benchmarks.figures import idle
from benchmarks.ours import Ours
from benchmarks.plan import Plan, say
from benchmarks.ports import free_ports
from benchmarks.report import Figure

PATIENCE_S = 20.0
LIMIT = "limit, Python that loads fastapi and uvicorn"
LOADS = [sys.executable, "-I", "-c", "import fastapi, uvicorn"]


class OursWithConfig(Ours):
    """It is left out of the other figures."""

    letter = "w"

    def settle(self) -> None:
        time.sleep(0.1)


def measure(plan: Plan) -> list[Figure]:
    if plan.of(Ours) is None:
        return []
    title = f"Config server: launch until /healthz answers, {plan.children} children"
    figure = Figure(title, "s", key=f"config.answers.{plan.children}")
    ours = OursWithConfig(plan.work, plan.mark)
    ours.config_port = free_ports(1)[0]
    ours.prepare("config", ours.sleepers(plan.children))
    values: list[float] = []
    loads: list[float] = []
    try:
        for turn in range(plan.rounds + 1):
            say(f"config server, round {turn} of {plan.rounds}")
            loaded = procs.seconds_of(LOADS, dict(os.environ))
            took = _one(ours, plan.children)
            if turn > 0:
                values.append(took)
                loads.append(loaded)
            if turn < plan.rounds:
                ours.end()
        figure.add(ours.name, values, target=targets.DASHBOARD_S)
        figure.add(LIMIT, loads)
        seconds = 10.0 if plan.quick else 20.0
        what = f"{plan.children} children and the config server"
        return [figure, *idle.watch([ours], what, seconds, plan.windows, key=f"config.idle.{plan.children}")]
    except procs.TookTooLong as error:
        figure.add(ours.name, [], note=f"not measured: {error}")
        return [figure]
    finally:
        ours.end()


def _one(ours: OursWithConfig, count: int) -> float:
    began = procs.now()
    ours.start(count)
    procs.wait_for("the config server answers", lambda: _answers(ours.config_port or 0), PATIENCE_S, 0.01)
    return procs.now() - began


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as sock:
        sock.sendall(f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
        return sock.recv(64).startswith(b"HTTP/1.1 200")
    return False
