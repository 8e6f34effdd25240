"""What it costs the scheduler to ask every server how it is, once in ten seconds."""

from __future__ import annotations

import json
import socket
import sys
import time
from pathlib import Path

from benchmarks import procs, targets
from benchmarks.ours import Ours
from benchmarks.plan import Plan, say
from benchmarks.ports import free_ports
from benchmarks.report import Figure
from benchmarks.subject import Services

INTERVAL_S = 10.0
PATIENCE_S = 10.0
SERVER = Path(__file__).resolve().parents[1] / "children" / "answers.py"


class OursWithProbes(Ours):
    """Each server has a check; all of them ask the same HTTP server, which is not measured."""

    letter = "q"
    port = 0

    def write(self, services: Services) -> None:
        super().write(services)
        for name in services:
            path = self.folder / "plugins" / name / "manifest.json"
            manifest = json.loads(path.read_text())
            manifest["server"]["alive"] = {"http": f":{self.port}/healthz", "intervalSeconds": INTERVAL_S}
            path.write_text(json.dumps(manifest))


def measure(plan: Plan) -> list[Figure]:
    if plan.of(Ours) is None:
        return []
    count, seconds = plan.children, 10.0 if plan.quick else 30.0
    title = f"Probes: processor time of the scheduler for {count} http checks, each every {INTERVAL_S:g} s"
    figure = Figure(title, "s a minute", key=f"probes.{count}", note=f"over {seconds:g} s each time")
    ours = OursWithProbes(plan.work, plan.mark)
    (ours.port,) = free_ports(1)
    ours.work.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-I", "-S", str(SERVER), str(ours.port)]
    server = procs.run_in_background(command, ours.environment(), ours.work / "answers.out")
    try:
        procs.wait_for("the server of the checks", lambda: _listens(ours.port), PATIENCE_S)
        ours.prepare("probes", ours.sleepers(count))
        ours.start(count)
        time.sleep(1.5)  # titles, and what else is put off until after the start
        values = [_used(ours, seconds) * 60 / seconds for _ in range(plan.windows)]
        target = targets.PROBES_CPU_S_A_MINUTE * count / 100
        figure.add(ours.name, values, target=target, wrong=_wrong(ours))
    except procs.TookTooLong as error:
        figure.add(ours.name, [], note=f"not measured: {error}")
    finally:
        ours.end()
        procs.end([server.pid])
    return [figure]


def _used(ours: OursWithProbes, seconds: float) -> float:
    say(f"probes, {seconds:g} s")
    before = procs.cost([ours.daemons()["scheduler"]]).cpu_s
    time.sleep(seconds)
    return procs.cost([ours.daemons()["scheduler"]]).cpu_s - before


def _wrong(ours: OursWithProbes) -> str:
    """Empty when every answer was a good one; else it is not this that was measured."""
    journal = (ours.folder / "logs" / "scheduler.log").read_text()
    return "some were found unwell" if "service.unhealthy" in journal else ""


def _listens(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0
