"""Daemons that end with their test, on homes without a config server (most tests here have no use for one)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.daemon import Daemon
from support.home import TemporaryHome
from support.scheduling import Scheduling


@pytest.fixture
def daemon(home: TemporaryHome) -> Iterator[Daemon]:
    """Not started yet: a test adds its plugins to `daemon.home` first."""
    home.settings["config"]["enabled"] = False
    home.write()
    daemon = Daemon(home)
    yield daemon
    daemon.end()


@pytest.fixture
def scheduling(daemon: Daemon) -> Scheduling:
    """The same, for tests of schedules."""
    return Scheduling(daemon)
