"""The command line, called in this process."""

from __future__ import annotations

import pytest
from support.cli import Sbctl, caller, compile_here

from supervisor.base import zones
from supervisor.cli import home as homes
from supervisor.cli import out, schedules
from supervisor.cli.commands import reload
from supervisor.model.home import Home


@pytest.fixture
def sbctl(home: Home, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Sbctl:
    """Of the `home` that the test or its file makes."""
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("TZ", "UTC")
    zones.forget()
    return caller(home, capfd)


@pytest.fixture(autouse=True)
def short_hints(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the home would be found without being named."""
    monkeypatch.setattr(homes, "_is_found_anyway", lambda _home: True)
    out.name_home(None)


@pytest.fixture
def compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that have changed are compiled in this process."""
    monkeypatch.setattr(schedules, "run_compiler", compile_here)
    monkeypatch.setattr(reload, "run_compiler", compile_here)
