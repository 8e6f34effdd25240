"""`sbctl version`."""

from __future__ import annotations

import json
import platform
import sys

import click

from supervisor import __version__
from supervisor.base.where import ROOT
from supervisor.cli.out import show


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As one JSON object")
def command(as_json: bool) -> None:
    """Show the version, the interpreter and where the package lies."""
    facts = {
        "version": __version__,
        "python": platform.python_version(),
        "executable": sys.executable,
        "package": ROOT,
    }
    if as_json:
        show(json.dumps(facts))
        return
    show(f"sbctl {__version__}\nPython {facts['python']}  {facts['executable']}\npackage {facts['package']}")
