"""Where everything of a home lies. No other file spells out a path below it."""

from __future__ import annotations

import os

WAITING = ".waiting"  # ends the name of the file of what waits for the history


class Home:
    """Names only; makes and reads nothing."""

    __slots__ = ("path",)

    def __init__(self, path: str) -> None:
        self.path = os.path.abspath(path)

    def __str__(self) -> str:
        return self.path

    def join(self, *parts: str) -> str:
        return os.path.join(self.path, *parts)

    @property
    def etc(self) -> str:
        return self.join("etc")

    @property
    def settings_file(self) -> str:
        return self.join("etc", "sbctl.yaml")

    @property
    def schedules(self) -> str:
        """One file a schedule that was made or changed by a command."""
        return self.join("etc", "schedules.d")

    @property
    def secrets(self) -> str:
        return self.join("etc", "secrets")

    @property
    def key_file(self) -> str:
        return self.join("etc", "secrets", "dashboard.key")

    @property
    def plugins(self) -> str:
        return self.join("plugins")

    @property
    def logs(self) -> str:
        return self.join("logs")

    @property
    def run(self) -> str:
        """Sockets, records, compiled settings: 0700."""
        return self.join("logs", "run")

    @property
    def kept_code(self) -> str:
        """The code that `start` was loaded from, if that was a checkout's."""
        return self.join("logs", "run", "code")

    @property
    def lock_file(self) -> str:
        return self.join("logs", "run", "start.lock")

    @property
    def id_file(self) -> str:
        return self.join("logs", "run", "home_id")

    @property
    def port_file(self) -> str:
        """The free port that the config server has taken, to take it again."""
        return self.join("logs", "run", "port")

    @property
    def records_file(self) -> str:
        return self.join("logs", "run", "records")

    @property
    def revisions(self) -> str:
        """One folder a revision of compiled settings, and the link `current`."""
        return self.join("logs", "run", "settings")

    @property
    def journal_file(self) -> str:
        return self.join("logs", "scheduler.log")

    @property
    def history_file(self) -> str:
        return self.join("logs", "history.db")

    @property
    def history_files(self) -> tuple[str, str]:
        """And what waits to be written into it (`store/spool.py`)."""
        return self.history_file, self.history_file + WAITING

    @property
    def daily_folder(self) -> str:
        return self.join("logs", "scheduler")

    @property
    def start_log(self) -> str:
        return self.join("logs", "start.log")

    def compiled_file(self, role: str, revision: str = "current") -> str:
        return self.join("logs", "run", "settings", revision, f"{role}.json")

    def pid_file(self, role: str) -> str:
        return self.join("logs", f"{role}.pid")

    def out_file(self, role: str) -> str:
        """stdout, stderr and tracebacks of a daemon."""
        return self.join("logs", f"{role}.out")

    def socket_name(self, role: str) -> str:
        return f"{role}.sock"

    def plugin(self, plugin_id: str) -> str:
        return self.join("plugins", plugin_id)

    def plugin_logs(self, plugin_id: str) -> str:
        return self.join("logs", plugin_id)

    def own_logs(self, plugin_id: str, account: str = "") -> str:
        """For the files of a plugin that runs as another user, who must not own the folder of server.log.

        `account`: of one command that runs as another one than the rest.
        """
        return self.join("logs", plugin_id, f"own-{account.replace('/', '-')}" if account else "own")

    def server_log(self, plugin_id: str, instance: int = 0) -> str:
        return self.join("logs", plugin_id, f"{_server(instance)}.log")

    def server_err_log(self, plugin_id: str, instance: int = 0) -> str:
        """stderr, where that is kept apart."""
        return self.join("logs", plugin_id, f"{_server(instance)}.err.log")

    def commands_log(self, plugin_id: str, instance: int = 0) -> str:
        """Output of the commands beside the server's own: before its start, to stop it, after its end."""
        return self.join("logs", plugin_id, f"{_server(instance)}.commands.log")

    @property
    def provider_log(self) -> str:
        """Output of the program that makes the tunnel."""
        return self.join("logs", "tunnel", "provider.log")

    def server_pid(self, plugin_id: str, instance: int = 0) -> str:
        return self.join("logs", plugin_id, f"{_server(instance)}.pid")

    def run_log(self, plugin_id: str, run: str) -> str:
        """Output of all steps of one run."""
        return self.join("logs", plugin_id, "runs", f"{run}.log")

    def run_work(self, plugin_id: str, run: str) -> str:
        """The folder that its steps may use, for as long as it lasts."""
        return self.join("logs", plugin_id, "work", run)

    @property
    def pause_file(self) -> str:
        """While it is there, no schedule runs."""
        return self.join("pause.flag")

    @property
    def intent_file(self) -> str:
        """What a person wants to last: which services are enabled or disabled."""
        return self.join("logs", "state.json")


def _server(instance: int) -> str:
    return f"server-{instance}" if instance else "server"
