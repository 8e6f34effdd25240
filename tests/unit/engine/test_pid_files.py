"""A pid file that is not wanted any more is put aside and comes back with the next pid."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from supervisor.engine.pid_files import MOST, PidFiles


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where they are put aside."""
    (tmp_path / "run").mkdir()
    return tmp_path / "run"


@pytest.fixture
def files(folder: Path) -> PidFiles:
    return PidFiles(str(folder))


@pytest.mark.parametrize(("pid", "is_same"), [(7, False), (54321, True), (4194304, True)])
def test_the_next_one_is_the_same_file_with_another_pid(
    files: PidFiles, tmp_path: Path, pid: int, is_same: bool
) -> None:
    """But where it would be shorter: a reader might see a rest of the other."""
    path = tmp_path / "one.pid"
    files.publish(str(path), 12345)
    path.chmod(0o4700)
    inode = path.stat().st_ino

    files.withdraw(str(path))
    assert not path.exists()
    files.publish(str(path), pid)

    assert path.read_text() == f"{pid}\n"
    assert path.stat().st_mode & 0o7777 == 0o644
    if is_same:
        assert path.stat().st_ino == inode
    assert sorted(each.name for each in tmp_path.rglob("*")) == ["one.pid", "run"]


def test_who_has_it_open_never_reads_the_pid_of_another_service(files: PidFiles, tmp_path: Path) -> None:
    files.publish(str(tmp_path / "one.pid"), 41)
    with (tmp_path / "one.pid").open() as reader:
        files.withdraw(str(tmp_path / "one.pid"))
        files.publish(str(tmp_path / "other.pid"), 42)

        assert reader.read() == "41\n"


def test_no_more_than_a_few_lie_there_and_none_at_the_end(files: PidFiles, folder: Path, tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.pid" for number in range(MOST + 5)]
    for number, path in enumerate(paths):
        files.publish(str(path), 100 + number)
    for path in paths:
        files.withdraw(str(path))
    assert len(list(folder.iterdir())) == MOST
    assert not any(path.exists() for path in paths)

    for number, path in enumerate(paths):
        files.publish(str(path), 200 + number)
    assert [int(path.read_text()) for path in paths] == [200 + number for number in range(len(paths))]
    assert list(folder.iterdir()) == []

    for path in paths:
        files.withdraw(str(path))
    PidFiles(str(folder)).close()  # a successor of one that was killed
    assert list(folder.iterdir()) == []


def test_a_folder_of_that_name_stays_where_it_is(files: PidFiles, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "server.pid").mkdir()

    files.withdraw(str(tmp_path / "server.pid"))

    assert (tmp_path / "server.pid").is_dir()
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("make", ["second name", "link", "fifo", "long"])
def test_nothing_is_written_through_what_somebody_has_put_there(
    files: PidFiles, folder: Path, tmp_path: Path, make: str
) -> None:
    path, other = tmp_path / "server.pid", tmp_path / "other"
    other.write_text("theirs")
    makers: dict[str, Callable[[], object]] = {
        "second name": lambda: os.link(other, path),
        "link": lambda: os.symlink(other, path),
        "fifo": lambda: os.mkfifo(path),
        "long": lambda: path.write_text("more than a pid\n" * 10),
    }
    makers[make]()

    files.withdraw(str(path))
    files.publish(str(path), 41)

    assert path.read_text() == "41\n"
    assert not path.is_symlink()
    assert other.read_text() == "theirs"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_somebody_else_is_not_taken(files: PidFiles, tmp_path: Path) -> None:
    path = tmp_path / "server.pid"
    path.write_text("1\n")
    os.chown(path, 65534, 65534)

    files.withdraw(str(path))
    files.publish(str(path), 41)

    assert (path.stat().st_uid, path.read_text()) == (0, "41\n")


@pytest.mark.parametrize("number", [0, 1])
def test_one_that_is_gone_meanwhile_is_made_anew(files: PidFiles, folder: Path, tmp_path: Path, number: int) -> None:
    paths = [tmp_path / "one.pid", tmp_path / "two.pid"]
    for path in paths:
        files.publish(str(path), 41)
    for path in paths:
        files.withdraw(str(path))
    (folder / f"spare-{number}.pid").unlink()

    for path in paths:
        files.publish(str(path), 42)

    assert [path.read_text() for path in paths] == ["42\n", "42\n"]


def test_a_folder_that_can_not_be_had_costs_nothing_else(tmp_path: Path) -> None:
    for folder in ("", str(tmp_path / "none")):
        files, path = PidFiles(folder), tmp_path / "server.pid"
        files.publish(str(path), 41)
        files.withdraw(str(path))
        assert not path.exists()
        files.publish(str(path), 42)
        assert path.read_text() == "42\n"
        files.close()


def test_its_target_that_can_not_be_written_leaves_nothing(files: PidFiles, folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "web" / "server.pid"
    files.publish(str(path), 41)
    files.withdraw(str(path))
    path.parent.rmdir()
    path.parent.write_text("")

    files.publish(str(path), 42)

    assert list(folder.iterdir()) == []
