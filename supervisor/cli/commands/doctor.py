"""`sbctl doctor`."""

from __future__ import annotations

import time

import click

from supervisor.base.errors import FAILED
from supervisor.cli.main import Asked
from supervisor.cli.out import answer


@click.command()
@click.option("--fix", is_flag=True, help="Do what is safe: end leftovers, remove stale files, mend modes")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: state, counts, checks, fixed")
@click.pass_obj
def command(asked: Asked, fix: bool, as_json: bool) -> int:
    """Look at everything that can be wrong with this home and this machine, and say what mends it.

    Works whatever runs or hangs, within ten seconds. Changes nothing without --fix, which says each thing it did.
    Exit code 1: there is a problem; warnings alone are none.
    """
    from supervisor.cli.doctor import report
    from supervisor.cli.doctor.check import PROBLEM
    from supervisor.cli.doctor.examining import examine
    from supervisor.cli.doctor.mending import mend
    from supervisor.cli.style import style_of

    home = asked.home(changing=fix)
    at, began = time.time(), time.monotonic()
    sections = examine(home)
    sections, mended = mend(home, sections) if fix else (sections, [])
    text = "\n".join(report.lines(sections, mended, style_of(asked)))
    facts = report.as_facts(home.path, sections, mended, at, time.monotonic() - began)
    answer(text, facts, as_json=as_json)
    return FAILED if report.count(sections)[PROBLEM] else 0
