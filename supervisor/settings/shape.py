"""What all models of settings files have in common, and the small types that they share.

Every check is a pydantic one, so that one pass over a file finds everything that is wrong with it.
"""

from __future__ import annotations

import re
import signal
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar, cast

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

FORMAT = 1  # of all files

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


class OneOf(Shape):
    """A map that has at most one of some keys."""

    ONE_OF: ClassVar[tuple[str, ...]] = ()

    @model_validator(mode="after")
    def _has_one(self) -> Self:
        found = [to_camel(name) for name in self.ONE_OF if name in self.model_fields_set]
        if len(found) > 1:
            raise wrong(f"there are both {found[0]} and {found[1]}", "keep one of the two")
        return self


S = TypeVar("S", bound=Shape)


def given(shape: Shape | None) -> dict[str, Any]:
    """The fields that a person has written, and only those."""
    return {} if shape is None else {name: getattr(shape, name) for name in shape.model_fields_set}


def merged(lower: S, upper: Shape | None) -> S:
    """`upper` beats `lower` key by key, also in maps within; lists are replaced."""
    values, new = given(lower), given(upper)
    if isinstance(lower, OneOf) and any(name in new for name in lower.ONE_OF):
        values = {name: value for name, value in values.items() if name not in lower.ONE_OF}
    for name, value in new.items():
        old = values.get(name)
        values[name] = merged(old, value) if isinstance(old, Shape) and isinstance(value, Shape) else value
    return cast("S", type(lower).model_construct(set(values), **values))


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


def _check_exit(value: Any) -> Any:
    if isinstance(value, str):
        return _check_signal(value)
    return _check_exit_code(value)


def _check_exit_code(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong("must be an exit code", "write a number from 0 to 255")
    if value < 0:
        raise wrong("must be at least 0", "write 0 or more")
    if value > 255:
        raise wrong("must be at most 255", "write 255 or less")
    return value


_CODE = {"type": "integer", "minimum": 0, "maximum": 255}


def as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Seconds = Annotated[float, Field(gt=0, le=31 * DAY_S)]
ZeroSeconds = Annotated[float, Field(ge=0, le=31 * DAY_S)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
ExitCode = Annotated[int, BeforeValidator(_check_exit_code), WithJsonSchema(_CODE)]
Exit = Annotated[int | str, BeforeValidator(_check_exit), WithJsonSchema({"anyOf": [_CODE, {"type": "string"}]})]
Format = Annotated[int, Field(ge=1)]
Variable = Annotated[str, AfterValidator(_check_variable)]
SignalName = Annotated[str, AfterValidator(_check_signal)]
Text = Annotated[str, Field(max_length=10_000)]
FilePath = Annotated[str, Field(min_length=1, max_length=4096)]
RestartWord = Literal["always", "on-failure", "never"]
