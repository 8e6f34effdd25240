"""Fixtures for all tests: temporary homes, and an environment that no developer's shell leaks into."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.home import TemporaryHome

from supervisor.engine.places import PLACES

# Each of these changes what sbctl or Python does, and a test that wants one sets it itself.
LEAKS = ("PYTHONPATH", "PYTHONHOME", "DASHBOARD_KEY", "DISCORD_WEBHOOK", "GITHUB_TOKEN", "NO_COLOR", "FORCE_COLOR")

MakeHome = Callable[..., TemporaryHome]


def pytest_configure(config: pytest.Config) -> None:
    # A shell's job in the background ignores the first two, one of nohup the third, and all that it starts inherits
    # that: tests send them.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    for name in [name for name in os.environ if name.startswith("SB_") or name in LEAKS]:
        del os.environ[name]
    # Each start notes its home for `sbctl homes`; those of tests are nobody's business.
    os.environ["XDG_STATE_HOME"] = os.path.join(tempfile.gettempdir(), f"sbctl-tests-{os.getpid()}")


def pytest_unconfigure() -> None:
    shutil.rmtree(os.environ["XDG_STATE_HOME"], ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("root") and os.geteuid() != 0:
            item.add_marker(pytest.mark.skip(reason="needs root"))


@pytest.fixture(autouse=True)
def places() -> Iterator[None]:
    """Of one process: what a test leaves open takes none from the next one."""
    yield
    PLACES.clear()


@pytest.fixture
def make_home(tmp_path: Path) -> Iterator[MakeHome]:
    """Make as many homes as a test needs; every process of each is ended afterwards."""
    homes: list[TemporaryHome] = []

    def make(name: str = "home") -> TemporaryHome:
        homes.append(TemporaryHome(tmp_path / name))
        return homes[-1]

    yield make
    for home in homes:
        home.end()


@pytest.fixture
def home(make_home: MakeHome) -> TemporaryHome:
    return make_home()
