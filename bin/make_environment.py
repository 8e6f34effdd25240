"""Makes, or brings up to date, the Python environment that a checkout runs in; then runs sbctl in it.

Called by `set-up`, in any Python from 3.11 on; standard library only, since nothing is installed yet.
Two at once are kept apart by a lock, and whatever ends it half-way (an error, a signal) leaves nothing
behind; after SIGKILL the next one sees the mark of the unfinished and begins again.
"""

from __future__ import annotations

import configparser
import contextlib
import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

UNFINISHED = ".sbctl-unfinished"  # in an environment we are making; renamed to ...
OURS = ".sbctl-made"  # ... this when it is whole: only such a one may be changed later

MISSING_PROGRAM = 5  # the exit code, as in supervisor/base/errors.py

# What a pip user may have set for other projects, and would put packages elsewhere.
MISLEADING = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PYTHONPATH", "PYTHONHOME", "__PYVENV_LAUNCHER__")

# Run in the environment: which of the requirements it does not meet. (No `packaging` there to ask, and
# setup.cfg needs no more than a lower bound.)
CHECK = """
import re, sys
from importlib.metadata import PackageNotFoundError, version
if sys.version_info < (3, 11): print("python>=3.11")
def numbers(text): return [int(n) for n in re.findall(r"\\d+", text.partition("+")[0])]
for line in sys.argv[1:]:
    name, _, least = line.partition(">=")
    try:
        if least and numbers(version(name)) < numbers(least): print(line)
    except PackageNotFoundError:
        print(line)
"""


class Failed(Exception):
    """Something a person can mend: what, why, next."""

    def __init__(self, what: str, why: str, remedy: str) -> None:
        super().__init__(f"error: {what}\n  why:  {why}\n  next: {remedy}")


class Interrupted(BaseException):
    """A signal that ends us: raised where it strikes, so that the clean-up on the way out runs."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Interrupts:
    """The signals that end us. Held back while a child is made: one that strikes between the fork and the
    assignment would leave a pip that nobody knows of, busy in a folder that is being removed."""

    def __init__(self) -> None:
        self.holding = False
        self.late = 0

    def listen(self) -> None:
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup stays nohup
                signal.signal(number, self.strike)

    def strike(self, number: int, _: object) -> None:
        if not self.holding:
            raise Interrupted(number)
        self.late = number

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        self.holding = True
        try:
            yield
        finally:
            self.holding = False
        if self.late:
            raise Interrupted(self.late)


def say(text: str) -> None:
    with contextlib.suppress(OSError):  # nobody may be reading any more; the work goes on
        print(f"sbctl: {text}", file=sys.stderr, flush=True)


def requirements(root: str, extras: list[str]) -> list[str]:
    settings = configparser.ConfigParser(interpolation=None)
    settings.read(os.path.join(root, "setup.cfg"), encoding="utf-8")
    texts = [settings["options"]["install_requires"]]
    texts += [settings["options.extras_require"][extra] for extra in extras]
    return [line.strip() for text in texts for line in text.splitlines() if line.strip()]


class Environment:
    """The one at `path`, for the checkout at `root`."""

    def __init__(self, root: str, path: str, memory: str, extras: list[str], interrupts: Interrupts) -> None:
        self.root = root
        self.path = path
        self.memory = memory  # the stamp of an environment that is not ours
        base = os.path.join(path, ".sbctl-stamp")
        self.stamp = "-".join([base, *extras])
        self.stamps = {base, self.stamp}  # what the tests need includes what sbctl needs
        self.python = os.path.join(path, "bin", "python")
        self.needs = requirements(root, extras)
        self.lock_fd = -1
        self.child: subprocess.Popen[str] | None = None
        self.interrupts = interrupts

    def bring_up(self) -> None:
        if self.is_foreign():
            self.check_foreign()
            return
        with self.locked():
            # Looked at again now: the one we waited for has probably done it all.
            if os.path.exists(os.path.join(self.path, OURS)):
                self.update()
            elif self.is_foreign():
                self.check_foreign()
            else:
                self.make()

    def is_foreign(self) -> bool:
        """Is there something that we did not make? An empty folder is nothing."""
        if not os.path.lexists(self.path):
            return False
        if not os.path.isdir(self.path):
            return True
        names = os.listdir(self.path)
        return bool(names) and OURS not in names and UNFINISHED not in names

    def check_foreign(self) -> None:
        if not os.access(self.python, os.X_OK):
            raise Failed(
                f"{self.path} is not a Python environment",
                "it has no bin/python that can be run, and sbctl did not make it, so leaves it as it is",
                "set SB_VENV to another folder, which is made, or to a Python environment",
            )
        if missing := self.missing():
            raise Failed(
                f"the environment {self.path} lacks {', '.join(missing)}",
                "sbctl did not make it, so leaves it as it is",
                f"{self.python} -m pip install " + " ".join(f"'{line}'" for line in missing),
            )
        # To remember is a matter of speed alone: in a read-only checkout we ask again each time.
        with contextlib.suppress(OSError):
            if self.memory:
                os.makedirs(os.path.dirname(self.memory), exist_ok=True)
                self.write(self.memory)

    def missing(self) -> list[str]:
        return self.run("the check of what is installed", [self.python, "-I", "-c", CHECK, *self.needs]).splitlines()

    def make(self) -> None:
        began = time.monotonic()
        was_there = os.path.isdir(self.path)
        if was_there and os.listdir(self.path):
            say(f"{self.path} was left unfinished: making it again")
            self.remove(keep_folder=True)
        try:
            os.makedirs(self.path, exist_ok=True)
            open(os.path.join(self.path, UNFINISHED), "x").close()
            say(f"first use: making {self.path} (Python {sys.version.split()[0]})")
            # By its full name: after an upgrade of the system's Python the link leads nowhere, which the
            # launcher sees, rather than to a Python that does not look into this environment.
            base = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
            self.run("python -m venv", [base, "-I", "-m", "venv", self.path])
            self.install("first use")
            os.rename(os.path.join(self.path, UNFINISHED), os.path.join(self.path, OURS))
            self.write(*self.stamps)
        except BaseException:
            self.remove(keep_folder=was_there)
            raise
        say(f"first use: ready after {time.monotonic() - began:.0f} s")

    def update(self) -> None:
        """Ours and whole, but older than what it is made from. A failure leaves it as far as pip got."""
        if self.is_fresh():
            return
        if not os.access(self.python, os.X_OK):
            say(f"{self.path} has lost its Python")
            os.rename(os.path.join(self.path, OURS), os.path.join(self.path, UNFINISHED))
            self.make()
            return
        if self.missing():
            self.install("update")
        self.write(*self.stamps)

    def is_fresh(self) -> bool:
        inputs = [os.path.join(self.root, name) for name in ("setup.cfg", "constraints.txt")]
        try:
            made = os.stat(self.stamp).st_mtime_ns
            return os.access(self.python, os.X_OK) and all(os.stat(path).st_mtime_ns <= made for path in inputs)
        except OSError:
            return False

    def write(self, *stamps: str) -> None:
        for path in stamps:
            with open(path, "w", encoding="utf-8") as file:
                file.write("\n".join(self.needs) + "\n")

    def install(self, occasion: str) -> None:
        names = ", ".join(re.split("[<>=!~]", line)[0] for line in self.needs)
        say(f"{occasion}: installing {names}")
        pip = [self.python, "-I", "-m", "pip", "--no-input", "--disable-pip-version-check"]
        pip += ["install", "--progress-bar", "off", "--retries", "2", "--no-warn-script-location"]
        try:
            self.run("pip install", [*pip, "-c", os.path.join(self.root, "constraints.txt"), *self.needs])
        except Failed as error:
            # An index that is behind or ahead of ours, rather than none at all?
            if not re.search(r"ResolutionImpossible|from versions: (?!none)", str(error)):
                raise
            say(f"{occasion}: not all of the tested versions are to be had here, taking the newest that fit")
            self.run("pip install", [*pip, *self.needs])

    def run(self, what: str, argv: list[str]) -> str:
        """What it printed; each package that pip begins with is told as it comes."""
        env = {name: value for name, value in os.environ.items() if name not in MISLEADING}
        # The child holds the lock too: should we be killed outright, nobody begins while it still writes.
        keep = (self.lock_fd,) if self.lock_fd >= 0 else ()
        with self.interrupts.held():
            self.child = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                env=env,
                pass_fds=keep,
                start_new_session=True,
            )
        assert self.child.stdout
        lines: list[str] = []
        for line in self.child.stdout:
            lines.append(line.rstrip())
            if package := re.match(r"Collecting ([\w.-]+)", line):
                say(f"  {package[1]}")
        code = self.child.wait()
        self.child = None
        if code:
            errors = [line for line in lines if line.startswith("ERROR:")] or [line for line in lines if line]
            raise Failed(
                f"{what} ended with {code}",
                " / ".join(errors[-2:]) or "it said nothing",
                "mend that (network? package index? room on the disk?), then run the same command again",
            )
        return "\n".join(lines)

    def end_child(self) -> None:
        """The whole group: pip has children of its own when it builds."""
        if self.child is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.child.pid, signal.SIGKILL)
            self.child.wait()

    def remove(self, keep_folder: bool) -> None:
        """Without a hearing for further signals: what is half removed would only have to be removed later."""
        self.end_child()
        before = [(number, signal.signal(number, signal.SIG_IGN)) for number in SIGNALS]
        try:
            names = os.listdir(self.path) if os.path.isdir(self.path) else []
            for name in sorted(names, key=UNFINISHED.__eq__):  # the mark last: without it we would not be let in again
                path = os.path.join(self.path, name)
                if os.path.isdir(path) and not os.path.islink(path):
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    os.unlink(path)
            if not keep_folder:
                with contextlib.suppress(FileNotFoundError):
                    os.rmdir(self.path)
        finally:
            for number, handler in before:
                signal.signal(number, handler)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """One at a time per environment. The file is removed at the end, so after getting the lock
        it must still be the one that has the name."""
        path = self.path + ".lock"
        while True:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            self.lock_fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(self.lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say(f"another sbctl is making {self.path}: waiting for it")
                fcntl.flock(self.lock_fd, fcntl.LOCK_EX)
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(self.lock_fd), os.stat(path)):
                    break
            os.close(self.lock_fd)
        try:
            yield
        finally:
            self.end_child()
            os.unlink(path)
            os.close(self.lock_fd)
            self.lock_fd = -1


SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(root: str, venv: str, memory: str, extras: str, *rest: str) -> int:
    interrupts = Interrupts()
    interrupts.listen()
    environment = Environment(root, venv, memory, [name for name in extras.split(",") if name], interrupts)
    try:
        environment.bring_up()
    except Failed as error:
        print(error, file=sys.stderr)
        return MISSING_PROGRAM
    except OSError as error:
        print(f"error: cannot make {venv}\n  why:  {error}", file=sys.stderr)
        print("  next: set SB_VENV to a folder that you can write, or make room", file=sys.stderr)
        return MISSING_PROGRAM
    except Interrupted as interrupted:
        say("interrupted")
        return 128 + interrupted.number
    if rest:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        python = environment.python
        os.execv(python, [python, "-I", "-S", os.path.join(root, "supervisor", "cli", "hot.py"), *rest[1:]])
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
