"""JSON by the compiled part of Python's `json`: the same results, without the package around it.

That loads `re` for the blanks around a text, and both together are 0.4 MiB in every daemon. What is no JSON is handed
to the package all the same, so that the error is the one that everybody knows.
"""

from __future__ import annotations

from _json import encode_basestring, encode_basestring_ascii, make_encoder, make_scanner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

BLANKS = " \t\n\r"
_CONSTANTS = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


class _How:
    """What the scanner asks for once, when it is made."""

    strict = True
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = _CONSTANTS.__getitem__

    def __init__(self, object_hook: Callable[[dict[str, Any]], Any] | None = None) -> None:
        self.object_hook = object_hook


_scan = make_scanner(_How())  # type: ignore[arg-type]


def loads(data: str | bytes | bytearray) -> Any:
    """As `json.loads`. Raises ValueError, or RecursionError."""
    if not isinstance(data, str):
        if data[:1] == b"\xef" or 0 in data[:4]:  # marked as UTF-8, or UTF-16
            return _by_the_package(data, None)
        data = data.decode("utf-8", "surrogatepass")
    return _loads(data, _scan, None)


def loads_with(text: str, object_hook: Callable[[dict[str, Any]], Any]) -> Any:
    """The same; each object becomes what this makes of it."""
    return _loads(text, make_scanner(_How(object_hook)), object_hook)  # type: ignore[arg-type]


def _loads(text: str, scan: Callable[[str, int], tuple[Any, int]], hook: Any) -> Any:
    stripped = text.strip(BLANKS)
    try:
        value, end = scan(stripped, 0)
    except (StopIteration, SystemError, ValueError):  # SystemError: its error is a class of the package
        return _by_the_package(text, hook)
    return value if end == len(stripped) else _by_the_package(text, hook)


def _by_the_package(data: str | bytes | bytearray, hook: Any) -> Any:
    try:
        import json
    except (ImportError, OSError):  # no descriptor is left to load it with, say
        raise ValueError("it can't be read") from None
    return json.loads(data, object_hook=hook)


def _refuse(value: object) -> Any:
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def encoder(*, ascii: bool = True, nan: bool = True, default: Callable[[Any], Any] = _refuse) -> Callable[[Any], str]:
    """As `json.dumps` without blanks. Raises ValueError, TypeError, or RecursionError."""
    text_of = encode_basestring_ascii if ascii else encode_basestring

    def encode(value: Any) -> str:
        return "".join(make_encoder({}, default, text_of, None, ":", ",", False, False, nan)(value, 0))

    return encode


dumps = encoder()


def dumps_lines(value: Any, blanks: str = "\n") -> str:
    """For people to read: two blanks for each level, as `json.dumps(value, indent=2)`; names are texts."""
    inner = f"{blanks}  "
    if isinstance(value, dict) and value:
        parts = [f"{dumps(name)}: {dumps_lines(each, inner)}" for name, each in value.items()]
        return f"{{{inner}{f',{inner}'.join(parts)}{blanks}}}"
    if isinstance(value, list | tuple) and value:
        return f"[{inner}{f',{inner}'.join([dumps_lines(each, inner) for each in value])}{blanks}]"
    return dumps(value)
