"""The key: always there, never weak."""

from __future__ import annotations

import secrets
import stat
from pathlib import Path

import pytest

from supervisor.base.errors import BAD_SETTINGS, Problem
from supervisor.web.keys import load_key, weakness

GOOD = "q7Zt-3Lm_9wXe2RkVb5NcA"
WEAK = [
    *("", "   ", "short", "fifteen-charact", "changeme", "change-me", "CHANGE_ME", "changemechangeme", "null", "none"),
    *("admin", "admin/admin", "password", "passwordpassword", "default-dashboard-key", "your-secret-key-here"),
    *(
        "aaaaaaaaaaaaaaaaaaaa",
        "abababababababababab",
        "12345678901234567890",
        "secret-secret-secret-1",
        "sbctl-dashboard-key",
    ),
    *("has a blank but is long", "schlüssel-aus-dem-norden", "tab\tin-between-of-it", "line\nend-in-between-of"),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "etc" / "secrets" / "dashboard.key"


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(text)


def test_the_first_start_makes_a_long_random_key_for_our_eyes_only(path: Path) -> None:
    key = load_key(str(path), {})

    assert len(key) >= 40
    assert path.read_bytes().strip() == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_the_next_start_has_the_same_key_and_another_home_another(path: Path, tmp_path: Path) -> None:
    key = load_key(str(path), {})

    assert load_key(str(path), {}) == key
    assert load_key(str(tmp_path / "other" / "key"), {}) != key


@pytest.mark.parametrize("text", ["", "\n", "  \n\n"])
def test_an_empty_file_gets_a_key(path: Path, text: str) -> None:
    put(path, text)

    assert len(load_key(str(path), {})) >= 40


def test_a_key_of_ones_own_is_taken_and_hidden_from_others(path: Path) -> None:
    put(path, GOOD + "\n")
    path.chmod(0o644)

    assert load_key(str(path), {}) == GOOD.encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_environment_goes_before_the_file(path: Path) -> None:
    assert load_key(str(path), {"DASHBOARD_KEY": f" {GOOD}\n"}) == GOOD.encode()
    assert not path.exists()


@pytest.mark.parametrize("key", WEAK)
def test_a_weak_key_in_the_environment_is_refused(path: Path, key: str) -> None:
    with pytest.raises(Problem, match="DASHBOARD_KEY") as caught:
        load_key(str(path), {"DASHBOARD_KEY": key})

    assert caught.value.code == BAD_SETTINGS
    assert caught.value.why
    assert not key.strip() or key not in caught.value.text().replace(caught.value.remedy, "")


@pytest.mark.parametrize("key", [key for key in WEAK if key.strip()])
def test_a_weak_key_in_the_file_is_refused(path: Path, key: str) -> None:
    put(path, key)

    with pytest.raises(Problem):
        load_key(str(path), {})


@pytest.mark.parametrize("content", [b"\xff" * 40, b"x" * 5000])
def test_a_file_that_holds_no_key_is_refused(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(content)

    with pytest.raises(Problem):
        load_key(str(path), {})


def test_a_folder_that_can_not_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "etc").write_text("a file")

    with pytest.raises(Problem, match="can't be read or made"):
        load_key(str(tmp_path / "etc" / "secrets" / "dashboard.key"), {})


def test_what_we_make_ourselves_is_never_weak() -> None:
    assert [key for key in (secrets.token_urlsafe(32) for _ in range(2000)) if weakness(key)] == []


@pytest.mark.parametrize("key", ["correct-horse-battery-staple", "7f3a9c1e5b2d8046", GOOD])
def test_keys_of_peoples_own_making_pass(key: str) -> None:
    assert weakness(key) == ""
