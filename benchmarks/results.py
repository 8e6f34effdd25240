"""The kept results: results.json, from which RESULTS.md and the charts are made."""

from __future__ import annotations

import json
import math
from collections.abc import Collection
from pathlib import Path
from typing import Any

from benchmarks.report import Figure, from_dict

FILE = Path(__file__).with_name("results.json")
FORMAT = 1
ABOUT = "Written by `make bench`; RESULTS.md and docs/charts are made from it."


class Unreadable(Exception):
    """Kept results that can't be used: what, and what to do about it."""


class Results:
    """Figures in the order of their parts, and by its time each run that one of them is of."""

    def __init__(self, figures: list[Figure], runs: dict[str, dict[str, Any]]) -> None:
        self.figures = figures
        self.runs = {name: runs[name] for name in sorted({figure.run for figure in figures}) if name in runs}

    def figure(self, key: str) -> Figure | None:
        return next((figure for figure in self.figures if figure.key == key), None)

    def run_of(self, figure: Figure) -> dict[str, Any]:
        return self.runs.get(figure.run, {})

    def text(self) -> str:
        """A line a run and a line a row, so that a difference can be read."""
        runs = ",\n".join(f"  {json.dumps(name)}: {json.dumps(facts)}" for name, facts in self.runs.items())
        figures = ",\n".join(_figure_text(figure.as_dict()) for figure in self.figures)
        head = f' "about": {json.dumps(ABOUT)},\n "format": {FORMAT}'
        return f'{{\n{head},\n "runs": {{\n{runs}\n }},\n "figures": [\n{figures}\n ]\n}}\n'


def _figure_text(data: dict[str, Any]) -> str:
    rows = ",\n".join(f"   {json.dumps(row)}" for row in data.pop("rows"))
    return f'  {json.dumps(data)[:-1]}, "rows": [\n{rows}\n  ]}}'


def parse(text: str) -> Results:
    data = json.loads(text)
    if data.get("format") != FORMAT:
        raise ValueError(f"its format is {data.get('format')!r}, not {FORMAT}")
    for when, facts in data["runs"].items():
        _check_number(facts.get("bare_python_ms", 0), f"bare_python_ms of the run {when}")
    for figure in data["figures"]:
        _check(figure)
    return Results([from_dict(figure) for figure in data["figures"]], data["runs"])


def _check(figure: dict[str, Any]) -> None:
    """What would only come out when it is compared, after minutes of measuring."""
    key = figure["key"]
    for name in ("key", "part", "run", "title", "unit", "note"):
        if not isinstance(figure[name], str):
            raise ValueError(f"{name} of {key!r} is {json.dumps(figure[name])}, not a text")
    if figure["better"] not in ("less", "more"):
        raise ValueError(f"better of {key!r} is {json.dumps(figure['better'])}, not less or more")
    _check_number(figure.get("waits", 0), f"waits of {key!r}")
    for row in figure["rows"]:
        where = f"{row['subject']!r} of {key!r}"
        if not isinstance(row["values"], list):
            raise ValueError(f"the values of {where} are {json.dumps(row['values'])}, not a list")
        for value in row["values"]:
            _check_number(value, f"a value of {where}")
        if row.get("target") is not None:
            _check_number(row["target"], f"the target of {where}")


def _check_number(value: object, what: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{what} is {json.dumps(value)}, not a number")


def read(file: Path = FILE) -> Results:
    """None kept yet: empty."""
    try:
        return parse(file.read_text())
    except FileNotFoundError:
        return Results([], {})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        way_out = f"`git checkout -- {file}` brings the kept one back"
        if file.resolve() != FILE:
            way_out = f"`make bench ARGS='--json' >{file}` measures such a file anew"
        why = f"{type(error).__name__}: {error}" if isinstance(error, KeyError) else error
        raise Unreadable(f"{file} can't be used: {why}. {way_out}.") from None


def merged(old: Results, new: Results, *, order: Collection[str], whole: Collection[str] = ()) -> Results:
    """The new figures in the place of the old ones.

    Of the parts in `whole` nothing old stays; of the others what was not measured now (another count, say). What
    belongs to a part that is no more (not in `order`) goes.
    """
    figures: list[Figure] = []
    for part in order:
        before = [] if part in whole else [figure for figure in old.figures if figure.part == part]
        now = {figure.key: figure for figure in new.figures if figure.part == part}
        figures += [now.pop(figure.key, figure) for figure in before]
        figures += now.values()
    return Results(figures, {**old.runs, **new.runs})
