"""Starting at boot by systemd: one unit for each home, of the system for root, else of the user."""

from __future__ import annotations

import os
import subprocess

from supervisor.base.errors import FAILED, NO_PERMISSION, Problem
from supervisor.base.files import remove_quietly, write_atomic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from supervisor.model.home import Home

RUNS = "/run/systemd/system"  # there when systemd is the init, see sd_booted(3)
SYSTEM_UNITS = "/etc/systemd/system"
LINGERING = "/var/lib/systemd/linger"
ASK_S = 30.0
LONGEST_NAME = 200
PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_.")

UNIT = """\
# Made by `sbctl boot enable`; `sbctl boot disable` removes it. What is changed here is lost with the next enable.
[Unit]
Description=sbctl, home {shown}
Documentation=man:systemd.service(5)
{ordering}
[Service]
Type=exec
ExecStart={command}
WorkingDirectory=/
# On a stop only the supervisor gets SIGTERM and ends its services in their order; what is left then is killed.
KillMode=mixed
TimeoutStopSec={stop:g}
Restart=on-failure
RestartSec=5
# Wrong usage, no permission, broken settings: trying again changes nothing.
RestartPreventExitStatus=2 4 6
# One service that is out of memory is the supervisor's to restart, and no reason to end all others.
OOMPolicy=continue
# Limits that need control groups of their own.
Delegate=yes

[Install]
WantedBy={target}
"""


class Systemd:
    """The unit of one home."""

    method = "systemd"

    def __init__(self, home: Home, command: Sequence[str], stop: float) -> None:
        self._system = os.geteuid() == 0
        self.name = unit_name(home.path)
        self.place = os.path.join(SYSTEM_UNITS if self._system else _user_units(), self.name)
        self.text = UNIT.format(
            shown=_shown(home.path),
            command=" ".join(quoted(word) for word in command),
            stop=stop,
            ordering="After=network.target local-fs.target remote-fs.target\n" if self._system else "",
            target="multi-user.target" if self._system else "default.target",
        )

    def enable(self) -> bool:
        """Whether anything had to be changed."""
        before = self._read()
        if before == self.text and self._is_enabled():
            return False
        try:
            os.makedirs(os.path.dirname(self.place), exist_ok=True)
            write_atomic(self.place, self.text.encode(), mode=0o644, durable=True)
        except OSError as error:
            raise Problem(f"can't write {self.place}", why=error.strerror or str(error), code=NO_PERMISSION) from None
        try:
            self._ask("daemon-reload")
            self._ask("enable", self.name)
        except Problem:
            if not before:
                remove_quietly(self.place)
            raise
        return True

    def disable(self) -> bool:
        if not self._read():
            return False
        self._ask("disable", self.name)
        remove_quietly(self.place)
        self._ask("daemon-reload")
        return True

    def is_enabled(self) -> bool:
        return bool(self._read()) and self._is_enabled()

    def remarks(self) -> list[str]:
        """What else a person has to know or do."""
        lines = []
        if self.is_enabled() and self._read() != self.text:
            lines.append("the unit is not what this version would write: sbctl boot enable renews it")
        if not self._system and not os.path.exists(os.path.join(LINGERING, _login())):
            lines.append(f"it starts when you log in; to start it at boot: loginctl enable-linger {_login()}")
        return lines

    def _is_enabled(self) -> bool:
        return self._run("is-enabled", self.name).returncode == 0

    def _read(self) -> str:
        try:
            with open(self.place, encoding="utf-8", errors="replace") as file:
                return file.read()
        except OSError:
            return ""

    def _ask(self, *words: str) -> None:
        done = self._run(*words)
        if done.returncode != 0:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
            raise Problem(
                f"systemctl {' '.join(words)} failed",
                why=said[0],
                remedy="" if self._system else "a user's systemd is reached from a login of that user (not su)",
                code=FAILED,
            )

    def _run(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        command = ["systemctl", *([] if self._system else ["--user"]), *words]
        try:
            return subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=ASK_S, cwd="/"
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Problem(f"can't run {' '.join(command)}", why=str(error), code=FAILED) from None


def _user_units() -> str:
    base = os.environ.get("XDG_CONFIG_HOME", "")
    if not os.path.isabs(base):
        base = os.path.expanduser("~/.config")
    return os.path.join(base, "systemd", "user")


def _login() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def unit_name(path: str) -> str:
    """`sbctl-srv-my\\x2dhome.service` for /srv/my-home, by the rule of systemd-escape: no two homes share one."""
    escaped = "".join(
        "-" if byte == 0x2F else chr(byte) if chr(byte) in PLAIN else f"\\x{byte:02x}"
        for byte in os.fsencode(path.strip("/"))
    )
    if len(escaped) > LONGEST_NAME:  # a file's name ends at 255 bytes
        import hashlib

        escaped = escaped[-LONGEST_NAME:] + "-" + hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
    return f"sbctl-{escaped}.service"


def quoted(word: str) -> str:
    """One word of ExecStart=: in quotes, and neither a specifier nor a variable nor an escape."""
    plain = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return '"' + "".join(char if char.isprintable() else _escaped(char) for char in plain) + '"'


def _escaped(char: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in os.fsencode(char))


def _shown(path: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in path).replace("%", "%%").replace("\\", "/")
