"""What follows the `?` of a check's address is asked for, and never shown."""

from __future__ import annotations

import pytest
from unit.settings.settings_files import SettingsFiles

ELSEWHERE = "https://example.org/healthz?x=1&access_token=abcdef"


@pytest.mark.parametrize(
    ("http", "shown"),
    [
        (":8080/healthz?token=abcdef", "http 127.0.0.1:8080/healthz?…"),
        ("unix:/run/w.sock:/healthz?token=abcdef", "http unix:/run/w.sock/healthz?…"),
        (ELSEWHERE, "https://example.org:443/healthz?…"),
        (":8080/healthz", "http 127.0.0.1:8080/healthz"),
    ],
)
def test_a_query_is_not_shown(files: SettingsFiles, http: str, shown: str) -> None:
    files.server(server={"alive": {"http": http}})
    alive = files.spec().alive
    assert alive is not None
    assert alive.shown == shown
    assert ("abcdef" in alive.path or "abcdef" in " ".join(alive.argv)) == ("abcdef" in http)


def test_a_secret_in_a_command_line_is_a_warning(files: SettingsFiles) -> None:
    files.server(server={"ready": {"http": ELSEWHERE}})
    (found,) = files.check()
    assert (found.level, found.path) == ("warning", "server.ready.http")
    assert found.message.endswith("everybody on this machine can read access_token in ps")
    assert "exec" in found.remedy


@pytest.mark.parametrize("http", ["https://example.org/healthz?full=1", ":8080/healthz?token=abcdef"])
def test_no_warning_without_a_secret_or_without_a_process(files: SettingsFiles, http: str) -> None:
    files.server(server={"ready": {"http": http}})
    assert files.check() == []
