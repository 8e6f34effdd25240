"""Which services a word means: a service, a plugin (all its instances), or a pattern like `web*`.

Patterns are those of a shell: `*`, `?`, `[abc]`, `[!a-c]`. (`fnmatch` would load the regular expressions.)
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

WILD = "*?["


def is_pattern(word: str) -> bool:
    return any(char in word for char in WILD)


def matching(word: str, plugins: Mapping[str, str]) -> list[str]:
    """The services that a word means, in the order given; none: nobody is called that.

    `plugins`: of each service the plugin whose server it is.
    """
    if word in plugins:
        return [word]
    if is_pattern(word):
        return [name for name, plugin in plugins.items() if fits(name, word) or fits(plugin, word)]
    return [name for name, plugin in plugins.items() if plugin == word]


def fits(text: str, pattern: str) -> bool:
    """Whether all of the text is as the pattern says. Never slower than the product of their lengths."""
    at, place = 0, 0
    star, resume = -1, 0  # the last `*`, and up to where it has been tried to reach
    while at < len(text):
        end = _one(text[at], pattern, place)
        if place < len(pattern) and pattern[place] == "*":
            star, resume = place, at
            place += 1
        elif end:
            at, place = at + 1, end
        elif star >= 0:  # let the last star take one letter more
            resume += 1
            at, place = resume, star + 1
        else:
            return False
    return all(char == "*" for char in pattern[place:])


def _one(char: str, pattern: str, place: int) -> int:
    """Where the pattern goes on after matching this letter at `place`; 0: it doesn't match."""
    if place >= len(pattern):
        return 0
    wanted = pattern[place]
    if wanted == "[":
        end = pattern.find("]", place + 3 if pattern[place + 1 : place + 2] in ("!", "^") else place + 2)
        if end > 0:
            return end + 1 if _in_set(char, pattern[place + 1 : end]) else 0
    return place + 1 if wanted in (char, "?") else 0


def _in_set(char: str, members: str) -> bool:
    negated = members[0] in "!^"
    rest = members[1:] if negated else members
    found, at = False, 0
    while at < len(rest):
        if rest[at + 1 : at + 2] == "-" and at + 2 < len(rest):
            found = found or rest[at] <= char <= rest[at + 2]
            at += 3
        else:
            found = found or rest[at] == char
            at += 1
    return found is not negated
