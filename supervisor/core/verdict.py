"""Why a process has ended (`cause_of`), and what follows from an end that nobody asked for (`judge`)."""

from __future__ import annotations

from supervisor.core.record import Record
from supervisor.core.words import last_line, settings_trouble, start_trouble, taken_port
from supervisor.model.cause import Cause, CauseKind
from supervisor.model.service import Restart

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.core.state import End
    from supervisor.model.service import Policy

SIGKILL = 9
SIGTERM = 15
RTMIN, RTMAX = 34, 64  # of Linux; the C libraries keep 32 and 33 for themselves
SIGNALS = {
    1: "SIGHUP",
    2: "SIGINT",
    3: "SIGQUIT",
    4: "SIGILL",
    5: "SIGTRAP",
    6: "SIGABRT",
    7: "SIGBUS",
    8: "SIGFPE",
    9: "SIGKILL",
    10: "SIGUSR1",
    11: "SIGSEGV",
    12: "SIGUSR2",
    13: "SIGPIPE",
    14: "SIGALRM",
    15: "SIGTERM",
    16: "SIGSTKFLT",
    17: "SIGCHLD",
    18: "SIGCONT",
    19: "SIGSTOP",
    20: "SIGTSTP",
    21: "SIGTTIN",
    22: "SIGTTOU",
    23: "SIGURG",
    24: "SIGXCPU",
    25: "SIGXFSZ",
    26: "SIGVTALRM",
    27: "SIGPROF",
    28: "SIGWINCH",
    29: "SIGIO",
    30: "SIGPWR",
    31: "SIGSYS",
}
BY_WHOM = " (by hand, or out of memory)"  # what SIGKILL may mean
WORDS_KEPT = 30
SETTINGS_ERROR = 78
# Exit codes with which a service tells us something.
SAID_BY_CODE = {
    SETTINGS_ERROR: (CauseKind.SETTINGS_ERROR, "its settings are wrong (exit code 78)"),
    125: (CauseKind.STAY_DOWN, "asked to stay down (exit code 125)"),
}
# Kinds that rest on an exit code of the service's own, whatever its last words explain about it.
SAID_BY_ITSELF = (CauseKind.EXIT_CODE, CauseKind.SETTINGS_ERROR, CauseKind.PORT_IN_USE)


class Tally(Record):
    """Two counts of the same deaths: the streak sets the delay and gives up, the window only slows down."""

    __slots__ = ("deaths", "slowed", "streak")

    def __init__(self, streak: int = 0, deaths: tuple[float, ...] = (), *, slowed: bool = False) -> None:
        self.streak = streak
        self.deaths = deaths
        self.slowed = slowed

    def is_over(self, policy: Policy) -> bool:
        """Whether the window holds too many deaths."""
        return len(self.deaths) >= policy.window_deaths


class Rest(Record):
    """Stay down, and rightly so."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason


class Fail(Record):
    """Stay down, wrongly so: the policy allows no other try."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason


class GiveUp(Record):
    """Too many fast crashes in a row: no more tries until a person clears it."""

    __slots__ = ()


class RestartNow(Record):
    """It had lived long: start it again at once."""

    __slots__ = ()


class RestartAt(Record):
    """Start again so many seconds after the end."""

    __slots__ = ("delay",)

    def __init__(self, delay: float) -> None:
        self.delay = delay


Verdict = Rest | Fail | GiveUp | RestartNow | RestartAt


def count(tally: Tally, end: End, policy: Policy) -> Tally:
    """The tally with this death in it."""
    deaths = tuple(at for at in (*tally.deaths, end.at) if at > end.at - policy.window)
    # More than the limit decides nothing, and the state must stay small whatever the settings say.
    counted = Tally(tally.streak + 1 if end.fast else 0, deaths[-policy.window_deaths :])
    # Half the limit ends it, not the limit: at the limit itself each second death would be a new notice.
    counted.slowed = counted.is_over(policy) or (tally.slowed and len(counted.deaths) * 2 >= policy.window_deaths)
    return counted


def final(cause: Cause, policy: Policy) -> str:
    """Why there is no other try after an unwanted end, however few there were before; "": there may be one."""
    if cause.kind is CauseKind.NOT_INSTALLED:  # it does not come by trying
        return "not tried again"
    if cause.code in policy.no_restart_codes and cause.kind in SAID_BY_ITSELF:
        return f"exit code {cause.code} is not tried again"
    return "exited, restart never" if policy.restart is Restart.NEVER else ""


def judge(cause: Cause, tally: Tally, policy: Policy) -> Verdict:
    """What to do after an end that `tally` already counts."""
    if cause.kind is CauseKind.STAY_DOWN:
        return Rest("asked to stay down")
    if cause.kind is CauseKind.CLEAN and policy.restart is not Restart.ALWAYS:
        return Rest("finished")
    if reason := final(cause, policy):
        return Fail(reason)
    if tally.streak >= policy.give_up:
        return GiveUp()
    if not tally.streak and not tally.is_over(policy):
        return RestartNow()
    delay = policy.delays[min(tally.streak, len(policy.delays)) - 1] if tally.streak else 0.0
    return RestartAt(max(delay, policy.window_delay) if tally.is_over(policy) else delay)


def cause_of(
    status: int,
    *,
    asked: bool,
    words: list[str],
    exit_codes: tuple[int, ...],
    exit_signals: tuple[int, ...] = (),
    stop_signals: tuple[int, ...] = (SIGTERM,),
    oom: bool = False,
) -> Cause:
    """Why a process ended, from its raw wait status and its last words."""
    kept = tuple(words[-WORDS_KEPT:])
    number = status & 0x7F
    if not 0 <= status <= 0xFFFF or number == 0x7F:  # not a status of something that has ended
        return Cause(CauseKind.UNKNOWN, "unknown", words=kept)
    if number:
        kind, text = _by_signal(number, asked=asked and number in (*stop_signals, SIGKILL), oom=oom)
        if number in exit_signals and kind is CauseKind.SIGNAL:
            kind, text = CauseKind.CLEAN, f"ended by {signal_name(number)}, as expected"
        text += " (core dumped)" if status & 0x80 else ""
        return Cause(kind, text, signal=signal_name(number), words=kept)
    code = status >> 8
    if asked:
        kind, text = CauseKind.STOPPED, f"stopped: exit code {code}"
    else:
        kind, text = _by_code(code, kept, exit_codes, oom=oom)
    return Cause(kind, text, code=code, words=kept)


def _by_signal(number: int, *, asked: bool, oom: bool) -> tuple[CauseKind, str]:
    name = signal_name(number)
    if asked:
        return CauseKind.STOPPED, f"stopped: {name}"
    if oom:
        return CauseKind.OUT_OF_MEMORY, f"out of memory: killed by {name}"
    hint = BY_WHOM if number == SIGKILL else ""
    return CauseKind.SIGNAL, f"killed by {name}{hint}"


def _by_code(code: int, words: tuple[str, ...], exit_codes: tuple[int, ...], *, oom: bool) -> tuple[CauseKind, str]:
    complaint = settings_trouble(last_line(words)) if code == SETTINGS_ERROR else None
    if complaint:  # even where 78 is an expected exit code: the command has not been reached
        return CauseKind.SETTINGS_ERROR, complaint
    if code in exit_codes:
        return CauseKind.CLEAN, f"exit code {code}"
    if oom:  # a shell whose child was killed ends with a code, not with the signal
        return CauseKind.OUT_OF_MEMORY, f"out of memory: exit code {code}"
    if code in SAID_BY_CODE:
        return SAID_BY_CODE[code]
    trouble = start_trouble(code, last_line(words)) if code else None
    if trouble:
        return trouble
    port = taken_port(words) if code else None
    if port is not None:
        return CauseKind.PORT_IN_USE, f"port {port} is in use" if port else "its port is in use"
    return CauseKind.EXIT_CODE, f"exit code {code}"


def signal_name(number: int) -> str:
    if RTMIN <= number <= RTMAX:  # as `kill -l` has them: by the nearer end
        low, high = number - RTMIN, RTMAX - number
        name, more = ("SIGRTMIN", f"+{low}" if low else "") if low <= high else ("SIGRTMAX", f"-{high}" if high else "")
        return name + more
    return SIGNALS.get(number, f"signal {number}")


def signal_number(name: str) -> int:
    """Of what `signal_name` has named."""
    return next(number for number in range(1, RTMAX + 1) if signal_name(number) == name)
