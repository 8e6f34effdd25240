"""What a Python file imports, read from its text: nothing is loaded."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "supervisor"


class Import(NamedTuple):
    module: str  # in full: supervisor.base.proc
    line: int
    at_load: bool  # at the module's own level, so that whoever imports it loads this too
    for_types: bool  # under TYPE_CHECKING only


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def sources() -> list[Path]:
    """Every file of the package; the templates of homes are not part of it."""
    return sorted(path for path in PACKAGE.rglob("*.py") if "examples" not in path.relative_to(PACKAGE).parts)


def imports_of(path: Path) -> list[Import]:
    return list(_walk(ast.parse(path.read_text()).body, path, at_load=True, for_types=False))


def _walk(nodes: list[ast.stmt], path: Path, *, at_load: bool, for_types: bool) -> Iterator[Import]:
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, at_load, for_types)
        elif isinstance(node, ast.ImportFrom):
            for name in _from(node, path):
                yield Import(name, node.lineno, at_load, for_types)
        else:
            inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            types = isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
            for field in ("body", "orelse", "finalbody", "handlers", "cases"):
                below = getattr(node, field, [])
                for_them = for_types or (types and field == "body")
                if field in ("handlers", "cases"):
                    below = [statement for part in below for statement in part.body]
                yield from _walk(below, path, at_load=at_load and not inside, for_types=for_them)


def _from(node: ast.ImportFrom, path: Path) -> list[str]:
    """`from supervisor.base import proc` imports a module, `from supervisor.base.proc import x` a name in one."""
    base = node.module or ""
    if node.level:
        package = module_name(path).split(".")
        if path.name != "__init__.py":
            package = package[:-1]
        base = ".".join([*package[: len(package) - node.level + 1], *([base] if base else [])])
    if base.split(".")[0] != "supervisor":
        return [base]
    folder = ROOT.joinpath(*base.split("."))
    return [f"{base}.{alias.name}" if (folder / f"{alias.name}.py").exists() else base for alias in node.names]
