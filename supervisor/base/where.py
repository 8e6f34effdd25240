"""Where this copy of the package and its dependencies lie, without the cost of Python's `site` (3 ms).

Daemons and hot verbs run with `-I -S`: isolated from PYTHON* variables and user folders, no `.pth` files. So the
one folder they need is put on the path here.
"""

from __future__ import annotations

import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MAIN = os.path.join(ROOT, "supervisor", "__main__.py")
INSTALLED = ".sbctl-code"  # in an environment that `sbctl upgrade` has made: leads to the folder of its package ...
CHECKOUT = ".sbctl-checkout"  # ... and to the checkout whose launcher calls it, if one does


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
    return command_of(*own_program(), role, *words)


def own_program() -> tuple[str, str]:
    """Interpreter and `__main__.py` by their real folders: an upgrade leads links elsewhere while we run."""
    folder, _, name = sys.executable.rpartition("/")
    environment, _, is_bin = folder.rpartition("/")
    python = f"{os.path.realpath(environment)}/{is_bin}/{name}" if environment else sys.executable
    return python, os.path.realpath(MAIN)


def checkout() -> str:
    """The checkout that we run from, or that the launcher which called us belongs to; "": none."""
    if os.path.basename(ROOT) != INSTALLED:
        return ROOT if os.path.exists(f"{ROOT}/bin/sbctl") else ""
    path = os.path.join(os.path.dirname(ROOT), CHECKOUT)
    return os.path.realpath(path) if os.path.exists(path) else ""


def command_of(python: str, main: str, role: str, *words: str) -> list[str]:
    """The same of another copy."""
    return [python, "-I", "-S", main, "--role", role, *words]
