"""Numbers of things, as a sentence has them."""

from __future__ import annotations

HISSING = ("s", "sh", "ch", "x")


def counted(count: int, noun: str) -> str:
    """`1 server`, `2 servers`, `1 fast crash`, `0 crashes`."""
    return f"{count} {plural(count, noun)}"


def plural(count: int, noun: str) -> str:
    """The noun of so many; no word of ours ends with a consonant and y."""
    if count == 1:
        return noun
    return f"{noun}es" if noun.endswith(HISSING) else f"{noun}s"
