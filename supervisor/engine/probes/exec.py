"""A command that is run beside the service: exit 0 is well."""

from __future__ import annotations

from supervisor.base.where import role_command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.engine.engine import Engine
    from supervisor.engine.jobs import Job
    from supervisor.engine.probes.connection import Done
    from supervisor.engine.service import Service
    from supervisor.model.check import Check

OWN = "role:"  # a helper of this very copy, which asks what can't be asked from within the loop
REFUSED = "exit code 1: "  # before what such a helper says itself


class Command:
    """One process, killed at its limit."""

    __slots__ = ("_job",)

    def __init__(self, engine: Engine, service: Service, name: str, check: Check, done: Done) -> None:
        argv, bare = check.argv, check.argv[0].startswith(OWN)
        if bare:
            argv = tuple(role_command(argv[0].removeprefix(OWN), *argv[1:]))

        def told(ok: bool, text: str) -> None:
            done(ok, text.removeprefix(REFUSED) if bare else f"failed: {text}")

        self._job: Job = engine.jobs.run(service, name, argv, check.timeout, told, bare=bare)

    def cancel(self) -> None:
        self._job.leave()
