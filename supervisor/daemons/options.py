"""The few words a daemon is started with. They come from our own code, so they are not explained to anybody."""

from __future__ import annotations


class Options:
    """--ready-fd N · --channel N · --parent PID · --foreground · --alone"""

    __slots__ = ("alone", "channel_fd", "foreground", "parent", "ready_fd")

    def __init__(self) -> None:
        self.ready_fd: int | None = None  # where `start` says that it is up
        self.channel_fd: int | None = None  # the pair with `start`
        self.parent = 0  # who must be our parent; 0: nobody in particular
        self.foreground = False
        self.alone = False  # without `start`

    @classmethod
    def parse(cls, words: list[str]) -> Options:
        options = cls()
        rest = iter(words)
        for word in rest:
            if word == "--foreground":
                options.foreground = True
            elif word == "--alone":
                options.alone = True
            elif word == "--ready-fd":
                options.ready_fd = int(next(rest))
            elif word == "--channel":
                options.channel_fd = int(next(rest))
            elif word == "--parent":
                options.parent = int(next(rest))
            else:
                raise SystemExit(f"sbctl: unknown word {word}")
        return options
