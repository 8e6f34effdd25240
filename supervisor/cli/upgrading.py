"""`sbctl upgrade` as a whole: what there is, what is new, what is done about it, and what to tell."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from supervisor import __version__
from supervisor.base.errors import FAILED, NOT_RUNNING, Problem
from supervisor.base.where import checkout, own_program
from supervisor.cli.out import answer, note
from supervisor.cli.ran_on import pids_now, replaced, told
from supervisor.cli.upgrade_environment import Environment, Place, in_use
from supervisor.cli.upgrade_source import DISTRIBUTION, Source, digest_of, find
from supervisor.cli.upgrade_tree import Program, go_over, running, self_check
from supervisor.model.home import Home


def upgrade(home: Home, word: str | None, *, check: bool, as_json: bool) -> int:
    began = time.monotonic()
    place = Place.of_this_program()
    before = _running(home)
    with tempfile.TemporaryDirectory(prefix="sbctl-upgrade-") as scratch, _alone(place.link):
        source = find(word or checkout() or DISTRIBUTION, place.current.python, Path(scratch))
        facts: dict[str, Any] = {
            "from": before.version if before is not None else __version__,
            "to": source.version,
            "source": source.origin,
            "running": before is not None,
            "changed": False,
        }
        if not check and _is_nothing_new(source, before):
            where = f"from {source.origin}"
            text = f"nothing new: {source.version} ({where}) is what {'runs' if before else 'is installed'}"
            answer(text, facts, as_json=as_json)
            return 0
        new = place.beside(source)
        if check:
            return _only_check(home, place, source, before, facts, as_json=as_json)
        was_there, servers = bool(new.record), pids_now(home)
        place.make(source, new)
        try:
            found = self_check(home, new, before.state_format if before is not None else None)
            facts["checks"] = found["checks"]
            facts["handed_over"] = _go_over(home, before, new, source, found["settings_format"])
        except BaseException:  # a signal, too: by then the tree may be on its way
            if not was_there and not _runs_from(home, new):
                shutil.rmtree(new.folder, ignore_errors=True)
            raise
        try:
            previous = place.switch(new, _version_in(place.current, before))
        except OSError as error:
            raise _not_switched(place, new, source, error, is_running=before is not None) from None
        left = place.tidy(previous)
    facts.update(changed=True, environment=str(new.folder), previous=str(previous) if previous else None)
    facts["seconds"] = round(time.monotonic() - began, 1)
    after = pids_now(home)
    facts["replaced"] = None if servers is None or after is None else replaced(servers, after)
    answer(_text(facts, before, told(servers, after)), facts, as_json=as_json)
    for folder in left:
        note(f"not needed any more, as far as sbctl can tell: {folder}")
    return 0


def _not_switched(place: Place, new: Environment, source: Source, error: OSError, *, is_running: bool) -> Problem:
    return Problem(
        f"{place.link} can't be made to mean {new.folder.name}: {error.strerror or error}",
        why=f"the tree runs {source.version} already, but the next start would take the old one" if is_running else "",
        remedy="mend that, then sbctl upgrade again, which completes it",
    )


def _running(home: Home) -> Program | None:
    try:
        return running(home)
    except Problem as problem:
        if problem.code != NOT_RUNNING:
            raise
        return None


def _runs_from(home: Home, new: Environment) -> bool:
    """Whatever can't be found out counts as yes."""
    try:
        now = _running(home)
    except Problem:
        return True
    return in_use(new.folder) or (now is not None and now.main == new.main)


def _is_nothing_new(source: Source, before: Program | None) -> bool:
    """Does what runs, and would be started, have this very code? Not so after one that was broken off."""
    own = own_program()[1]
    if before is not None and (before.package is None or before.main != own):
        return False
    package = Path(own).parent if before is None else before.package
    return package is not None and digest_of(package) == source.digest


def _go_over(home: Home, before: Program | None, new: Environment, source: Source, settings_format: int) -> list[str]:
    if before is None:
        return []
    if before.package is None:
        note(
            f"sbctl: the files of {before.version} have been changed since it was started: should {source.version} not "
            "come up, there is no way back to it"
        )
    return go_over(home, before, new, source.version, settings_format)


def _only_check(
    home: Home, place: Place, source: Source, before: Program | None, facts: dict[str, Any], *, as_json: bool
) -> int:
    """The version is made in a place of its own, asked, and removed."""
    trial = Environment(place.link.parent / f"{place.link.name}-{source.version}.check")
    try:
        place.make(source, trial)
        facts["checks"] = self_check(home, trial, before.state_format if before is not None else None)["checks"]
    finally:
        shutil.rmtree(trial.folder, ignore_errors=True)
    lines = [f"  {check['name']:<15} {check['text']}" for check in facts["checks"]]
    answer("\n".join([f"{source.version} would do:", *lines]), facts, as_json=as_json)
    return 0


def _version_in(current: Environment, before: Program | None) -> str:
    """Of the environment that is left, for its name."""
    return str(current.record.get("version") or (before.version if before is not None else __version__))


def _text(facts: dict[str, Any], before: Program | None, servers: str) -> str:
    previous = f"; the one before stays in {facts['previous']}" if facts["previous"] else ""
    if before is None:
        return f"{facts['to']} is installed{previous}\nnothing runs: sbctl start starts that version"
    over = ", ".join(facts["handed_over"])
    return (
        f"upgraded from {facts['from']} to {facts['to']} in {facts['seconds']} s: start (pid {before.pid}) goes on, "
        f"{over} went over{servers}{previous}"
    )


@contextmanager
def _alone(link: Path) -> Iterator[None]:
    """One upgrade of an environment at a time. The lock is held by being open, and its file stays."""
    path = f"{link}.upgrade"
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise Problem(f"nothing can be installed beside {link}", why=f"{path}: {error.strerror}") from None
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Problem(
                "another sbctl upgrade is under way", why=path, remedy="wait for its end", code=FAILED
            ) from None
        yield
    finally:
        os.close(fd)
