"""docs/cli.md names every verb, every option of each, and every exit code."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from supervisor.base import errors
from supervisor.base.where import ROOT
from supervisor.cli import quick
from supervisor.cli.main import VERBS, sbctl

PAGE = Path(ROOT, "docs", "cli.md").read_text()


@pytest.mark.parametrize("verb", VERBS)
def test_verbs_and_their_options(verb: str) -> None:
    command = sbctl.get_command(click.Context(sbctl), verb)
    assert command is not None
    words = [verb, *(param.opts[0] for param in command.params if isinstance(param, click.Option))]
    assert [word for word in words if word not in PAGE] == []


def test_exit_codes() -> None:
    codes = {value for name, value in vars(errors).items() if name.isupper() and isinstance(value, int)}
    codes |= {quick.UP, quick.DEAD_WITH_PID_FILE, quick.STOPPED, quick.CANT_TELL, quick.SOMETHING_MISSING}
    assert [code for code in sorted(codes) if f"\n| {code} |" not in PAGE] == []
