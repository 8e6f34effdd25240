"""Calls of the C library that Python has no name for, by the compiled part of `ctypes`.

The package around it makes forty classes for all that can be passed to C, of which two are needed: 0.2 MiB in each
daemon.
"""

from __future__ import annotations

import _ctypes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

last_error = _ctypes.get_errno  # of the last call that was made here


class Int(_ctypes._SimpleCData):  # type: ignore[type-arg]
    """An `int`; `value` is what was written into it (see `written_to`)."""

    _type_ = "i"


class Size(_ctypes._SimpleCData):  # type: ignore[type-arg]
    """A `size_t`; plain numbers are passed as `int`."""

    _type_ = "L"


class _Function(_ctypes.CFuncPtr):
    _flags_ = _ctypes.FUNCFLAG_CDECL | _ctypes.FUNCFLAG_USE_ERRNO
    _restype_ = Int


written_to = _ctypes.byref
_found: dict[str, Callable[..., int]] = {}


def call(name: str, *arguments: Any) -> int:
    """What it answers; numbers and bytes can be passed. Raises OSError if there is none of that name."""
    if name not in _found:
        _found[name] = _Function(_ctypes.dlsym(_ctypes.dlopen(None, 0), name))  # type: ignore[arg-type]
    return _found[name](*arguments)
