"""Imports go one way, and the daemons stay small: docs/architecture.md, enforced."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from support.imports import PACKAGE, ROOT, Import, imports_of, module_name, sources

# From the ground up; folders in one row must not import each other.
ROWS = (
    {"base"},
    {"model"},
    {"core"},
    {"settings", "events", "store"},
    {"engine"},
    {"runs"},
    {"control"},
    {"daemons", "cli", "web", "helpers"},
)
RANK = {folder: rank for rank, row in enumerate(ROWS) for folder in row}

# Who may nevertheless, and why.
ALLOWED = {
    ("supervisor.daemons.config", "web"): "the main that serves the app",
    ("supervisor.helpers.selfcheck", "daemons"): "it finds out whether they would run",
}

# What daemons load: a service more or less must not be felt, so neither must an import.
HOT = ("base", "model", "core", "events", "store", "engine", "runs", "control", "daemons")
HOT_TOO = ("supervisor.cli.hot", "supervisor.cli.hot_verbs", "supervisor.roles")
NOT_HOT = ("supervisor.daemons.config",)  # serves FastAPI: it has all of that anyway
HEAVY = {
    *("dataclasses", "typing", "socket", "selectors", "subprocess", "logging", "pathlib", "argparse", "asyncio"),
    *("threading", "pydantic", "yaml", "requests", "fastapi", "rich", "click"),
    *("json", "re", "importlib", "warnings", "ctypes"),  # see base/jsons.py, libc.py, title.py and tzif.py
}
PURE_WITHOUT = {"os", "time", "socket", "_socket", "subprocess", "logging", "random", "datetime", "threading"}


def folder_of(module: str) -> str:
    """`base` of `supervisor.base.proc`; empty for the package itself and for what is not ours."""
    parts = module.split(".")
    return parts[1] if parts[0] == "supervisor" and len(parts) > 1 and parts[1] in RANK else ""


def all_imports() -> list[tuple[str, Path, Import]]:
    return [(module_name(path), path, each) for path in sources() for each in imports_of(path)]


def told(path: Path, each: Import) -> str:
    return f"{path.relative_to(ROOT)}:{each.line}: {each.module}"


def is_hot(module: str) -> bool:
    return module in HOT_TOO or (folder_of(module) in HOT and module not in NOT_HOT)


def test_every_folder_has_its_place() -> None:
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}

    assert folders == set(RANK)


def test_imports_go_one_way() -> None:
    wrong = []
    for module, path, each in all_imports():
        own, other = folder_of(module), folder_of(each.module)
        if own and other and own != other and RANK[other] >= RANK[own] and (module, other) not in ALLOWED:
            wrong.append(told(path, each))

    assert wrong == []


def test_exceptions_are_still_used() -> None:
    used = {(module, folder_of(each.module)) for module, _, each in all_imports()}

    assert {pair for pair in ALLOWED if (PACKAGE / f"{pair[0].split('.', 1)[1].replace('.', '/')}.py").exists()} <= used


def test_the_core_is_pure() -> None:
    wrong = [
        told(path, each)
        for module, path, each in all_imports()
        if folder_of(module) == "core" and each.module.split(".")[0] in PURE_WITHOUT and not each.for_types
    ]

    assert wrong == []


def test_settings_are_read_by_helpers_not_by_daemons() -> None:
    wrong = [
        told(path, each)
        for module, path, each in all_imports()
        if is_hot(module) and folder_of(each.module) == "settings"
    ]

    assert wrong == []


def test_hot_modules_load_nothing_heavy() -> None:
    wrong = [
        told(path, each)
        for module, path, each in all_imports()
        if is_hot(module) and each.at_load and not each.for_types and each.module.split(".")[0] in HEAVY
    ]

    assert wrong == []


@pytest.mark.parametrize(
    "module",
    ["supervisor.daemons.start", "supervisor.daemons.scheduler", "supervisor.cli.hot", "supervisor.helpers.read_env"],
)
def test_what_a_daemon_really_loads(module: str) -> None:
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)

    assert HEAVY & {name.split(".")[0] for name in done.stdout.split()} == set()


@pytest.mark.parametrize("script", ["cli/hot.py", "__main__.py"])
def test_what_python_compiles_anew_each_time_only_calls_what_it_keeps_compiled(script: str) -> None:
    tree = ast.parse((ROOT / "supervisor" / script).read_text())
    has_blocks = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.For, ast.While, ast.Try)

    assert [node.lineno for node in ast.walk(tree) if isinstance(node, has_blocks)] == []
    assert len(tree.body) <= 10


def test_a_scheduler_that_has_a_start_does_not_load_what_makes_processes() -> None:
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import supervisor.daemons.scheduler; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)

    assert {"supervisor.engine.store", "supervisor.engine.making"} & set(done.stdout.split()) == set()
