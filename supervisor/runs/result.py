"""The folder that a run works in, and the figures that its steps write there.

Whatever a step puts into its result file, reading it takes no time and breaks nothing: a bounded look at a regular
file that no link leads to. How many of them the run keeps is said in core/figures.py.
"""

from __future__ import annotations

import _thread
import errno
import os
import stat

from supervisor.base import jsons

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.model.launch import User

MAX_BYTES = 64 << 10
MAX_TEXT = 200
MAX_FIGURE = 1e300


class Unusable(ValueError):
    """There is a result file, and it can't be used; the message says why."""


def make_work_folder(path: str, user: User | None) -> str:
    """Returns what was in the way, "" if nothing was: many a step needs no folder."""
    try:
        try:
            os.mkdir(path, 0o700)
        except FileNotFoundError:  # the first run of this plugin
            os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
            os.mkdir(path, 0o700)
        except FileExistsError:  # by the step before, which may have been another account's
            if not os.path.isdir(path):
                raise
        if user is not None and os.geteuid() == 0:
            os.chown(path, user.uid, user.gid, follow_symlinks=False)
    except OSError as error:
        return "" if os.path.isdir(path) else error.strerror or str(error)
    return ""


def read_result(path: str) -> dict[str, Any]:
    """The figures in it; {} when there is no such file."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return {}
    except OSError as error:
        why = "it is a link" if error.errno == errno.ELOOP else error.strerror
        raise Unusable(f"its result file can't be read: {why}") from None
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise Unusable("its result file is no file")
        if found.st_size > MAX_BYTES:
            raise Unusable(f"its result file has {found.st_size} bytes, at most {MAX_BYTES} are read")
        data = os.read(fd, MAX_BYTES)
    except OSError as error:
        raise Unusable(f"its result file can't be read: {error.strerror}") from None
    finally:
        os.close(fd)
    return _figures(data)


def _figures(data: bytes) -> dict[str, Any]:
    if not data.strip():
        return {}
    try:
        content = jsons.loads(data)
    except (ValueError, RecursionError) as error:
        raise Unusable(f"its result file is not JSON: {str(error)[:MAX_TEXT]}") from None
    if not isinstance(content, dict):
        raise Unusable("its result file is JSON, but no object with names and values")
    figures: dict[str, Any] = {}
    for name, value in content.items():
        if value is None or (isinstance(value, int | float) and not -MAX_FIGURE < value < MAX_FIGURE):
            value = (
                "null" if value is None else str(value)[:MAX_TEXT]
            )  # NaN, say: as a text it passes no gate, for it is no number
        if not isinstance(value, str | int | float):
            continue
        figures[_text(name)] = _text(value) if isinstance(value, str) else value
    return figures


def _text(text: str) -> str:
    """Half a character, which JSON can have, is none that could be written down."""
    return text[:MAX_TEXT].encode("utf-8", "replace").decode()


def remove_work_folder(path: str) -> None:
    """In a thread: a step may have left anything in it."""
    try:
        os.rmdir(path)
    except FileNotFoundError:
        return
    except OSError:
        try:
            _thread.start_new_thread(_remove_tree, (path,))
        except RuntimeError:  # no thread is to be had: it is left to the daily tidying
            return


def _remove_tree(path: str) -> None:
    if os.path.islink(path):  # put there by a step: what it leads to is not ours
        _quietly(os.unlink, path)
        return
    for folder, folders, files in os.walk(path, topdown=False):
        for name in files:
            _quietly(os.unlink, os.path.join(folder, name))
        for name in folders:
            inner = os.path.join(folder, name)
            _quietly(os.unlink if os.path.islink(inner) else os.rmdir, inner)
    _quietly(os.rmdir, path)


def _quietly(call: Any, path: str) -> None:
    try:
        call(path)
    except OSError:
        return
