"""What a person may hand to one run: commands, their arguments and variables, of a size that fits into its note."""

from __future__ import annotations

from supervisor.base.errors import USAGE, Problem
from supervisor.core.room import HANDED_OVER, size_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def check(args: Sequence[str], env: Mapping[str, str], **more: Sequence[str]) -> None:
    """Raises Problem. `more`: what else of the request is noted."""
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
    if not all(map(_is_whole, texts)):
        raise Problem("an argument or a variable has half a character in it", code=USAGE)
    size = size_of({"args": args, "env": env, **more})
    if size > HANDED_OVER:
        raise Problem(
            "that is too much to hand over",
            why=f"commands, arguments and variables of a run may have {HANDED_OVER} bytes as JSON, these have {size}",
            remedy="write it into a file, and hand over the path of that",
            code=USAGE,
        )


def _is_whole(text: str) -> bool:
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True


def _is_name(name: str) -> bool:
    return name.isascii() and name.replace("_", "a").isalnum() and not name[0].isdigit()
