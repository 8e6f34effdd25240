"""docs/cli.md names every verb, every option of each, and every exit code."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from supervisor.base import errors
from supervisor.base.where import ROOT
from supervisor.cli import quick
from supervisor.cli.main import VERBS, sbctl
from supervisor.cli.verbs import FOLLOWS, SUB_VERBS

PAGE = Path(ROOT, "docs", "cli.md").read_text()
TABLE = PAGE.partition("## Verbs")[2].partition("\n## ")[0]


@pytest.mark.parametrize("verb", VERBS)
def test_verbs_and_their_options(verb: str) -> None:
    command = sbctl.get_command(click.Context(sbctl), verb)
    assert command is not None
    words = [verb, *(param.opts[0] for param in command.params if isinstance(param, click.Option))]
    assert [word for word in words if word not in PAGE] == []


def rows_of(verb: str) -> str:
    """What the table of verbs has on one, with the names of several in a row written out."""
    lines = [line for line in TABLE.splitlines() if line.startswith("| `")]
    return "\n".join(line for line in lines if verb in re.findall(r"`([a-z]+)", line.split(" | ")[0]))


@pytest.mark.parametrize("verb", VERBS)
def test_the_table_has_each_verb_with_its_sub_verbs_and_options(verb: str) -> None:
    shown = rows_of(verb)
    assert shown
    assert [word for word in SUB_VERBS.get(verb, ()) if word not in shown] == []
    follows = [FOLLOWS[name][1] for name in FOLLOWS if name.partition(" ")[0] == verb]
    options = {option for each in follows for option in each} - {"--json"}
    short = {"--follow": "-f", "--lines": "-n", "--ignore-case": "-i"}
    assert [
        option for option in sorted(options) if f"[{short.get(option, option)}" not in shown.replace("\\|", "[")
    ] == []


def test_the_table_has_no_verb_that_is_gone() -> None:
    rows = [line.split(" | ")[0] for line in TABLE.splitlines() if line.startswith("| `")]
    assert {word for row in rows for word in re.findall(r"`([a-z]+)", row)} == set(VERBS)


def test_exit_codes() -> None:
    codes = {value for name, value in vars(errors).items() if name.isupper() and isinstance(value, int)}
    codes |= {quick.UP, quick.DEAD_WITH_PID_FILE, quick.STOPPED, quick.CANT_TELL, quick.SOMETHING_MISSING}
    assert [code for code in sorted(codes) if f"\n| {code} |" not in PAGE] == []


LINK = re.compile(r"\[decision (\d+)\]\(([^)#]*)|\]\(((?:\.\./|docs/)?decisions/[^)#]*)")


def test_links_to_decisions_lead_to_the_decision_they_name() -> None:
    pages = [Path(ROOT, "README.md"), *Path(ROOT, "docs").rglob("*.md")]
    found = [(page, link) for page in pages for link in LINK.finditer(page.read_text())]
    assert found
    for page, link in found:
        target = page.parent / (link[2] or link[3])
        assert target.is_file(), f"{page}: {link[0]}"
        assert not link[1] or int(target.name[:4]) == int(link[1]), f"{page}: {link[0]}"
