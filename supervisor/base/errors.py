"""One error type for everything a person can mend: what happened, why, and what to do next.

The command line prints it and exits with `code`; the control server sends it as data. Nothing else
turns an error into text, so a message reads the same wherever it is seen.
"""

from __future__ import annotations

# Exit codes of every verb but `status` (the LSB action set), see docs/cli.md.
FAILED = 1
USAGE = 2
NO_PERMISSION = 4
MISSING_PROGRAM = 5
BAD_SETTINGS = 6
NOT_RUNNING = 7
TIMED_OUT = 124
INTERRUPTED = 130


class Problem(Exception):
    """Something a person can act on."""

    def __init__(self, what: str, *, why: str = "", remedy: str = "", code: int = FAILED) -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.remedy = remedy
        self.code = code

    def text(self) -> str:
        """The message as a person reads it, one thought a line."""
        lines = [f"error: {self.what}"]
        if self.why:
            lines.append(f"  why:  {self.why}")
        if self.remedy:
            lines.append(f"  next: {self.remedy}")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, object]:
        return {"what": self.what, "why": self.why, "remedy": self.remedy, "code": self.code}

    @classmethod
    def from_dict(cls, data: dict[str, object]) -> Problem:
        code = data.get("code")
        return cls(
            str(data.get("what", "unknown error")),
            why=str(data.get("why", "")),
            remedy=str(data.get("remedy", "")),
            code=code if isinstance(code, int) else FAILED,
        )
