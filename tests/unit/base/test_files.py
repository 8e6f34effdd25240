"""Files that survive a kill between any two lines; PID files with anything in them; locks and long socket paths."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from supervisor.base import files


class Killed(BaseException):
    """What a SIGKILL looks like from inside: no handler runs that only expects errors."""


STEPS = ("open", "write", "fchmod", "fsync", "close", "rename")


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_any_step_leaves_the_old_content_or_the_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    real = getattr(os, step)

    def die(*args: object, **more: object) -> None:
        raise Killed

    def die_after(*args: object, **more: object) -> None:
        real(*args, **more)
        raise Killed

    for death in (die, die_after):
        with monkeypatch.context() as patch:
            patch.setattr(os, step, death)
            with pytest.raises(Killed):
                files.write_atomic(str(path), b"new", durable=True)
        assert path.read_bytes() in (b"old", b"new")

    files.write_atomic(str(path), b"newest")
    assert path.read_bytes() == b"newest"


@pytest.mark.parametrize("step", ["write", "fchmod", "rename"])
def test_an_error_leaves_the_old_content_and_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, step, fail)
        with pytest.raises(OSError, match="No space"):
            files.write_atomic(str(path), b"new")

    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("file", b"old")]


def test_the_mode_is_as_asked_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        files.write_atomic(str(tmp_path / "open"), b"", mode=0o644)
        files.write_atomic(str(tmp_path / "closed"), b"")
    finally:
        os.umask(before)

    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("open", "closed")] == [0o644, 0o600]


def test_a_short_write_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, bytes(data[:3])))
    files.write_atomic(str(tmp_path / "file"), b"0123456789")

    assert (tmp_path / "file").read_bytes() == b"0123456789"


@pytest.mark.parametrize(
    ("content", "pid"),
    [
        (b"42\n", 42),
        (b"42", 42),
        (b" 42 \n", 42),
        (b"0\n", None),
        (b"-42\n", None),
        (b"+42\n", None),
        (b"42 43\n", None),
        (b"42\n43\n", None),
        (b"4_2\n", None),
        (b"0x2a\n", None),
        (b"4.2\n", None),
        (b"\xd9\xa4\xd9\xa2\n", None),
        (b"1234567890\n", None),
        (b"9" * 5000, None),
        (b"", None),
        (b"\n", None),
        (b"\0\0\0\0", None),
        (b"many\n", None),
    ],
)
def test_a_pid_file_holds_one_number_or_nothing(tmp_path: Path, content: bytes, pid: int | None) -> None:
    (tmp_path / "x.pid").write_bytes(content)

    assert files.read_pid_file(str(tmp_path / "x.pid")) == pid


def test_a_pid_file_may_be_missing_a_folder_or_a_fifo(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")

    for path in (tmp_path, tmp_path / "missing", tmp_path / "fifo"):
        assert files.read_pid_file(str(path)) is None


def test_a_pid_file_is_a_number_and_a_line_end(tmp_path: Path) -> None:
    files.write_pid_file(str(tmp_path / "x.pid"), 42)

    assert (tmp_path / "x.pid").read_bytes() == b"42\n"


def test_small_files_only(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 11)

    assert files.read_small(str(tmp_path / "file"), 11) == b"x" * 11
    with pytest.raises(OSError, match="larger than 10 bytes"):
        files.read_small(str(tmp_path / "file"), 10)


def test_a_fifo_is_refused_at_once_and_not_read_as_empty(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")

    with pytest.raises(OSError, match="a FIFO, not a file"):
        files.read_small(str(tmp_path / "fifo"))


def test_a_lock_is_one_holders_until_it_is_closed(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    first = files.take_lock(path)
    assert first is not None
    assert files.take_lock(path) is None
    os.close(first)

    again = files.take_lock(path)

    assert again is not None
    assert not os.get_inheritable(again)
    os.close(again)


def test_a_lock_is_not_taken_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(OSError, match="symbolic links"):
        files.take_lock(str(tmp_path / "lock"))
    assert not (tmp_path / "elsewhere").exists()


def test_a_socket_below_a_path_that_is_too_long_can_be_reached(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 200)
    folder.mkdir()
    fd = os.open(folder, os.O_PATH)
    try:
        with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
            server.bind(files.socket_address(fd, "name"))
            server.listen()
            client.connect(files.socket_address(fd, "name"))
    finally:
        os.close(fd)
    assert (folder / "name").is_socket()
