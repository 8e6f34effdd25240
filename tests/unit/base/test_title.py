"""The title is set without the package around its setter; another version of that is taken as it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SET = """
import sys
sys.path[:0] = {path}
from supervisor.base.title import set_process_title
set_process_title("sbctl: a title")
print(open("/proc/self/cmdline").read().split(chr(0))[0])
print("logging" in sys.modules)
"""


def ran(*first: Path) -> list[str]:
    path = [str(folder) for folder in first] + sys.path
    text = SET.format(path=path)
    done = subprocess.run([sys.executable, "-I", "-S", "-c", text], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_the_title_is_seen_by_others() -> None:
    assert ran() == ["sbctl: a title", "False"]


def test_a_version_without_the_compiled_part(tmp_path: Path) -> None:
    package = tmp_path / "setproctitle"
    package.mkdir()
    (package / "__init__.py").write_text("def setproctitle(title): print('told', title)\n")

    assert ran(tmp_path)[0] == "told sbctl: a title"
