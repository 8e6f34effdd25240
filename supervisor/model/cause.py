"""Why a process ended, decided once and carried everywhere."""

from __future__ import annotations

import enum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class CauseKind(enum.StrEnum):
    """One word for each way to end. `unknown` is never shown as clean."""

    CLEAN = "clean"  # an expected exit code
    EXIT_CODE = "exit-code"
    SIGNAL = "signal"
    OUT_OF_MEMORY = "out-of-memory"
    NOT_FOUND = "not-found"  # the command (or its interpreter) is not there
    NOT_EXECUTABLE = "not-executable"
    BAD_FOLDER = "bad-folder"  # the working folder can't be entered
    BAD_USER = "bad-user"  # the user can't be switched to
    PORT_IN_USE = "port-in-use"
    SETTINGS_ERROR = "settings-error"  # exit 78
    STAY_DOWN = "stay-down"  # exit 125: asked not to be restarted
    NOT_READY = "not-ready"  # not ready within its time
    UNHEALTHY = "unhealthy"  # its alive check failed too often
    WATCHDOG = "watchdog"  # it gave no sign of life in time
    OVER_LIMIT = "over-limit"  # too much memory or processor time, for too long
    DEPENDENCY_DOWN = "dependency-down"  # what it waits for did not come in time
    BAD_LIMIT = "bad-limit"  # a limit of it can't be set
    NOT_INSTALLED = "not-installed"  # a program of the system that its settings need
    BEFORE_FAILED = "before-failed"  # its command before the start failed
    STOPPED = "stopped"  # we asked for it
    SYSTEM = "system"  # the system could not spawn (EAGAIN, EMFILE, ...): costs no budget
    UNKNOWN = "unknown"


class Cause:
    """The verdict on one end, with what a person needs to believe it."""

    __slots__ = ("code", "kind", "remedy", "signal", "text", "words")

    def __init__(
        self,
        kind: CauseKind,
        text: str,
        *,
        code: int | None = None,
        signal: str | None = None,
        words: tuple[str, ...] = (),
        remedy: str = "",
    ) -> None:
        self.kind = kind
        self.text = text  # "exit code 1", "killed by SIGKILL", "port 3456 is in use", ...
        self.code = code
        self.signal = signal  # "SIGKILL"
        self.words = words  # its last words: up to 30 lines of output, oldest first
        self.remedy = remedy  # what a person can do about it, where that is known

    def __repr__(self) -> str:
        return f"Cause({self.kind.value}, {self.text!r})"

    def as_dict(self) -> dict[str, Any]:
        data: dict[str, Any] = {
            "kind": self.kind.value,
            "text": self.text,
            "code": self.code,
            "signal": self.signal,
            "words": list(self.words),
        }
        return {**data, "remedy": self.remedy} if self.remedy else data

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Cause:
        return cls(
            CauseKind(data["kind"]),
            data["text"],
            code=data["code"],
            signal=data["signal"],
            words=tuple(data["words"]),
            remedy=data.get("remedy", ""),
        )
