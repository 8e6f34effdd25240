"""The keys that say what must be so before a server is started."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from supervisor.settings.shape import FilePath, Seconds, Shape, wrong

ServiceName = Annotated[str, Field(min_length=1, max_length=80)]


class RequirementKeys(Shape):
    """Another server that must be there."""

    name: ServiceName = Field(description="a plugin, with all its instances, or one instance like `web:2`")
    condition: Literal["started", "ready", "finished"] = Field(
        "ready", description="its process is there; it is ready; or it has done its work and ended well"
    )
    restart: bool = Field(False, description="restart this server when that one has been restarted")


def _requirement(value: Any) -> Any:
    if isinstance(value, str):
        return {"name": value}
    if not isinstance(value, dict):
        raise wrong("must be a name or a map", 'write "db", or {"name": "db", "condition": "started"}')
    return value


Requirement = Annotated[RequirementKeys, BeforeValidator(_requirement, json_schema_input_type=str | RequirementKeys)]
Port = Annotated[int, Field(ge=1, le=65_535)]


class WaitFor(Shape):
    """What else must be so; it is looked at again and again, and costs no tries."""

    files: list[FilePath] | None = Field(None, description="files that must be there, relative to `cwd`")
    ports_free: list[Port] | None = Field(None, description="TCP ports that nobody may listen on")
    free_disk_mb: Annotated[float, Field(gt=0, le=1e9)] | None = Field(
        None, description="MiB that must be free on the disk of `cwd`"
    )
    timeout_seconds: Seconds | None = Field(
        None, description="so long for all of this and `requires`, then it is a failed start; for ever if not given"
    )
