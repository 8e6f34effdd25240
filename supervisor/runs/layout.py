"""What a step finds when it starts: the folder it works in, its log with a head line, and how it is launched."""

from __future__ import annotations

import os

from supervisor.base.files import remove_quietly
from supervisor.base.wire import encode
from supervisor.engine.own_folder import make_own_folder
from supervisor.runs.step import launch_of, places_of, write_head_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from supervisor.model.home import Home
    from supervisor.model.launch import Launch
    from supervisor.model.schedule import Policy
    from supervisor.runs.run import Run
    from supervisor.runs.sweeping import Sweeping


class Layout:
    """Of the present step of one run, by the settings that it was made for."""

    __slots__ = ("_command", "_policy", "_work", "launch", "log_from")

    def __init__(self, home: Home, run: Run, commands: Mapping[str, Launch], policy: Policy, folders: Sweeping) -> None:
        """There is a command for its step."""
        self._command = command = commands[run.progress.step]
        self._policy = policy
        self._work, result = run.work, run.result = places_of(home, run)
        make_own_folder(command)
        folders.make(run, command.user)
        remove_quietly(result)
        self.log_from = write_head_line(run, command)
        self.launch = launch_of(run, commands, policy)
        self.launch.encoded = encode(self.launch.as_message())

    def fits(self, run: Run, commands: Mapping[str, Launch], policy: Policy) -> bool:
        """Other settings may have come since."""
        return commands.get(run.progress.step) is self._command and policy is self._policy

    def undo(self, run: Run) -> None:
        """Its run has not begun."""
        remove_quietly(run.log)
        try:
            os.rmdir(self._work)
        except OSError:
            pass
        run.log = run.work = run.result = ""
