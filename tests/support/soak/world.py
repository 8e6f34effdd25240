"""The home that is soaked: services and schedules of all kinds, each of which keeps an account of its own."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any, NamedTuple

from support.children import child
from support.daemon import Daemon
from support.home import ROOT, TemporaryHome
from support.scheduling import add_steps

from .evidence import Rule, Server

GRACE_S = 4.0  # so late is in time, of those that are to miss something
LIMIT_S = 1.2
AGAIN = 75  # the exit code that is tried again

# A line at the beginning, one at the end. The time is that of /proc/uptime: no process more for it.
STEP = """\
read up _ </proc/uptime
echo "s $SB_RUN_ID ${SB_NOMINAL_TIME:--} $SB_STEP $SB_ATTEMPT $SB_TRIGGER $$ $up" >>"$1"
[ "$2" = 0 ] || sleep "$2"
code=$3
if [ "$code" = again ]; then code=0; [ "$SB_ATTEMPT" -ge 2 ] || code=75; fi
read up _ </proc/uptime
echo "e $SB_RUN_ID $SB_STEP $SB_ATTEMPT $code $up" >>"$1"
exit "$code"
"""


class Kind(NamedTuple):
    """Of a schedule."""

    name: str
    keys: dict[str, Any]
    every: int = 0
    work: str = "0"
    code: str = "0"
    steps: tuple[str, ...] = ("get",)


KINDS = (
    Kind("quick", {}, 2),
    Kind("all", {"missed": "all", "overlap": "queueAll", "graceSeconds": GRACE_S}, 3, "0.1"),
    Kind("latest", {"graceSeconds": GRACE_S}, 4),
    Kind("skips", {"missed": "skip", "graceSeconds": GRACE_S}, 3, "0.1"),
    Kind("cron", {"cron": "*/5 * * * * *", "seconds": True, "missed": "earliest", "graceSeconds": GRACE_S}),
    Kind("after", {}, 0, "0.1"),
    Kind("long", {}, 2, "2.6"),
    Kind("queue", {"overlap": "queueOne"}, 3, "2.5"),
    Kind("steps", {"overlap": "allow"}, 4, "0.4", steps=("get", "process", "push")),
    Kind("at", {}, 0, "0.2"),
    Kind("next", {"overlap": "cancelOther", "stopGraceSeconds": 1}, 5, "6"),
    Kind("fails", {}, 6, "0.1", "3"),
    Kind("again", {"retry": {"times": 3, "delaySeconds": 0.3}}, 7, "0.2", "again"),
    Kind("limit", {"timeoutMinutes": LIMIT_S / 60, "stopGraceSeconds": 1}, 11, "30"),
    Kind("rerun", {"interrupted": "rerun"}, 9, "1.5"),
    Kind("group", {"group": "few", "overlap": "queueAll"}, 4, "0.8"),
    Kind("ledger", {"ledger": "required"}, 5, "0.1"),
)


class Planned(NamedTuple):
    """A schedule as it is written, and what a checker must know of it."""

    kind: Kind
    rule: Rule


class World:
    """On one home, not started yet."""

    def __init__(self, daemon: Daemon, servers: int, jobs: int) -> None:
        self.daemon = daemon
        self.home: TemporaryHome = daemon.home
        self.truth = self.home.path / "truth"
        self.lives = self.truth / "lives"
        self.ledgers = self.truth / "ledgers"
        self.servers: dict[str, Server] = {}
        self.jobs: dict[str, Planned] = {}
        self._version = 1
        for folder in (self.lives, self.ledgers):
            folder.mkdir(parents=True)
        (self.truth / "step.sh").write_text(STEP)
        self._set_numbers()
        for number in range(servers):
            self._add_server(number)
        for number in range(jobs):
            self._add_job(number)
        self.write()

    def _set_numbers(self) -> None:
        """Nothing gives up, nothing is slowed down, nothing is thrown away."""
        many = {"giveUpAfter": 100_000, "windowDeaths": 100_000}
        self.home.supervision.update(many, delaysSeconds=[0.1], fastCrashSeconds=0.3)
        self.home.settings.update(
            core={"scheduler": {**many, "delaysSeconds": [0.01], "fastCrashSeconds": 0.01}},
            logs={"keep": 1000, "totalBudgetMb": 100_000},
            history={"keepRuns": 1_000_000},
            timezone="UTC",
        )
        self.home.settings["config"]["enabled"] = False
        self.home.scheduler.update(
            groups={"few": 2},
            safety={"maxConsecutiveFailures": 1_000_000},
            defaults={"missedSpreadSeconds": 0},
        )

    # services

    def _add_server(self, number: int) -> None:
        kind = number % 10
        name = f"s{number:02d}"
        rate: float = (12, 8, 8, 10, 120 if number < 20 else 15, 6, 6, 6, 6, 10)[kind]
        words: list[object] = []
        server: dict[str, Any] = {}
        if kind == 1:
            words = ["both"]
        elif kind == 2:
            words, server = ["both"], {"log": {"stderr": "separate", "maxMb": 0.1}}
        elif kind == 3:
            words = ["crash", 6, 3 + number // 10]
        elif kind == 4:
            words, server = ["loud"], {"log": {"maxMb": 0.25}}
        elif kind == 5:
            server = {"ready": {"notify": True}}
        elif kind == 6:
            server = {"ready": {"log": "ready"}, "requires": [f"s{number - 1:02d}"]}
        elif kind == 7:
            words, server = ["helper"], {"requires": [{"name": f"s{number - 1:02d}", "restart": True}]}
        elif kind == 8:
            server = {"instances": 2, "alive": {"exec": ["true"], "intervalSeconds": 5}}
        elif kind == 9:
            words = ["slow"]
        self.home.add_plugin(name, child("soak_server", self.lives, rate, *words), **server)
        for each in (f"{name}:1", f"{name}:2") if kind == 8 else (name,):
            self.servers[each] = Server(each, err_apart=kind == 2)

    def change_server(self, name: str, value: str) -> None:
        """Another environment: it is restarted by the next reload."""
        path = self.home.path / "plugins" / name / "manifest.json"
        data = json.loads(path.read_text())
        data["env"] = {"SOAK": value}
        path.write_text(json.dumps(data))

    # versions

    def next_version(self) -> Path:
        """Each time another copy of the package, of which there are two; returns its main."""
        self._version = 3 - self._version
        folder = self.home.path / "versions" / str(self._version)
        if not folder.exists():
            # Compiled, as an installed one is: to compile it costs `start` memory that it keeps.
            shutil.copytree(ROOT / "supervisor", folder / "supervisor")
        return folder / "supervisor" / "__main__.py"

    # schedules

    def _add_job(self, number: int) -> None:
        kind, copy = KINDS[number % len(KINDS)], number // len(KINDS)
        name = f"{kind.name}{copy}"
        words = ["/bin/sh", str(self.truth / "step.sh"), str(self.ledgers / name), kind.work, kind.code]
        add_steps(self.home, name, **dict.fromkeys(kind.steps, words))
        rule = Rule(every=kind.every * (1 + copy))
        if kind.name == "cron":
            rule = Rule(seconds=tuple(range(0, 60, 5)))
        elif kind.name == "after":
            rule = Rule(after=f"quick{copy}")
        elif kind.name == "at":
            now = time.time()
            rule = Rule(
                minutes=tuple(time.strftime("%H:%M", time.gmtime(now + 60 * n)) for n in range(1, 60, 1 + copy))
            )
        self.jobs[name] = Planned(kind, rule)

    def set_rule(self, name: str, rule: Rule) -> None:
        self.jobs[name] = self.jobs[name]._replace(rule=rule)

    def write(self) -> None:
        self.home.scheduler["tasks"] = [
            {"plugins": [name], **planned.kind.keys, **_keys_of(planned.rule)} for name, planned in self.jobs.items()
        ]
        self.home.write()


def _keys_of(rule: Rule) -> dict[str, Any]:
    if rule.every:
        return {"intervalSeconds": rule.every}
    if rule.after:
        return {"afterSchedule": rule.after}
    return {"at": list(rule.minutes)} if rule.minutes else {}
