"""The settings compiler: a process of its own, because what people write may be large, wrong or hostile.

Reads everything, writes a revision or nothing, prints one JSON object and ends. Never a traceback.
"""

from __future__ import annotations

import json
import resource
import sys
from typing import Any

from supervisor.base import garbage
from supervisor.base.errors import BAD_SETTINGS, USAGE, Problem
from supervisor.model.home import Home

DEFECT = 70
MEMORY = 1 << 30
CPU_S = 20

USAGE_TEXT = "compile HOME [--tolerant] [--check | --preview]"
OPTIONS = {"--tolerant", "--check", "--preview"}


def main(argv: list[str]) -> int:
    options = {word for word in argv if word.startswith("--")}
    homes = [word for word in argv if not word.startswith("--")]
    if len(homes) != 1 or options - OPTIONS or {"--check", "--preview"} <= options:
        return _say({"ok": False, "error": Problem("wrong arguments", remedy=USAGE_TEXT).as_dict()}, USAGE)
    _limit(resource.RLIMIT_AS, MEMORY)
    _limit(resource.RLIMIT_CPU, CPU_S)
    garbage.begin_loading()
    try:
        return _compile(Home(homes[0]), options)
    except Problem as problem:
        return _fail(problem)
    except OSError as error:
        return _fail(
            Problem(f"the compiled settings can't be written: {error.strerror}", why=str(error.filename or ""))
        )
    except Exception as error:  # a defect of ours: whoever called gets an answer all the same
        what = f"the compiler failed: {type(error).__name__}"
        return _fail(Problem(what, why=str(error)[:500], remedy="report this, with your settings", code=DEFECT))


def _compile(home: Home, options: set[str]) -> int:
    from supervisor.settings import api, revisions  # 70 ms, and under the limits

    answer: dict[str, Any]
    if options & {"--check", "--preview"}:
        seen = api.preview(home)
        ok = not any(finding.is_error for finding in seen.findings)
        answer = {"revision": revisions.current(home), "written": False, "ok": ok}
        if "--preview" in options:
            answer["documents"] = seen.documents
        findings = seen.findings
    else:
        result = api.compile_home(home, tolerant="--tolerant" in options)
        ok, findings = result.ok, result.findings
        answer = {"revision": result.revision, "written": result.written, "ok": ok}
    answer["findings"] = [finding.as_dict() for finding in findings]
    return _say(answer, 0 if ok else BAD_SETTINGS)


def _limit(what: int, value: int) -> None:
    hard = resource.getrlimit(what)[1]
    resource.setrlimit(what, (value if hard < 0 else min(value, hard), hard))


def _fail(problem: Problem) -> int:
    return _say(
        {"revision": "", "written": False, "ok": False, "findings": [], "error": problem.as_dict()}, problem.code
    )


def _say(answer: dict[str, Any], code: int) -> int:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    return code
