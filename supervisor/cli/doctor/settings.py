"""Do the files compile, is what they say in force, and are the programs there that it needs?"""

from __future__ import annotations

import os
import pwd
import time

from supervisor.base.counting import counted
from supervisor.base.errors import Problem
from supervisor.cli.compiling import run_compiler
from supervisor.cli.doctor.check import OK, PROBLEM, WARNING, Check
from supervisor.engine.environment import changes_user
from supervisor.engine.kernel_limits import find_tool, missing_tool, not_installed, package_of
from supervisor.model.launch import Launch
from supervisor.model.trust import check_own

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from supervisor.cli.doctor.exam import Exam

COMPILE_S = 4.5
SHOWN = 3


def look(exam: Exam) -> list[Check]:
    trust = _trust(exam)
    if trust and trust[0].level != PROBLEM:
        return trust  # another user's: each of its files would be called unsafe, for root
    found = judge_in_force(exam.documents, exam.home.compiled_file("start")) if exam.runs else []
    began = time.monotonic()
    try:
        answer = run_compiler(exam.home, "--preview", limit=COMPILE_S)
    except Problem as problem:
        found.append(judge_trouble(problem, in_time=time.monotonic() - began < COMPILE_S))
    else:
        found += judge_findings(answer["findings"], exam.home.etc)
        if exam.runs:
            found += judge_age(exam.documents, answer["documents"])
    found += trust
    found += judge_tools(_needed_tools(exam.launches()))
    return found


def judge_in_force(documents: Mapping[str, dict[str, Any]], where: str) -> list[Check]:
    """What a daemon that begins reads. `documents`: of those that were looked at, {} for one that can't be read."""
    lost = [role for role, document in documents.items() if not document]
    if not lost:
        return []
    why = f"{' and '.join(lost)} can't begin without them: once it dies it comes back no more"
    what = "the compiled settings that are in force are gone or spoilt"
    return [Check("in force", what, level=PROBLEM, where=where, why=why, next="sbctl reload makes them again")]


def judge_age(in_force: Mapping[str, dict[str, Any]], as_files_say: Mapping[str, dict[str, Any]]) -> list[Check]:
    """By what they come to: a file that was only touched, or is read by another version, changes nothing."""
    if not in_force.get("start"):
        return []
    wanted = [(role, name, value) for role, document in as_files_say.items() for name, value in document.items()]
    if all(in_force[role].get(name) == value for role, name, value in wanted if role in in_force):
        return []
    what = f"the files say something else than revision {in_force['start'].get('revision')}, which is in force"
    return [Check("in force", what, level=WARNING, next="sbctl reload --dry-run shows what is new; sbctl reload")]


def judge_findings(findings: list[dict[str, Any]], where: str) -> list[Check]:
    errors = [str(each["text"]) for each in findings if each["level"] == "error"]
    warnings = [str(each["text"]) for each in findings if each["level"] != "error"]
    if errors:
        why = "until they are mended the last good ones are in force, or nothing starts"
        what = f"{counted(len(errors), 'error')}: {_first(errors)}"
        return [Check("files", what, level=PROBLEM, where=where, why=why, next="sbctl config validate")]
    if warnings:
        what = f"{counted(len(warnings), 'warning')}: {_first(warnings)}"
        return [Check("files", what, level=WARNING, where=where, next="sbctl config validate")]
    return [Check("files", "compile without a finding", where=where)]


def _first(texts: list[str]) -> str:
    """The heads of a few; each has its remedy on a line of its own."""
    heads = [text.split("\n")[0].strip() for text in texts[:SHOWN]]
    return "; ".join(heads) + ("; ..." if len(texts) > SHOWN else "")


def judge_trouble(problem: Problem, *, in_time: bool) -> Check:
    if not in_time:
        why = "very many, a busy machine, or a disk that hangs"
        what = f"not all read within {COMPILE_S:g} s"
        return Check("files", what, level=WARNING, why=why, next="sbctl config validate, which takes its time")
    text = problem.what + (f": {problem.why}" if problem.why else "")
    return Check("files", text, level=PROBLEM, why="no change of the settings can be taken over", next=problem.remedy)


def _trust(exam: Exam) -> list[Check]:
    """As root: could somebody else change what root runs?"""
    try:
        check_own(exam.home)
    except Problem as problem:
        top = exam.tops[0] if exam.tops and not exam.is_elsewhere else None
        return [judge_owner(problem, owner_of(exam.home.path), None if top is None else owner_of(f"/proc/{top}"))]
    return []


def owner_of(path: str) -> int | None:
    try:
        return os.stat(path).st_uid
    except OSError:
        return None


def _user_name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"#{user}"  # as sudo takes it


def judge_owner(problem: Problem, owner: int | None, runs_as: int | None) -> Check:
    """`runs_as`: whose `start` is; None: it is stopped. Root runs nothing there, so it has nothing to fear."""
    if owner and runs_as in (None, owner):
        name = _user_name(owner)
        return Check(
            "owner",
            f"this is the home of {name}: call sbctl as that user (sudo -u {name} sbctl ...)",
            level=OK if runs_as is not None else WARNING,
            why="root runs nothing in a home that somebody else can change",
            next=f"sudo -u {name} sbctl start",
        )
    return Check("owner", problem.what, level=PROBLEM, why=problem.why, next=problem.remedy)


def _needed_tools(launches: dict[str, dict[str, Any]]) -> dict[str, list[str]]:
    """Programs that are not there, and the services that need them."""
    missing: dict[str, list[str]] = {}
    for name, data in launches.items():
        try:
            launch = Launch.from_dict(data)
        except (KeyError, TypeError, ValueError):  # written by another version
            continue
        tool = missing_tool(launch.limits) or ("setpriv" if changes_user(launch) and not find_tool("setpriv") else "")
        if tool:
            missing.setdefault(tool, []).append(name)
    return missing


def judge_tools(missing: dict[str, list[str]]) -> list[Check]:
    return [
        Check(
            "programs",
            not_installed(tool),
            level=PROBLEM,
            why=f"needed for {', '.join(names)}, which can't be started without it",
            next=f"apt-get install {package_of(tool)}",
        )
        for tool, names in missing.items()
    ] or [Check("programs", "all that services need of the system is there")]
