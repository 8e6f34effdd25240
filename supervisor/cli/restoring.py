"""`sbctl restore FILE`: check all of a backup, judge its settings, set aside what is there, put it in its place."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time

from supervisor.base.counting import counted
from supervisor.base.errors import BAD_SETTINGS, FAILED, NO_PERMISSION, Problem
from supervisor.base.files import sync_folder, take_lock
from supervisor.cli import consent
from supervisor.cli.archive import HISTORY, SECRETS, unpack
from supervisor.cli.backing_up import files_below, plugins_of
from supervisor.cli.history_copy import cursors, end_live, set_cursors
from supervisor.cli.home import is_free
from supervisor.cli.out import answer, at_home, note
from supervisor.cli.starting import make_folders
from supervisor.cli.unreached import who_runs
from supervisor.model.home import Home
from supervisor.store.backup import check
from supervisor.store.spool import SUFFIX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    Facts = dict[str, Any]

KEEP = "keep"
BESIDE = ("-wal", "-shm")


def restore(home: Home, path: str, *, dry_run: bool, yes: bool, which: str, as_json: bool) -> int:
    """Into a home, or a folder that becomes one by it."""
    if dry_run and is_free(home.path):  # not even its folder is made
        with tempfile.TemporaryDirectory(prefix="sbctl-restore-") as folder:
            return _restore_into(Home(folder), path, dry_run=dry_run, yes=yes, which=which, as_json=as_json)
    return _restore_into(home, path, dry_run=dry_run, yes=yes, which=which, as_json=as_json)


def _restore_into(home: Home, path: str, *, dry_run: bool, yes: bool, which: str, as_json: bool) -> int:
    make_folders(home)
    with _stopped(home):
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
        work = os.path.join(home.run, f".restore-{stamp}-{os.getpid()}")
        os.mkdir(work, 0o700)
        try:
            return _restore(home, path, work, stamp, dry_run=dry_run, yes=yes, which=which, as_json=as_json)
        except OSError as error:
            code = NO_PERMISSION if isinstance(error, PermissionError) else FAILED
            raise Problem(f"{error.filename}: {error.strerror}", code=code) from None
        finally:
            shutil.rmtree(work, ignore_errors=True)


@contextlib.contextmanager
def _stopped(home: Home) -> Iterator[None]:
    """Nothing runs here, and nothing can be started meanwhile."""
    running = Problem(
        f"sbctl runs in {home}", why="it would write over what is restored", remedy="sbctl stop", code=FAILED
    )
    if who_runs(home) is not None:
        raise running
    lock = take_lock(home.lock_file)
    if lock is None:
        raise running
    try:
        yield
    finally:
        os.close(lock)


def _restore(
    home: Home, path: str, work: str, stamp: str, *, dry_run: bool, yes: bool, which: str, as_json: bool
) -> int:
    manifest = unpack(path, work)
    _check_history(os.path.join(work, HISTORY))
    names = [entry["path"] for entry in manifest["files"]]
    leaving = _leaving(home, set(names))
    _judge(work)
    aside = os.path.join(home.run, f"before-restore-{stamp}")
    set_aside = [name for name in [*names, *leaving] if os.path.lexists(home.join(name))]
    facts: Facts = {
        "file": os.path.abspath(path),
        "made_at": manifest.get("made_at"),
        "version": manifest.get("version"),
        "files": names,
        "set_aside": set_aside,
        "aside": None if dry_run or not set_aside else aside,
        "cursors": which,
        "dry_run": dry_run,
        "restored": False,
    }
    told = _told(home, facts, leaving)
    if dry_run:
        answer("\n".join(told), facts, as_json=as_json)
        return 0
    for line in told:
        note(line)
    if not yes:
        consent.ask("Do it? (What is there now is set aside.)", "sbctl restore FILE --yes")
    if HISTORY in names and which == KEEP:
        _keep_cursors(home, os.path.join(work, HISTORY))
    _replace(home, work, names, leaving, aside)
    facts["restored"] = True
    before = f"; what was there before is in {aside}" if set_aside else ""
    answer(f"restored{before}\n{at_home('next: sbctl start')}", facts, as_json=as_json)
    return 0


def _check_history(path: str) -> None:
    """Before anything is moved: a damaged one must not take the place of a good one."""
    findings = check(path) if os.path.exists(path) else []
    if findings:
        raise Problem("the history in this backup can't be used", why="; ".join(findings[:3]), code=BAD_SETTINGS)


def _leaving(home: Home, names: set[str]) -> list[str]:
    """What is there today and not in the backup: left there, it would be mixed with what was then.

    Of a plugin that is its manifest: its programs stay, and without one nothing starts them.
    """
    with_secrets = any(name.startswith(SECRETS) for name in names)
    found = [os.path.relpath(path, home.path) for path in files_below(home.etc)]
    found += [f"plugins/{plugin}/manifest.json" for plugin in plugins_of(home)]
    leaving = [name for name in found if name not in names and (with_secrets or not name.startswith(SECRETS))]
    waiting = HISTORY + SUFFIX  # it belongs to the history of now
    return [*leaving, waiting] if HISTORY in names and os.path.lexists(home.join(waiting)) else leaving


def _judge(work: str) -> None:
    """As the compiler would judge them where they come to lie; errors change nothing."""
    from supervisor.settings import api  # pydantic: 0.2 s
    from supervisor.settings.compiled import build

    os.makedirs(os.path.join(work, "etc"), mode=0o700, exist_ok=True)
    loaded = api.load(Home(work))
    build(loaded)
    errors = [finding for finding in loaded.findings if finding.is_error]
    for finding in errors:
        note(finding.text())
    if errors:
        raise Problem(
            "the settings of this backup would have errors: nothing was changed",
            why=errors[0].headline(),
            remedy="mend what is named above, or make what they name",
            code=BAD_SETTINGS,
        )


def _told(home: Home, facts: Facts, leaving: list[str]) -> list[str]:
    verb = "would be" if facts["dry_run"] else "will be"
    files = counted(len(facts["files"]), "file")
    lines = [f"backup of {facts['made_at']}: {files}; {len(facts['set_aside'])} {verb} set aside"]
    for name in facts["files"]:
        state = "replaces" if os.path.lexists(home.join(name)) else "new"
        lines.append(f"  {state:<9} {name}")
    lines += [f"  {'takes out':<9} {name}" for name in leaving]
    missing = {name.split("/")[1] for name in facts["files"] if name.startswith("plugins/")}
    for plugin in sorted(missing):
        if not os.path.isdir(home.plugin(plugin)):
            lines.append(f"  plugins/{plugin} is not here: of it the backup has the manifest alone")
    if HISTORY in facts["files"]:
        kept = facts["cursors"] == KEEP
        how = "nothing of what was decided since then comes again" if kept else "slots since then count as missed"
        lines.append(f"  history   {how} (--cursors {facts['cursors']})")
    return lines


def _keep_cursors(home: Home, restored: str) -> None:
    """As far as slots have been looked at now; of schedules that nobody knows now: up to this moment."""
    present, then = cursors(home.history_file), cursors(restored)
    now = int(time.time())
    set_cursors(restored, {**dict.fromkeys(then, now), **present})
    end_live(restored, home.history_file)


def _replace(home: Home, work: str, names: list[str], leaving: list[str], aside: str) -> None:
    """Each file is set aside first; an error in the middle leaves all that was there in `aside`."""
    beside = [HISTORY + end for end in BESIDE] if HISTORY in names else []
    for name in [*names, *leaving, *beside]:
        if os.path.lexists(home.join(name)):
            _move(home.join(name), os.path.join(aside, name), 0o700)
    for name in names:
        _move(os.path.join(work, name), home.join(name), 0o700 if name.startswith(SECRETS) else 0o755)
    for name in leaving:
        if name.startswith("plugins/"):
            with contextlib.suppress(OSError):  # its programs are in it
                os.rmdir(os.path.dirname(home.join(name)))
    os.makedirs(home.etc, exist_ok=True)  # a backup without settings is one, too
    sync_folder(home.etc)


def _move(source: str, target: str, mode: int) -> None:
    os.makedirs(os.path.dirname(target), mode=mode, exist_ok=True)
    shutil.move(source, target)  # a rename, or a copy where a plugin lies on another disk
