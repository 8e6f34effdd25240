"""Where this copy of the package and its dependencies lie, without the cost of Python's `site` (3 ms).

Daemons and hot verbs run with `-I -S`: isolated from PYTHON* variables and user folders, no `.pth` files. So the
one folder they need is put on the path here.
"""

from __future__ import annotations

import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MAIN = os.path.join(ROOT, "supervisor", "__main__.py")


def add_packages() -> None:
    """Make third-party packages importable: installed beside us, or in the environment of this interpreter."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    folder = os.path.join(os.path.dirname(os.path.dirname(sys.executable)), "lib", version, "site-packages")
    if folder not in sys.path and os.path.isdir(folder):
        sys.path.append(folder)
    if not any(os.path.isdir(os.path.join(path, "setproctitle")) for path in sys.path):
        import site  # an unusual layout: let Python find it

        site.main()


def role_command(role: str, *words: str) -> list[str]:
    """The command line of a daemon or helper of this very copy; the home comes first, where one is needed."""
    return command_of(sys.executable, MAIN, role, *words)


def command_of(python: str, main: str, role: str, *words: str) -> list[str]:
    """The same of another copy."""
    return [python, "-I", "-S", main, "--role", role, *words]
