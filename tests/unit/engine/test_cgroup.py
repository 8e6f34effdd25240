"""Which cgroup is ours to divide, and what is written into it, on a folder that looks like the kernel's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from supervisor.engine.cgroup import Cgroups, Place, find_own

NEEDED = ("cgroup.procs", "cgroup.subtree_control", "cgroup.controllers")
V1 = "31 25 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
WANTED = {"memory_max": 1 << 20, "cpu_percent": 150, "pids_max": 30}


class Tree:
    """mountinfo, /proc/self/cgroup, and the mount."""

    def __init__(self, folder: Path) -> None:
        self.point = folder / "unified"
        self.mounts = folder / "mountinfo"
        self.own = folder / "cgroup"
        self.where("/")

    def where(self, path: str, *, root: str = "/", optional: str = "shared:9 master:1 ") -> None:
        self.mounts.write_text(f"{V1}41 31 0:38 {root} {self.point} rw,relatime {optional}- cgroup2 cgroup2 rw\n")
        self.own.write_text(f"4:memory:/elsewhere\n0::{path}\n")

    def group(self, name: str = "", controllers: str = "cpu memory pids", on: str = "cpu memory pids") -> Path:
        group = self.point / name
        group.mkdir(parents=True, exist_ok=True)
        for file, text in zip(NEEDED, ("", on, controllers), strict=True):
            (group / file).write_text(text)
        return group

    def find(self) -> tuple[str, str]:
        return find_own(str(self.mounts), str(self.own))

    def cgroups(self) -> Cgroups:
        return Cgroups("home", mounts=str(self.mounts), own=str(self.own))

    def service(self, key: str = "web.1") -> Path:
        """The kernel makes the files with the folder; here they are there before."""
        group = self.point / f"sbctl-home-{key}"
        group.mkdir()
        for name in ("memory.max", "cpu.max", "pids.max", "cgroup.procs"):
            (group / name).touch()
        return group


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_the_root_of_the_tree_is_ours_if_we_may_write_there(tree: Tree) -> None:
    group = tree.group()
    assert tree.find() == (str(group), "")
    tree.where("/", optional="")
    assert tree.find() == (str(group), "")


def test_a_mount_that_begins_further_down(tree: Tree) -> None:
    group = tree.group("b")
    tree.where("/a/b", root="/a")
    folder, why = tree.find()

    assert folder == ("" if os.geteuid() == 0 else str(group))
    assert "delegated" in why or folder


@pytest.mark.root
def test_below_the_root_even_root_needs_it_to_be_delegated(tree: Tree) -> None:
    tree.group("a/b")
    tree.where("/a/b")
    assert "not delegated to sbctl (Delegate=yes" in tree.find()[1]

    try:
        os.setxattr(tree.point / "a", "user.delegate", b"1")
    except OSError:
        pytest.skip("no attributes on this file system")
    assert tree.find() == (str(tree.point / "a" / "b"), "")


@pytest.mark.parametrize(
    ("own", "why"),
    [("4:memory:/x\n", "no cgroups of version 2"), ("", "no cgroups of version 2"), ("0::/../x\n", "outside")],
)
def test_without_one_it_is_said_why(tree: Tree, own: str, why: str) -> None:
    tree.group()
    tree.own.write_text(own)

    place = tree.cgroups().place("web.1", WANTED)

    assert (place.path, place.procs, list(place.refused)) == (
        "",
        "",
        ["cgroup.memoryMb", "cgroup.cpuPercent", "cgroup.processes"],
    )
    assert all(why in text for text in place.refused.values())


def test_no_cgroup2_at_all(tree: Tree) -> None:
    tree.mounts.write_text(V1)
    assert tree.find() == ("", "this system has no cgroups of version 2")
    assert find_own("/no/such", "/no/such")[0] == ""


def test_a_step_has_a_group_beside_those_of_services(tree: Tree) -> None:
    """Its key has slashes, and a group in a group would be made by nobody."""
    tree.group()
    group = tree.service("run+r1+1-get.1")

    place = tree.cgroups().place("run/r1/1-get.1", WANTED)

    assert (place.path, place.refused) == (str(group), {})
    assert (group / "pids.max").read_text() == "30"


def test_limits_are_written_as_the_kernel_wants_them(tree: Tree) -> None:
    tree.group()
    cgroups = tree.cgroups()
    cgroups.place("first.1", {})
    group = tree.service()

    place = cgroups.place("web.1", WANTED)

    assert (place.path, place.procs, place.refused) == (str(group), f"{group}/cgroup.procs", {})
    assert (group / "memory.max").read_text() == str(1 << 20)
    assert (group / "cpu.max").read_text() == "150000 100000"
    assert (group / "pids.max").read_text() == "30"


def test_a_controller_that_is_not_there_is_named_and_the_others_work(tree: Tree) -> None:
    tree.group(controllers="pids", on="pids")
    cgroups = tree.cgroups()
    cgroups.place("first.1", {})
    group = tree.service()

    place = cgroups.place("web.1", WANTED)

    assert place.refused == {
        "cgroup.memoryMb": "the cgroup controller memory is not delegated to sbctl",
        "cgroup.cpuPercent": "the cgroup controller cpu is not delegated to sbctl",
    }
    assert ((group / "pids.max").read_text(), (group / "memory.max").read_text()) == ("30", "")


def test_a_controller_that_is_off_is_switched_on(tree: Tree) -> None:
    base = tree.group(on="")
    tree.service()

    tree.cgroups().place("web.1", {"pids_max": 30})

    assert (base / "cgroup.subtree_control").read_text() == "+pids"


def test_while_somebody_is_in_it_no_controller_can_be_switched_on(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the kernel has it: we move out of the way, and strangers stay where they are."""
    base = tree.group(on="")
    main = base / "sbctl-home-main"
    main.mkdir()
    (main / "cgroup.procs").touch()
    (base / "cgroup.procs").write_text(f"1\n{os.getpid()}\n")
    real = os.write

    def refuse(fd: int, data: bytes) -> int:
        if data == b"+pids":
            raise OSError(16, "busy")
        return real(fd, data)

    monkeypatch.setattr(os, "write", refuse)
    place = tree.cgroups().place("web.1", {"pids_max": 30})

    assert (main / "cgroup.procs").read_text() == str(os.getpid())
    assert "strangers are in our cgroup" in place.refused["cgroup.processes"]


def test_a_place_that_is_none_does_nothing() -> None:
    place = Place("", {})
    place.signal(9, 1)
    place.remove()

    assert not place.is_populated()
