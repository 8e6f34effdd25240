"""`pause`, `resume`, `enable` and `disable` of single schedules: asked of the scheduler, else written where it looks.

By the rules of `daemons/wish_verbs.py`, which does the same while it runs.
"""

from __future__ import annotations

import time

from supervisor.cli import state_file
from supervisor.cli.out import note
from supervisor.cli.run_asking import login
from supervisor.cli.schedules import ask_if_running, catalogue, meant, owners_of
from supervisor.model.wishes import ON_RESUME, is_over

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from supervisor.model.home import Home
    from supervisor.model.intent import Intent
    from supervisor.model.schedule import Catalogue
    from supervisor.model.wishes import Wishes

    Facts = dict[str, Any]
    Change = Callable[[Wishes, str], bool]  # of one schedule; False: it was so already


def set_enabled(home: Home, words: Sequence[str], *, enabled: bool) -> Facts:
    def change(schedules: Catalogue) -> Change:
        def one(wishes: Wishes, name: str) -> bool:
            by_settings = schedules.schedules[name].enabled
            wish = wishes.enabled(name)
            if (by_settings if wish is None else wish) is enabled:
                return False
            return wishes.enable(name, None if by_settings is enabled else enabled)

        return one

    return _done(home, "schedule_enable" if enabled else "schedule_disable", words, {"by": login()}, change)


def pause(home: Home, words: Sequence[str], more: Facts) -> Facts:
    """`more`: by, and what was said besides: reason, until, on_resume."""
    now = time.time()
    new = {"by": more["by"], "reason": more.get("reason", ""), "until": more.get("until"),
           "on_resume": more.get("on_resume") or ON_RESUME[0]}  # fmt: skip
    says_more = len(more) > 1  # than that it is to be paused

    def one(wishes: Wishes, name: str) -> bool:
        was = wishes.paused(name)
        goes_on = was is not None and not is_over(was, now)
        at = was["at"] if was is not None and goes_on else now  # what it has held until now is still held
        return (says_more or not goes_on) and wishes.pause(name, {"at": at, **new})

    return _done(home, "pause", words, more, lambda _: one)


def resume(home: Home, words: Sequence[str], more: Facts) -> Facts:
    """The time of the pause is over, and what was held is made up for by the scheduler, as for any that is over."""
    now = time.time()

    def one(wishes: Wishes, name: str) -> bool:
        was = wishes.paused(name)
        if was is None or is_over(was, now):
            return False
        return wishes.pause(name, {**was, "until": now, "on_resume": more.get("what") or was["on_resume"]})

    return _done(home, "resume", words, more, lambda _: one)


def _done(home: Home, verb: str, words: Sequence[str], more: Facts, change: Callable[[Catalogue], Change]) -> Facts:
    reply = ask_if_running(home, verb, names=list(words), **more)
    if reply is not None:
        return reply
    schedules = catalogue(home)
    done = _write(home, meant(words, owners_of(schedules)), change(schedules))
    note("no scheduler runs: it counts from the next start on")
    ask_if_running(home, verb, names=list(words), **more)  # should it have started meanwhile, and have read it before
    return done


def _write(home: Home, names: list[str], one: Change) -> Facts:
    done: Facts = {"accepted": [], "already": []}

    def make(intent: Intent) -> bool:
        for name in names:
            done["accepted" if one(intent.schedules, name) else "already"].append(name)
        return bool(done["accepted"])

    state_file.change(home, make)
    return done
