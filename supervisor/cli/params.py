"""Kinds of arguments that several verbs take."""

from __future__ import annotations

from typing import Any

import click

from supervisor.base.errors import Problem
from supervisor.cli.times import parse_duration


class Duration(click.ParamType[float]):
    """`10s`, `1m30s`, a number of seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float | int):
            return float(value)
        try:
            return parse_duration(value)
        except Problem as problem:
            self.fail(f"{problem.what} ({problem.remedy})" if problem.remedy else problem.what, param, ctx)
