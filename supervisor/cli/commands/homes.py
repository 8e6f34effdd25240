"""`sbctl homes`: all homes of this user, and which of them run."""

from __future__ import annotations

import click

from supervisor.cli.finding import Found, find_homes
from supervisor.cli.known_homes import forget
from supervisor.cli.out import answer, note
from supervisor.model.rows import clean

TITLES = ("STATE", "PID", "PORT", "VERSION", "HOME")


@click.command()
@click.option("--forget", "forgetting", is_flag=True, help="Forget those whose folder is gone")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: homes")
def command(forgetting: bool, as_json: bool) -> int:
    """Show the homes of this user: those that run, and those that sbctl was started in before.

    A home whose folder is gone is marked, and so is one that was killed and left its PID file.
    """
    found = find_homes()
    if forgetting:
        for home in found:
            if home.state == "gone":
                forget(home.path)
                note(f"forgotten: {clean(home.path)}")
        found = [home for home in found if home.state != "gone"]
    answer("\n".join(lines(found)), {"homes": [home.as_dict() for home in found]}, as_json=as_json)
    return 0


def lines(found: list[Found]) -> list[str]:
    if not found:
        return ["no homes yet: sbctl init DIR makes one"]
    cells = [TITLES, *(_cells(home) for home in found)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(TITLES) - 1)]
    return [
        "  ".join([*(f"{cell:<{wide}}" for cell, wide in zip(row, widths, strict=False)), row[-1]]) for row in cells
    ]


def _cells(home: Found) -> tuple[str, ...]:
    return (home.state, str(home.pid or "-"), str(home.port or "-"), home.version or "-", clean(home.path))
