"""PID files of servers whose scheduler was not there to remove them."""

from __future__ import annotations

from pathlib import Path

from supervisor.daemons.predecessor import forget_pid_files
from supervisor.model.home import Home


def test_each_instance_has_a_file_of_its_own_and_a_command_beside_has_none(tmp_path: Path) -> None:
    home = Home(str(tmp_path))
    (tmp_path / "logs" / "web").mkdir(parents=True)
    (tmp_path / "logs" / "web" / "before").mkdir()
    files = [Path(home.server_pid("web")), Path(home.server_pid("web", 1)), Path(home.server_pid("web", 2))]
    kept = tmp_path / "logs" / "web" / "before" / "server.pid"
    for file in (*files, kept):
        file.write_text("1\n")

    forget_pid_files(home, ["web/before.3", "web:1.4", "no-such.1"])
    assert [file.exists() for file in (*files, kept)] == [True, False, True, True]

    forget_pid_files(home, ["web.9", "web:2.1"])
    assert [file.exists() for file in (*files, kept)] == [False, False, False, True]
