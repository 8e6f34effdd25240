"""pydantic's verdicts in plain words, with a place and a remedy."""

from __future__ import annotations

import difflib
import types
import typing
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from supervisor.settings.document import Document
from supervisor.settings.findings import Level, Path, shorten
from supervisor.settings.shape import FORMAT, Shape

S = TypeVar("S", bound=Shape)

_WANTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a map",
    "model_type": "a map",
}


def validate(model: type[S], document: Document, context: dict[str, Any] | None = None) -> S | None:
    """The file as a model, or None; everything that is wrong goes to the document's findings.

    In a file of a newer format unknown keys are warnings: what they ask for can't be done, the rest can.
    """
    data = {} if document.data is None else document.data
    newer = _warn_of_newer_format(data, document)
    try:
        return model.model_validate(data, context=context)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=True)
    unknown = [detail for detail in details if detail["type"] == "extra_forbidden"]
    for detail in details:
        _report(model, document, detail, "warning" if newer and detail in unknown else "error")
    if not newer or len(unknown) < len(details):
        return None
    for detail in unknown:
        _remove(data, _key_path(document, detail["loc"]))
    return model.model_validate(data, context=context)


def _warn_of_newer_format(data: Any, document: Document) -> bool:
    number = data.get("format") if isinstance(data, dict) else None
    if not isinstance(number, int) or number <= FORMAT:
        return False
    document.report(
        ("format",),
        f"format {number} is newer than this version of sbctl, which knows {FORMAT}",
        "upgrade sbctl; keys that it does not know are left out",
        level="warning",
    )
    return True


def _remove(data: Any, path: Path) -> None:
    for step in path[:-1]:
        data = data[step]
    del data[path[-1]]


def _report(model: type[BaseModel], document: Document, detail: ErrorDetails, level: Level) -> None:
    kind = detail["type"]
    if document.is_full:
        return
    if kind == "extra_forbidden":
        path = _key_path(document, detail["loc"])
        message, remedy = "not a known key", _nearest(model, detail["loc"])
        document.report(path, message, remedy, level=level, at_key=True)
        return
    if kind == "missing":
        path = _key_path(document, detail["loc"])
        document.report(path, "is missing", f'add "{path[-1]}"', level=level)
        return
    is_key = detail["loc"][-1:] == ("[key]",)
    path = document.positions.as_written(detail["loc"][:-1] if is_key else detail["loc"])
    message, remedy = _words(kind, detail)
    document.report(path, message, remedy, level=level, at_key=is_key)


def _key_path(document: Document, path: Path) -> Path:
    """Of a key that is not known, or not there."""
    return (*document.positions.as_written(path[:-1]), path[-1])


def _words(kind: str, detail: ErrorDetails) -> tuple[str, str]:
    context = detail.get("ctx", {})
    if kind == "sbctl":
        return str(context["message"]), str(context["remedy"])
    if kind in _WANTED:
        return f"must be {_WANTED[kind]}, not {_kind_of(detail['input'])}", _type_remedy(kind, detail["input"])
    match kind:
        case "literal_error":
            return f"must be one of: {_plain(context['expected'])}", "choose one of them"
        case "greater_than":
            return f"must be greater than {_number(context['gt'])}", f"write a number above {_number(context['gt'])}"
        case "greater_than_equal":
            return f"must be at least {_number(context['ge'])}", f"write {_number(context['ge'])} or more"
        case "less_than_equal":
            return f"must be at most {_number(context['le'])}", f"write {_number(context['le'])} or less"
        case "too_short" | "string_too_short":
            return "must not be empty", "give a value, or remove the key"
        case "too_long" | "string_too_long":
            return f"is too long (at most {context['max_length']})", "shorten it"
        case _:
            return detail["msg"][:1].lower() + detail["msg"][1:], "correct the value"


def _plain(expected: str) -> str:
    return expected.replace("'", "").replace(" or ", ", ")


def _number(value: Any) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _kind_of(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case None:
            return "null"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
        case _:
            return "a map"


def _type_remedy(kind: str, value: Any) -> str:
    """What most likely happened. Values are never shown: one may be a secret."""
    if kind == "string_type" and isinstance(value, bool):
        return "put it in quotes (YAML reads on, off, yes and no as true and false)"
    if kind == "string_type" and isinstance(value, int | float):
        return "put it in quotes"
    if isinstance(value, str) and kind in ("int_type", "float_type"):
        return "write plain digits, without quotes"
    if isinstance(value, str) and kind == "bool_type":
        return "write true or false, without quotes"
    if kind == "list_type":
        return "write it as a list: [ ... ]"
    return f"write {_WANTED[kind]}"


def _nearest(model: type[BaseModel], path: Path) -> str:
    names = _known_names(model, path[:-1])
    key = str(path[-1])[:64]
    folded = {_folded(name): name for name in names}
    deeper = [f"{name}.{key}" for name in names if key in _known_names(model, (*path[:-1], name))]
    close = difflib.get_close_matches(key, names, 1, 0.6)
    if meant := [folded[_folded(key)]] if _folded(key) in folded else deeper or close:
        return f"did you mean {meant[0]}?"
    return f"remove {shorten(key)}, or name it x-{shorten(key)} to keep it as a note; known here: {', '.join(names)}"


def _folded(name: str) -> str:
    """The same for autoStart, autostart, auto_start and auto-start."""
    return name.casefold().replace("_", "").replace("-", "")


def _known_names(model: type[BaseModel], path: Path) -> list[str]:
    """The keys of the map at `path`: the annotations are walked along it."""
    annotation: Any = model
    for step in path:
        inner = _model_in(annotation)
        if inner is not None and isinstance(step, str):
            found = [field for field in inner.model_fields.values() if field.alias == step]
            annotation = found[0].annotation if found else _of_further_keys(inner)
        else:
            annotation = (typing.get_args(_without_none(annotation)) or (None,))[-1]
    inner = _model_in(annotation)
    return sorted(field.alias or "" for field in inner.model_fields.values()) if inner else []


def _of_further_keys(model: type[BaseModel]) -> Any:
    """What a map holds whose keys may have any name."""
    if model.model_config.get("extra") != "allow":
        return None
    return typing.get_args(typing.get_type_hints(model, include_extras=True)["__pydantic_extra__"])[-1]


def _without_none(annotation: Any) -> Any:
    while typing.get_origin(annotation) in (typing.Union, types.UnionType, typing.Annotated):
        annotation = next(each for each in typing.get_args(annotation) if each is not type(None))
    return annotation


def _model_in(annotation: Any) -> type[BaseModel] | None:
    plain = _without_none(annotation)
    return plain if isinstance(plain, type) and issubclass(plain, BaseModel) else None
