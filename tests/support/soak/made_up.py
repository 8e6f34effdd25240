"""Evidence of a soak that never was: a clean one, for tests of the checker to spoil."""

from __future__ import annotations

from typing import Any

from .check_memory import CALM
from .evidence import Definition, Evidence, Execution, Fault, Job, Life, Rule, Sample, Server

BEGAN, UNTIL = 1_000_000.0, 1_000_600.0
CALM_FROM = UNTIL - 200.0
EVERY = 20
FIRST = int(BEGAN) + EVERY


def row(schedule: str, nominal: int, **fields: Any) -> dict[str, Any]:
    return {
        "schedule": schedule, "nominal": nominal, "nominal_to": nominal, "outcome": "run", "reason": None, "count": 1,
        "run": f"{schedule}-{nominal}", "decided": nominal * 1000 + 5, **fields,
    }  # fmt: skip


def run_of(schedule: str, nominal: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"{schedule}-{nominal}", "schedule": schedule, "nominal": nominal, "trigger": "schedule",
        "claimed": nominal * 1000 + 5, "started": nominal * 1000 + 10, "ended": nominal * 1000 + 900,
        "state": "succeeded", "cause": None, "exit_code": 0, "signal": None, "steps": '["get"]', **fields,
    }  # fmt: skip


def execution(schedule: str, nominal: int, **fields: Any) -> Execution:
    its = Execution(
        schedule, f"{schedule}-{nominal}", nominal, "get", 1, "schedule", 77, nominal + 0.1, nominal + 0.8, 0
    )
    return its._replace(**fields)


def step(schedule: str, nominal: int, **fields: Any) -> dict[str, Any]:
    return {"run": f"{schedule}-{nominal}", "name": "get", "attempt": 1, "state": "succeeded", **fields}


def told(run: str, state: str = "succeeded") -> dict[str, Any]:
    return {"kind": f"run.{state}", "service": run.partition("-")[0], "data": {"run": run}}


def exited(service: str, pid: int, code: int | None = 0, signal: str | None = None) -> dict[str, Any]:
    cause = {"kind": "clean", "code": code, "signal": signal}
    data = {"pid": pid, "key": f"{service}.{pid - 9}", "uptime": 100.0, "cause": cause}
    return {"kind": "service.exited", "service": service, "data": data}


def line(life: Life, number: int, letter: str = "o") -> bytes:
    return f"#{life.name} {letter} {number:010d} ....".encode()


FIRST_LIFE = Life("web", "web.1", 10, 100, BEGAN + 1, BEGAN + 300, out=50, err=0, code=3)
SECOND_LIFE = Life("web", "web.2", 11, 400, BEGAN + 301, BEGAN + 610, out=40, err=0, code=0)


def clean() -> Evidence:
    """One schedule and one service, ten minutes; the service has ended once by itself."""
    evidence = Evidence(BEGAN, UNTIL, servers={"web": Server("web")})
    evidence.jobs["job"] = Job("job", (Definition(Rule(every=EVERY), BEGAN, BEGAN + 1),), anchor=FIRST, grace=4.0)
    evidence.lives = [FIRST_LIFE, SECOND_LIFE]
    evidence.lines["web", "server.log"] = [
        b"ready", *(line(FIRST_LIFE, n) for n in range(1, 51)), b"ready", *(line(SECOND_LIFE, n) for n in range(1, 41))
    ]  # fmt: skip
    evidence.events = [exited("web", 10, 3), exited("web", 11)]
    for nominal in range(FIRST, int(UNTIL) + 1, EVERY):
        add_run(evidence, nominal)
    evidence.faults.append(Fault(CALM, "", CALM_FROM, end=UNTIL))
    for second in range(0, 600, 5):
        mains: dict[str, tuple[str, ...]] = {"web": ((FIRST_LIFE if second < 301 else SECOND_LIFE).name,)}
        evidence.samples.append(Sample(BEGAN + second, mains, {"start": (1, 8000), "scheduler": (2, 12000)}))
    return evidence


def add_run(evidence: Evidence, nominal: int, schedule: str = "job") -> None:
    evidence.slots.append(row(schedule, nominal))
    evidence.runs.append(run_of(schedule, nominal))
    evidence.steps.append(step(schedule, nominal))
    evidence.executions.append(execution(schedule, nominal))
    evidence.events.append(told(f"{schedule}-{nominal}"))


def drop_run(evidence: Evidence, nominal: int, schedule: str = "job") -> None:
    """All of it, but its slot."""
    run = f"{schedule}-{nominal}"
    evidence.runs = [each for each in evidence.runs if each["id"] != run]
    evidence.steps = [each for each in evidence.steps if each["run"] != run]
    evidence.executions = [each for each in evidence.executions if each.run != run]
    evidence.events = [each for each in evidence.events if each["data"].get("run") != run]


def skipped(evidence: Evidence, nominal: int, reason: str, **fields: Any) -> None:
    """Its row, and nothing of a run."""
    drop_run(evidence, nominal)
    place = next(n for n, each in enumerate(evidence.slots) if each["nominal"] == nominal)
    evidence.slots[place] = row("job", nominal, outcome="skipped", reason=reason, run=None, **fields)


def fault(evidence: Evidence, kind: str, target: str, first: float, last: float, **data: Any) -> None:
    """Surely in force from a tenth of a second behind `first` until as much before `last`."""
    evidence.faults.append(Fault(kind, target, first, first + 0.1, last - 0.1, last, data))
