"""How the benchmarks get their peers, and what they say of those that can't be had."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import peers
from benchmarks.peers import cache, from_debian, from_npm


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder of PATH; the cache is beside it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


def put(programs: Path, name: str, script: str) -> None:
    """A program that notes its calls, in a file of its name."""
    file = programs / name
    file.write_text(f'#!/bin/sh\nPATH=/usr/bin:/bin\necho "$*" >>"{programs.parent}/{name}.calls"\n{script}\n')
    file.chmod(0o700)


def calls(programs: Path, name: str) -> list[str]:
    file = programs.parent / f"{name}.calls"
    return file.read_text().splitlines() if file.exists() else []


def test_who_can_not_be_had_is_named_with_the_reason(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing() -> Path:
        raise cache.Unavailable("no network")

    monkeypatch.setattr(peers, "environment", nothing)

    found, missing = peers.had(tmp_path, "mark")

    assert found == []
    assert missing == [
        "left out: supervisord, circus, honcho and APScheduler: no network",
        "left out: pm2: no Node",
        "left out: s6: s6-svscan is not installed, and this is no Debian",
        "left out: s6, no loggers: s6-svscan is not installed, and this is no Debian",
        "left out: runit: runsvdir is not installed, and this is no Debian",
        "left out: runit, no loggers: runsvdir is not installed, and this is no Debian",
    ]


def test_a_program_that_fails_is_told_by_its_last_words(programs: Path) -> None:
    put(programs, "npm", "echo first >&2; echo 'no such host' >&2; exit 7")
    with pytest.raises(cache.Unavailable, match=r"^no such host$"):
        cache.run(["npm"])
    put(programs, "npm", "exit 7")
    with pytest.raises(cache.Unavailable, match=r"^npm ended with 7$"):
        cache.run(["npm"])
    with pytest.raises(cache.Unavailable, match="nowhere"):
        cache.run(["nowhere"])


def test_a_package_of_npm_is_installed_once(programs: Path) -> None:
    put(programs, "node", "")
    put(programs, "npm", "mkdir -p node_modules/pm2")

    for _ in range(2):
        node, package = from_npm.package("pm2", "1.2.3")

    assert node == str(programs / "node")
    assert package == cache.folder() / "pm2-1.2.3" / "node_modules" / "pm2"
    assert package.is_dir()
    assert len(calls(programs, "npm")) == 1
    assert calls(programs, "npm")[0].endswith(" pm2@1.2.3")


def test_an_installation_that_broke_off_is_made_anew(programs: Path) -> None:
    put(programs, "node", "")
    put(programs, "npm", "touch half; exit 1")
    with pytest.raises(cache.Unavailable):
        from_npm.package("pm2", "1.2.3")
    put(programs, "npm", "test ! -e half && mkdir -p node_modules/pm2")

    assert from_npm.package("pm2", "1.2.3")[1].is_dir()


URIS = "'http://localhost/lib_1.deb' libs6-2_2.1-1_amd64.deb 12 MD5Sum:0\n'http://localhost/s6.deb' s6_2.1_amd64.deb 34"
APT = f"""case $* in
    *print-uris*) cat <<'END'
{URIS}
END
    ;;
    *download*) touch libs6-2_2.1-1_amd64.deb s6_2.11-1_amd64.deb ;;
esac"""


def test_what_is_not_installed_is_unpacked_in_the_cache_once_with_what_it_needs(programs: Path) -> None:
    put(programs, "apt-get", APT)
    put(programs, "dpkg-deb", "mkdir -p $3/usr/bin")

    for _ in range(2):
        found = from_debian.programs("s6", "s6-svscan")

    root = cache.folder() / "debian-s6" / "root"
    assert found.version == "2.11-1"
    assert found.environment()["PATH"].startswith(f"{root}/usr/bin:")
    assert found.as_if_installed(["s6-svscan", "x"])[-3:] == [str(root), "s6-svscan", "x"]
    assert calls(programs, "apt-get")[1:] == ["-qq download libs6-2 s6"]
    assert len(calls(programs, "dpkg-deb")) == 2


def test_what_is_installed_is_taken_as_it_is(programs: Path) -> None:
    put(programs, "s6-svscan", "")
    put(programs, "dpkg-query", "test $3 = s6 && printf 2.11-7")

    found = from_debian.programs("s6", "s6-svscan")

    assert found.version == "2.11-7"
    assert found.environment()["PATH"] == str(programs)
    assert found.as_if_installed(["s6-svscan", "x"]) == ["s6-svscan", "x"]
    assert not cache.folder().exists()


@pytest.mark.parametrize("user", [0, 1000])
def test_root_gets_the_lists_of_packages_where_there_are_none(
    programs: Path, monkeypatch: pytest.MonkeyPatch, user: int
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: user)
    lists = programs.parent / "lists"
    update = f"case $* in *update*) touch {lists} ;; esac"
    refuse = f"test -e {lists} || {{ echo 'E: Unable to locate' >&2; exit 100; }}"
    put(programs, "apt-get", f"{update}\n{refuse}\n{APT}")
    put(programs, "dpkg-deb", "mkdir -p $3/usr/bin")

    if user == 0:
        from_debian.programs("s6", "s6-svscan")
        assert "-qq update" in calls(programs, "apt-get")
    else:
        with pytest.raises(cache.Unavailable, match="Unable to locate"):
            from_debian.programs("s6", "s6-svscan")
