"""A run in the columns of the history: what is known of it at its claim, its beginning and its end. Times in ms."""

from __future__ import annotations

from supervisor.model.run import Trigger

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.runs.run import Run


def ms(wall: float) -> int | None:
    return int(wall * 1000) if wall else None


def of_claim(run: Run) -> dict[str, Any]:
    """Known before it has begun."""
    return {
        "plugin": run.plugin, "trigger": Trigger(run.trigger).value, "nominal": run.nominal, "due": ms(run.due),
        "claimed": ms(run.claimed), "attempt": 1, "retry_of": run.retry_of or None, "by": run.by or None,
        "forced": ", ".join(run.forced) or None, "tenant": run.tenant or None, "steps": list(run.progress.steps),
        "args": {"args": run.args, "env": sorted(run.env)} if run.args or run.env else None,
        "correlation": run.correlation,
    }  # fmt: skip


def of_beginning(run: Run) -> dict[str, Any]:
    return {
        "started": ms(run.started), "late_ms": int(run.late * 1000), "log": run.log, "unledgered": int(run.unledgered),
    }  # fmt: skip


def of_end(run: Run) -> dict[str, Any]:
    progress = run.progress
    return {
        "state": progress.state, "cause": progress.cause or None, "ended": ms(run.ended),
        "exit_code": run.last.get("code"), "signal": run.last.get("signal") or None, "cpu_ms": run.cpu_ms,
        "memory": run.memory, "metrics": progress.metrics or None, "words": run.words or None,
    }  # fmt: skip
