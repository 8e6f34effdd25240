"""Named checks that schedules ask for: each a short process, one at a time of each, whose answer counts for a while.

Nothing is asked while nobody wants to know: a slot that is due asks, and waits for the answer.
"""

from __future__ import annotations

import os

from supervisor.base.where import role_command
from supervisor.engine.entries import STEP, Ends
from supervisor.engine.probes.exec import OWN
from supervisor.engine.tail import Tail
from supervisor.model.launch import Launch
from supervisor.runs.ending import end_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.base.loop import Timer
    from supervisor.engine.entries import Ended, Used
    from supervisor.model.cause import Cause
    from supervisor.runs.desk import Desk

PREFIX = f"{STEP}~check/"  # of the key of its process
STOP_RULE = (15, 2.0)
SIGKILL = 9


class Check:
    """One name under these settings: its last answer, and the process that asks. `told`: what was said of it last."""

    __slots__ = ("at", "key", "ok", "settings", "tail", "text", "timer", "told")

    def __init__(self, settings: dict[str, Any], told: bool | None) -> None:
        self.settings = settings
        self.told = told
        self.at = -1e9  # monotonic
        self.ok: bool | None = None
        self.text = ""
        self.key = ""
        self.tail: Tail | None = None
        self.timer: Timer | None = None


class Reach:
    """Of one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._checks: dict[str, Check] = {}
        self._number = 0

    def verdict(self, name: str, *, ask: bool = True) -> tuple[bool | None, str]:
        """(None, "") while it is being found out; who only looks gets the last answer, however old."""
        settings = self._desk.catalogue.checks.get(name)
        if settings is None:
            return False, "the settings have no such check"
        check = self._checks.get(name)
        if check is None or check.settings != settings:
            check = self._anew(name, settings)
        if self._desk.loop.clock.now() - check.at < settings["fresh"] and check.ok is not None:
            return check.ok, check.text
        if not ask:
            return check.ok is not False, check.text
        if not check.key:
            self._ask(name, check)
        return None, ""

    def _anew(self, name: str, settings: dict[str, Any]) -> Check:
        """Of a check that has been changed an old answer says nothing, and nobody waits for one."""
        before = self._checks.get(name)
        check = self._checks[name] = Check(settings, before.told if before is not None else None)
        if before is not None and before.key:
            if before.timer is not None:
                before.timer.cancel()
            if before.tail is not None:
                before.tail.close()
            self._desk.spawner.drop(before.key)
        return check

    def _ask(self, name: str, check: Check) -> None:
        loop, settings = self._desk.loop, check.settings
        argv = tuple(settings["argv"])
        if argv[0].startswith(OWN):
            argv = tuple(role_command(argv[0].removeprefix(OWN), *argv[1:]))
        self._number = max(self._number + 1, int(loop.clock.now() * 1000))
        check.key = f"{PREFIX}{name}.{self._number}"
        try:
            read, write = os.pipe()
        except OSError as error:
            self._answer(name, check, ok=False, text=f"it can't be asked: {error.strerror}")
            return
        check.tail = Tail(loop, read)
        cwd = self._desk.home.path if settings["exec"] else "/"
        launch = Launch(argv=argv, cwd=cwd, log="", drop_env=self._desk.secret_env)
        check.timer = loop.after(settings["timeout"], lambda: self._too_late(check))
        self._desk.spawner.spawn(check.key, launch, replaces="", ends=Ends(out_write=write), stop=STOP_RULE)

    def _too_late(self, check: Check) -> None:
        check.timer = None
        check.text = "no answer in time"
        self._desk.spawner.signal(check.key, SIGKILL)

    # answers of the spawner

    def spawned(self, key: str, pid: int, started: int) -> None:
        if self._by_key(key) is None:
            self._desk.spawner.drop(key)

    def spawn_failed(self, key: str, cause: Cause) -> None:
        self._ended(key, None, cause.text)

    def exited(
        self,
        key: str,
        status: int | None,
        empty: bool,
        oom: bool | None = None,
        used: Used | None = None,
        *,
        ended: Ended | None = None,
    ) -> None:
        self._ended(key, status)

    def emptied(self, key: str) -> None:
        """What it left was ended with it."""

    def _ended(self, key: str, status: int | None, cause: str = "") -> None:
        found = self._by_key(key)
        if found is None:
            return
        name, check = found
        self._desk.spawner.drop(key)
        late, check.text = check.text if check.timer is None else "", ""
        lines = check.tail.close() if check.tail is not None else []
        said = next((line.strip() for line in reversed(lines) if line.strip()), "")
        ok = status == 0 and not late
        self._answer(name, check, ok=ok, text=late or said or cause or end_of(status, "", oom=False).text)

    def _answer(self, name: str, check: Check, *, ok: bool, text: str) -> None:
        if check.timer is not None:
            check.timer.cancel()
        before, check.told = check.told, ok
        check.key, check.tail, check.timer = "", None, None
        check.ok, check.text, check.at = ok, text, self._desk.loop.clock.now()
        if before is not ok and (before is not None or not ok):
            self._desk.telling.unreachable(name, text, ok=ok)
        self._desk.loop.soon(self._desk.turns.of_all)

    def _by_key(self, key: str) -> tuple[str, Check] | None:
        name = key.removeprefix(PREFIX).rpartition(".")[0]
        check = self._checks.get(name)
        return (name, check) if check is not None and check.key == key else None
