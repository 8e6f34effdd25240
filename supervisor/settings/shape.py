"""What all models of settings files have in common, and the small types that they share.

Every check is a pydantic one, so that one pass over a file finds everything that is wrong with it.
"""

from __future__ import annotations

import re
import signal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

FORMAT = 1  # of all three files

DAY_S = 86_400.0
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def wrong(message: str, remedy: str = "") -> PydanticCustomError:
    """An error of ours, with its remedy, for validators to raise."""
    return PydanticCustomError("sbctl", "{message}", {"message": message, "remedy": remedy})


class Shape(BaseModel):
    """A map in a file: camelCase keys, none unknown but notes (`x-...`), nothing converted."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        alias_generator=to_camel,
        allow_inf_nan=False,
        hide_input_in_errors=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _leave_out(cls, data: Any) -> Any:
        """Notes, and known keys without a value: in YAML a section with every line commented out is null."""
        if not isinstance(data, dict):
            return data
        known = {field.alias for field in cls.model_fields.values()}
        return {
            key: value
            for key, value in data.items()
            if not str(key).startswith("x-") and not (value is None and key in known)
        }


def given(shape: Shape | None) -> dict[str, Any]:
    """The fields that a person has written, and only those."""
    return {} if shape is None else {name: getattr(shape, name) for name in shape.model_fields_set}


def _check_variable(name: str) -> str:
    if not NAME.fullmatch(name):
        raise wrong("not a name for an environment variable", "use letters, digits and _, not a digit first")
    return name


def _check_signal(name: str) -> str:
    if f"SIG{name.upper().removeprefix('SIG')}" not in signal.Signals.__members__:
        raise wrong("not a signal", "write a name like TERM, INT, QUIT, HUP, USR1 or KILL")
    return name


def signal_number(name: str) -> int:
    return int(signal.Signals[f"SIG{name.upper().removeprefix('SIG')}"])


def _check_hours(value: Any) -> Any:
    if isinstance(value, str):
        if not value.startswith("env:") or not NAME.fullmatch(value[4:]):
            raise wrong("must be a number of hours or env:NAME", "write a number like 6, or env:SB_INTERVAL_HOURS")
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong("must be a number of hours or env:NAME", "write a number like 6, or env:SB_INTERVAL_HOURS")
    elif not 0 < value <= 24 * 366:
        raise wrong("must be greater than 0 and at most 8784 hours", "write a number like 6")
    return value


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Seconds = Annotated[float, Field(gt=0, le=31 * DAY_S)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
ExitCode = Annotated[int, Field(ge=0, le=255)]
Format = Annotated[int, Field(ge=1)]
Variable = Annotated[str, AfterValidator(_check_variable)]
SignalName = Annotated[str, AfterValidator(_check_signal)]
Hours = Annotated[
    float | str,
    BeforeValidator(_check_hours, json_schema_input_type=float | str),
]
Verb = Literal["get", "process", "push", "backup", "rollback"]
Verbs = Annotated[list[Verb], BeforeValidator(_as_list, json_schema_input_type=str | list[str])]
RestartWord = Literal["always", "on-failure", "never"]
