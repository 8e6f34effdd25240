"""What a person may hand to the commands of one run: arguments and variables, of a size that fits into its note."""

from __future__ import annotations

from supervisor.base.errors import USAGE, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MAX_BYTES = 60_000  # they are noted with each step


def check(args: Iterable[str], env: Mapping[str, str]) -> None:
    """Raises Problem."""
    for name in env:
        if not _is_name(name):
            raise Problem(
                f"{name[:80]!r} is no name for a variable",
                remedy="use letters, digits and _, a letter or _ first",
                code=USAGE,
            )
    texts = [*args, *env, *env.values()]
    if any("\0" in text for text in texts):
        raise Problem("an argument or a variable has a zero byte in it", why="no program can be given one", code=USAGE)
    try:
        size = sum(len(text.encode("utf-8", "surrogateescape")) for text in texts)
    except UnicodeEncodeError:
        raise Problem("an argument or a variable has half a character in it", code=USAGE) from None
    if size > MAX_BYTES:
        raise Problem(
            "that is too much to hand over",
            why=f"arguments and variables of a run may have {MAX_BYTES} bytes, these have {size}",
            remedy="write it into a file, and hand over the path of that",
            code=USAGE,
        )


def _is_name(name: str) -> bool:
    return name.isascii() and name.replace("_", "a").isalnum() and not name[0].isdigit()
