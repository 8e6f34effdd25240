"""What the core services say over their channel."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
from support.fakes import FakeWorld, spec

from supervisor.daemons.core_services import CoreServices
from supervisor.model.home import Home


@pytest.mark.parametrize(("where", "port"), [("127.0.0.1:4711", 4711), ("[::1]:80", 80), ("", 0), ("soon", 0)])
def test_where_the_config_server_is_it_says_itself(tmp_path: Path, where: str, port: int) -> None:
    """No file is read for it, at whatever pace it is asked whether it is well."""
    world, nothing = FakeWorld(), cast("Any", None)
    core = CoreServices(world.loop, nothing, world.engine, nothing, Home(str(tmp_path)))
    world.engine.load([spec("config", wait_ready=True)])
    world.loop.run_soon()
    core.spawned("config.1", 41, 1)

    core.says("config", {"ready": True, "detail": where})
    assert core._port() == port
    core.exited("config.1", 0, True)
    assert core._port() == 0
    world.loop.close()
