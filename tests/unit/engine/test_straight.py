"""Which commands are exec'ed without a shell in between: those that lie on our own disk, and can't fail to start."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.home import ROOT

from supervisor.engine.local_disk import TABLE
from supervisor.engine.straight import Exec, Straight
from supervisor.model.launch import Launch

TRUE = os.path.realpath(shutil.which("true") or "/bin/true")
PATH = {"PATH": "/usr/bin:/bin"}


def launch(*argv: str, cwd: str | Path = "/") -> Launch:
    return Launch(argv=argv, cwd=str(cwd), log=os.devnull)


def table(path: Path, *more: str) -> str:
    """The mounts of this machine, and some more."""
    lines = Path(TABLE).read_text()
    file = path / "mountinfo"
    file.write_text(lines + "".join(f"999 1 0:99 / {point} rw - {kind} x rw\n" for point, kind in map(str.split, more)))
    return str(file)


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A copy of `true`, which is on the disk of the tests."""
    if os.stat(tmp_path).st_dev != os.stat(sys.executable).st_dev:
        pytest.skip("the tests' folder is on another disk than Python")
    copy = tmp_path / "a program"
    shutil.copy2(TRUE, copy)
    return copy


def test_a_program_on_our_disk(program: Path) -> None:
    assert Straight().program(launch(str(program), cwd=program.parent), PATH) == str(program)
    assert Straight().program(launch("./a program", cwd=program.parent), PATH) == f"{program.parent}/./a program"


def test_it_is_looked_for_as_a_shell_does(program: Path) -> None:
    folder, other = program.parent, program.parent / "other"
    other.mkdir()
    words = launch("a program", cwd=folder)
    straight = Straight()

    assert straight.program(words, {"PATH": f"/nowhere:{other}:{folder}"}) == str(program)
    assert straight.program(words, {"PATH": "/nowhere"}) == ""
    assert straight.program(words, {"PATH": f":{folder}"}) == ""  # the current folder comes first
    assert straight.program(words, {}) == ""
    (other / "a program").write_text("echo hello\n")  # for a shell this is nothing to run, so it goes on: its affair
    assert straight.program(words, {"PATH": f"{other}:{folder}"}) == ""


def test_what_needs_a_shell(program: Path, tmp_path: Path) -> None:
    script, data = tmp_path / "script", tmp_path / "data"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    shutil.copyfile(TRUE, data)  # without its right to be executed
    data.chmod(0o644)
    straight = Straight()

    for argv in ((str(script),), (str(data),), (str(tmp_path),), (str(tmp_path / "missing"),), ("missing",)):
        assert straight.program(launch(*argv, cwd=tmp_path), PATH) == "", argv
    for cwd in (tmp_path / "missing", program):
        assert straight.program(launch(str(program), cwd=cwd), PATH) == "", cwd


def test_a_program_that_becomes_a_script(program: Path) -> None:
    straight, words = Straight(), launch(str(program), cwd=program.parent)
    assert straight.program(words, PATH)

    program.write_text("#!/bin/sh\n")

    assert straight.program(words, PATH) == ""


@pytest.mark.parametrize("kind", ["nfs4", "fuse.sshfs", "9p", "autofs", "cifs"])
def test_a_disk_elsewhere_is_not_asked(program: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = program.parent
    away, link = folder / "away", folder / "link"
    away.mkdir()
    shutil.copy2(TRUE, away / "true")
    link.symlink_to(away)
    straight = Straight(table(folder, f"{away} {kind}"))
    asked: list[str] = []
    for name in ("stat", "lstat", "access", "open", "readlink"):
        monkeypatch.setattr(os, name, _noting(getattr(os, name), asked))

    assert straight.program(launch(str(program), cwd=folder), PATH) == str(program)
    assert straight.program(launch(str(away / "true"), cwd=folder), PATH) == ""
    assert straight.program(launch(str(link / "true"), cwd=folder), PATH) == ""
    assert straight.program(launch(str(program), cwd=away), PATH) == ""
    assert straight.program(launch("true", cwd=folder), {"PATH": f"{link}:/usr/bin"}) == ""
    assert straight.program(launch("a program", cwd=folder), {"PATH": f"/usr/bin:{folder}"}) == str(program)
    assert not [path for path in asked if path.startswith(f"{away}")]


def _noting(call: Any, asked: list[str]) -> Any:
    def noted(path: Any, *args: Any, **more: Any) -> Any:
        asked.append(str(path))
        return call(path, *args, **more)

    return noted


def test_another_disk_of_this_machine_is_not_ours_but_memory_is(program: Path) -> None:
    shm = Path("/dev/shm") / f"sbctl-test-{os.getpid()}"
    if not os.access("/dev/shm", os.W_OK) or os.stat("/dev/shm").st_dev == os.stat(program).st_dev:
        pytest.skip("no other disk here")
    words = launch(str(shm), cwd=program.parent)
    as_a_disk = program.parent / "mountinfo"
    as_a_disk.write_text(Path(TABLE).read_text().replace(" - tmpfs ", " - ext4 "))
    try:
        shutil.copy2(TRUE, shm)
        assert Straight().program(words, PATH) == str(shm)
        assert Straight(str(as_a_disk)).program(words, PATH) == ""
    finally:
        shm.unlink(missing_ok=True)


def test_without_the_table_the_shell_does_it_all(program: Path) -> None:
    assert Straight("/nowhere/mountinfo").program(launch(str(program), cwd=program.parent), PATH) == ""


def told(tmp_path: Path, code: str, cwd: Path) -> str:
    """What a straight child prints."""
    out = tmp_path / "out"
    fd = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    python = os.path.realpath(sys.executable)
    words = [python, "-I", "-S", "-c", code]
    one = Exec(python, words, dict(os.environ), [(os.POSIX_SPAWN_DUP2, fd, 1)], cwd=str(cwd))
    try:
        Straight().spawn([one], 256)
    finally:
        os.close(fd)
    assert one.pid > 0
    assert os.waitpid(one.pid, 0)[1] == 0
    return out.read_text()


def test_the_child_has_its_folder_and_limit_and_we_have_ours(program: Path, tmp_path: Path) -> None:
    before = os.getcwd(), resource.getrlimit(resource.RLIMIT_NOFILE)
    folder = tmp_path / "its folder"
    folder.mkdir()
    code = "import os, resource as r; print(os.getcwd(), r.getrlimit(7), os.getsid(0) == os.getpid())"

    assert told(tmp_path, code, folder) == f"{folder} (256, {before[1][1]}) True\n"
    assert (os.getcwd(), resource.getrlimit(resource.RLIMIT_NOFILE)) == before


def test_what_the_kernel_does_not_take_is_for_the_shell(program: Path) -> None:
    before = os.getcwd(), resource.getrlimit(resource.RLIMIT_NOFILE)
    program.write_bytes(b"\x7fELF of another machine")
    words = launch(str(program), cwd=program.parent)
    straight = Straight()

    assert straight.program(words, PATH) == str(program)
    bad = Exec(str(program), [str(program)], {}, [], cwd=str(program.parent))
    away = Exec(TRUE, ["true"], {}, [], cwd="/nowhere")
    good = Exec(TRUE, ["true"], {}, [], cwd="/")
    straight.spawn([bad, away, good], 256)
    assert (bad.pid, away.pid) == (0, 0)
    assert os.waitpid(good.pid, 0) == (good.pid, 0)
    assert (os.getcwd(), resource.getrlimit(resource.RLIMIT_NOFILE)) == before


def test_something_is_mounted_meanwhile(program: Path, tmp_path: Path) -> None:
    """A file in place of the kernel's table always counts as changed, as the kernel's does after a mount."""
    path = table(program.parent)
    straight, words = Straight(path), launch(str(program), cwd=program.parent)
    assert straight.program(words, PATH)
    with open(path, "a", encoding="utf-8") as file:
        file.write(f"999 1 0:99 / {program.parent} rw - nfs4 x rw\n")
    straight._is_stale = True  # what the kernel would say

    assert straight.program(words, PATH) == ""


def test_the_kernel_says_when_something_is_mounted(program: Path) -> None:
    """In a namespace of mounts of its own."""
    code = (
        "import subprocess, sys\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "from supervisor.engine.straight import Exec, Straight\n"
        "from supervisor.model.launch import Launch\n"
        "folder, program = sys.argv[1:]\n"
        "words, straight = Launch(argv=(program,), cwd='/', log='/dev/null'), Straight()\n"
        "print(straight.program(words, {}) == program, straight.program(words, {}) == program)\n"
        "subprocess.run(['mount', '-t', 'tmpfs', 'x', folder], check=True)\n"
        "print(repr(straight.program(words, {})), straight._is_stale, len(straight._disks))\n"
    )
    words = [
        "unshare",
        "-m",
        os.path.realpath(sys.executable),
        "-I",
        "-S",
        "-c",
        code,
        str(program.parent),
        str(program),
    ]
    done = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False)
    if done.returncode and ("permitted" in done.stderr or "denied" in done.stderr):
        pytest.skip("mount namespaces are not allowed here")

    first, second = done.stdout.splitlines()
    assert (first, second.partition(" ")[0]) == ("True True", "''")


def test_a_shortage_of_descriptors_is_not_remembered(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    straight, words = Straight(), launch(str(program), cwd=program.parent)
    opened = os.open

    def short(*_: Any, **__: Any) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as shortage:
        shortage.setattr(os, "open", short)
        assert straight.program(words, PATH) == ""
    Straight._look_at_table(straight)
    with monkeypatch.context() as shortage:
        shortage.setattr(os, "open", short)
        assert straight.program(words, PATH) == ""  # the program can't be looked into

    assert os.open is opened
    assert straight.program(words, PATH) == str(program)
