"""What `ps` shows of this process.

Only the compiled part of `setproctitle` is loaded: the package around it imports `logging` for a message that it never
gives here, which would be a tenth of all the memory of a daemon.
"""

from __future__ import annotations

from _frozen_importlib_external import PathFinder  # `importlib` around it loads `warnings`

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGE = "setproctitle"
COMPILED = "_setproctitle"


def set_process_title(title: str) -> None:
    _setter()(title)


def _setter() -> Callable[[str], None]:
    package = PathFinder.find_spec(PACKAGE)
    folders = package.submodule_search_locations if package is not None else None
    spec = PathFinder.find_spec(COMPILED, list(folders)) if folders else None
    if spec is not None and spec.loader is not None:
        module = spec.loader.create_module(spec)
        if module is not None:
            spec.loader.exec_module(module)
            found: Callable[[str], None] = module.setproctitle
            return found
    from setproctitle import setproctitle  # another version of it, put together in another way

    return setproctitle
