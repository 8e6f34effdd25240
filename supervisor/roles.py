"""What `python -m supervisor` is: a daemon or helper with `--role NAME HOME …`, else the command line."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # `signal` itself loads enum
import os
import sys

from supervisor.base.where import add_packages

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def main() -> int:
    if sys.argv[1:3] == ["--role", "env"]:  # in front of a service's command: it must cost next to nothing
        from supervisor.helpers.read_env import main as read_env

        return read_env(sys.argv[3:])
    add_packages()
    if len(sys.argv) < 4 or sys.argv[1] != "--role":
        from supervisor.cli.main import main as command_line

        return command_line(sys.argv[1:])
    role, home, rest = sys.argv[2], sys.argv[3], sys.argv[4:]
    if role == "compile":
        from supervisor.helpers.compile import main as compile_settings

        return compile_settings([home, *rest])
    if role == "tidy":
        from supervisor.helpers.tidy import main as tidy_logs

        return tidy_logs([home, *rest])
    if role == "selfcheck":
        from supervisor.helpers.selfcheck import main as look_at_ourselves

        return look_at_ourselves([home, *rest])
    if role == "probe":
        from supervisor.helpers.probe import main as ask_once

        return ask_once([home, *rest])
    if "--take-up" in rest:  # in the place of another version, which comes back if anything of this one fails
        from supervisor.daemons.guard import run

        code = run(int(rest[rest.index("--take-up") + 1]), lambda: _daemon(role, home, rest))
    else:
        code = _daemon(role, home, rest)
    # Everything is done: a signal while Python takes itself apart changes the exit code no more.
    for number in (_signal.SIGHUP, _signal.SIGINT, _signal.SIGQUIT, _signal.SIGTERM):
        _signal.signal(number, _signal.SIG_IGN)
    if role in ("start", "scheduler"):
        # That would take up to 5 ms, for which whoever follows has to wait; of a hand-over they are the only ones in
        # which a `start` that is killed leaves nobody behind who would notice.
        _end(code)
    return code


def _end(code: int) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):  # None where it was closed when we began
            continue
    os._exit(code)


def _daemon(role: str, home: str, rest: list[str]) -> int:
    from supervisor.daemons.options import Options

    options = Options.parse(rest)
    if role == "start" and options.state_fd is not None:
        from supervisor.daemons.taking_up import main as take_up

        return take_up(home, options)
    if role == "start":
        from supervisor.daemons.start import main as run_start

        return run_start(home, options)
    if role == "scheduler":
        from supervisor.daemons.scheduler import main as run_scheduler

        return run_scheduler(home, options)
    if role == "config":
        from supervisor.daemons.config import main as run_config

        return run_config(home, parent=options.parent, alone=options.alone, channel_fd=options.channel_fd)
    if role == "tunnel":
        from supervisor.daemons.tunnel import main as run_tunnel

        return run_tunnel(home, options)
    sys.stderr.write(f"sbctl: no role {role}\n")
    return 2
