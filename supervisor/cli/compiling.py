"""Having the settings compiled, in a child process: reading what people wrote needs 0.3 s of imports and may fail.

What the compiler answers is described in `supervisor/helpers/compile.py`.
"""

from __future__ import annotations

from supervisor.base import jsons
from supervisor.base.errors import BAD_SETTINGS, Problem
from supervisor.base.where import role_command
from supervisor.cli.out import note
from supervisor.model.inputs import intact, stale

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.model.home import Home
    from supervisor.model.service import Spec

COMPILE_S = 60.0


def make_fresh(home: Home) -> None:
    """Before a start: compile if any file has changed. Broken files run on the last good revision, and say so."""
    compiled = read_compiled(home, "start")
    if compiled is not None and not stale(compiled, home) and intact(compiled, home):
        return
    answer = run_compiler(home, "--tolerant")
    for text in finding_texts(answer):
        note(text)
    if answer["ok"]:
        return
    if not answer["revision"]:
        raise broken(answer, "nothing was started")
    note(f"warning: the settings have errors: going on with the last good ones (revision {answer['revision']})")
    note("  next: sbctl config validate")


def run_compiler(home: Home, *options: str, limit: float = COMPILE_S) -> dict[str, Any]:
    """The compiler's answer; a Problem when it could not do its work at all."""
    import subprocess  # 6 ms, and mostly nothing has changed

    command = [*role_command("compile", home.path), *options]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=limit, check=False, cwd="/"
        )
    except subprocess.TimeoutExpired:
        raise Problem(
            f"the settings could not be read within {limit:g} s",
            why="a file system that hangs, or settings of enormous size",
            remedy=f"look at {home.etc} and {home.plugins}",
            code=BAD_SETTINGS,
        ) from None
    except OSError as error:
        raise Problem("can't run the settings compiler", why=str(error)) from None
    return _answer(done.stdout, done.stderr, done.returncode)


def _answer(data: bytes, errors: bytes, code: int) -> dict[str, Any]:
    try:
        answer = jsons.loads(data)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        last = errors.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise Problem(
            "the settings compiler died",
            why=f"exit code {code}" + (f": {last[0]}" if last else ""),
            remedy="the settings may be too large for its limits: sbctl config validate",
            code=BAD_SETTINGS,
        )
    if "error" in answer:
        raise Problem.from_dict(answer["error"])
    return answer


def finding_texts(answer: dict[str, Any]) -> list[str]:
    return [str(finding["text"]) for finding in answer["findings"]]


def broken(answer: dict[str, Any], consequence: str) -> Problem:
    """All findings have been shown; this is the last word."""
    count = sum(1 for finding in answer["findings"] if finding["level"] == "error")
    return Problem(
        f"the settings have {count} error{'' if count == 1 else 's'}: {consequence}",
        remedy="mend what is named above, then the same command again",
        code=BAD_SETTINGS,
    )


def read_compiled(home: Home, role: str, revision: str = "current") -> dict[str, Any] | None:
    """One compiled file, or None when it is not there or not whole."""
    try:
        with open(home.compiled_file(role, revision or "current"), "rb") as file:
            data = jsons.loads(file.read())
    except (OSError, ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def specs_of(document: dict[str, Any] | None) -> list[Spec]:
    """The services of a compiled file."""
    from supervisor.model.service import Spec

    return [Spec.from_dict(data) for data in document["services"]] if document else []
