"""The few words a daemon is started with. They come from our own code, so they are not explained to anybody."""

from __future__ import annotations


class Options:
    """--ready-fd N · --channel N · --parent PID · --foreground · --alone · --log-format F · --output · --shown WHAT ·
    --take-up N"""

    __slots__ = ("alone", "channel_fd", "foreground", "log_format", "output", "parent", "ready_fd", "shown", "state_fd")

    def __init__(self) -> None:
        self.ready_fd: int | None = None  # where `start` says that it is up
        self.channel_fd: int | None = None  # the pair with `start`
        self.parent = 0  # who must be our parent; 0: nobody in particular
        self.foreground = False
        self.log_format = "text"  # of what is printed in the foreground
        self.output = False  # print there what the servers write, too
        self.shown = ""  # what `start` prints of a scheduler: events, or output as well
        self.alone = False  # without `start`
        self.state_fd: int | None = None  # what the program that this process was before has handed on

    @property
    def lasting(self) -> list[str]:
        """What the program that a `start` becomes is called with, too."""
        words = ["--foreground"] if self.foreground else []
        words += ["--output"] if self.output else []
        return [*words, "--log-format", self.log_format]

    @classmethod
    def parse(cls, words: list[str]) -> Options:
        options = cls()
        rest = iter(words)
        for word in rest:
            if word == "--foreground":
                options.foreground = True
            elif word == "--alone":
                options.alone = True
            elif word == "--output":
                options.output = True
            elif word == "--log-format":
                options.log_format = next(rest)
            elif word == "--shown":
                options.shown = next(rest)
            elif word == "--ready-fd":
                options.ready_fd = int(next(rest))
            elif word == "--channel":
                options.channel_fd = int(next(rest))
            elif word == "--take-up":
                options.state_fd = int(next(rest))
            elif word == "--parent":
                options.parent = int(next(rest))
            else:
                raise SystemExit(f"sbctl: unknown word {word}")
        return options
