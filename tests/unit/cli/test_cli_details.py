"""Which details are looked at for secrets: all that sbctl has not surely written itself."""

from __future__ import annotations

import pytest

from supervisor.cli.details import is_ours


@pytest.mark.parametrize(
    "text",
    [
        "",
        "exit code 1",
        "exit code 1; crash 2 of 5; next try in 5.0 s",
        "waits for db:1 (failed: killed by SIGKILL)",
        "not started",
        "runs outside sbctl, pid 4711",
        "disabled",
        "finished",
    ],
)
def test_our_own_words(text: str) -> None:
    assert is_ours(text, {"web", "db:1"})


@pytest.mark.parametrize(
    "text", ["connected with hunter22", "token=abc", "exit code 1: hunter22", "pid 48392071", "waits for db:2", "abc"]
)
def test_anything_else(text: str) -> None:
    assert not is_ours(text, {"web", "db:1"})
