"""`pause` and `resume`: of single schedules by the scheduler, of all by the file pause.flag."""

from __future__ import annotations

import os
import time

from supervisor.base.clock import iso
from supervisor.base.errors import NO_PERMISSION, USAGE, Problem
from supervisor.base.files import read_small, write_atomic
from supervisor.cli import schedule_wishes
from supervisor.cli.moments import parse_until
from supervisor.cli.out import answer, at_home
from supervisor.cli.run_asking import login
from supervisor.cli.schedule_zones import zone_of
from supervisor.cli.schedules import ask_if_running
from supervisor.cli.times import parse_iso
from supervisor.cli.zones import minute, zone_named
from supervisor.model.pause import MAX_BYTES, decode, encode
from supervisor.model.rows import clean
from supervisor.model.wishes import ON_RESUME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from supervisor.core.zone import Zone
    from supervisor.model.home import Home

    Facts = dict[str, Any]

FLAG_MODE = 0o644


def until_of(length: float | None, until: str | None, its: Zone) -> float | None:
    """Of --for or --until; None: for as long as nobody resumes."""
    if length is not None and until is not None:
        raise Problem("--for and --until contradict each other", code=USAGE)
    now = time.time()
    if until is not None:
        return parse_until(until, now, its)
    if length is not None and length <= 0:
        raise Problem("--for needs a length", remedy="sbctl pause --for 2h", code=USAGE)
    return None if length is None else now + length


def pause(
    home: Home,
    names: Sequence[str],
    *,
    reason: str,
    length: float | None,
    until_text: str | None,
    tz: str,
    on_resume: str,
    as_json: bool,
) -> int:
    """`tz`: in which a time is read and shown; else in that of the schedule, or of this machine for several."""
    its = zone_named(tz) if tz else zone_of(home, names)
    until = until_of(length, until_text, its)
    more: Facts = {"by": login()}
    if reason:
        more["reason"] = reason
    if until is not None:
        more["until"] = until
    if on_resume:
        more["on_resume"] = on_resume.replace("-", "_")
    reply = _ask(home, "pause", names, more)
    if reply is None:
        since = None if flag(home) is None else _since(home)
        data = encode(login(), reason, "" if until is None else iso(until), more.get("on_resume", ""))
        _write_flag(home, data, since)
        reply = {"accepted": [], "already": []}
    tail = f" until {minute(until, its, time.time())} ({its.name})" if until is not None else ""
    if not names:
        how = "was paused already" if not reply["accepted"] and reply["already"] else f"is paused{tail}"
        answer(at_home(f"everything {how}; sbctl resume goes on"), reply, as_json=as_json)
        return 0
    lines = [f"{name} is paused{tail}" for name in reply["accepted"]]
    lines += [f"{name} was paused already" for name in reply["already"]]
    answer("\n".join(lines), reply, as_json=as_json)
    return 0


def resume(home: Home, names: Sequence[str], *, what: str, as_json: bool) -> int:
    more: Facts = {"by": login()}
    if what:
        more["what"] = what.replace("-", "_")
    reply = _ask(home, "resume", names, more)
    if reply is None:
        reply = {"accepted": [], "already": []}
        was = _end_flag(home, str(more.get("what") or ""))
        answer("everything goes on" if was else "nothing was paused as a whole", reply, as_json=as_json)
        return 0
    if not names:
        was_paused = bool(reply["accepted"]) or not reply["already"]
        answer("everything goes on" if was_paused else "nothing was paused as a whole", reply, as_json=as_json)
        return 0
    lines = [f"{name} goes on" for name in reply["accepted"]]
    lines += [f"{name} was not paused" for name in reply["already"]]
    answer("\n".join(lines), reply, as_json=as_json)
    return 0


def _ask(home: Home, verb: str, names: Sequence[str], more: Facts) -> Facts | None:
    """None: all is meant and no scheduler runs, so the file is ours to write."""
    if names:
        return (schedule_wishes.pause if verb == "pause" else schedule_wishes.resume)(home, names, more)
    return ask_if_running(home, verb, names=[], **more)


# the file


def flag(home: Home, now: float | None = None) -> Facts | None:
    """Who paused everything, since when, why, until when; None: nobody."""
    path = home.pause_file
    try:
        found = os.lstat(path)
    except OSError:
        return None
    try:
        facts = decode(read_small(path, MAX_BYTES))
    except OSError:  # too long for one of ours, a folder, a FIFO: that it is there is what counts
        facts = decode(b"")
    until = parse_iso(facts["until"])
    if until is not None and until <= (time.time() if now is None else now):
        return None  # whoever starts next removes it
    return {"at": iso(found.st_mtime), **facts}


def _end_flag(home: Home, what: str) -> Facts | None:
    """What it said. Where something is to be made up for it stays, as one that is over, for whoever starts next."""
    was = flag(home)
    if was is None:
        return None  # one that is over is removed by whoever starts next
    then = what or was["on_resume"]
    if then == ON_RESUME[0]:
        _remove_flag(home)
        return was
    _write_flag(home, encode(was["by"], was["reason"], iso(time.time()), then), _since(home))
    return was


def _since(home: Home) -> int | None:
    """What was held from then on counts, whatever is written into it later."""
    try:
        return os.lstat(home.pause_file).st_mtime_ns
    except OSError:
        return None


def _write_flag(home: Home, data: bytes, since: int | None) -> None:
    try:
        write_atomic(home.pause_file, data, mode=FLAG_MODE, durable=True)
        if since is not None:
            os.utime(home.pause_file, ns=(since, since))
    except OSError as error:
        raise _no_flag(home, error) from None


def _remove_flag(home: Home) -> None:
    try:
        os.unlink(home.pause_file)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _no_flag(home, error) from None


def _no_flag(home: Home, error: OSError) -> Problem:
    return Problem(f"can't change {home.pause_file}", why=error.strerror or str(error), code=NO_PERMISSION)


def paused_text(paused: Facts | None, its: Zone, now: float) -> str:
    """`since 13:00 by pause.flag: disk is being replaced, until Mon 24 Nov 08:00`."""
    if not paused:
        return ""
    at, until = parse_iso(paused.get("at")), parse_iso(paused.get("until"))
    text = f"since {minute(at, its, now)}" if at is not None else ""
    text += f" by {paused['by']}" if paused.get("by") else ""
    text += f": {paused['reason']}" if paused.get("reason") else ""
    text += f", until {minute(until, its, now)}" if until is not None else ""
    return clean(text.strip())
