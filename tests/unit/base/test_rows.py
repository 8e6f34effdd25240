"""JSON with a line for each element of its long lists: read one by one, and the same as ever to everybody else."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest

from supervisor.base.rows import NamedRows, Rows, lines, read_rows


def written(services: list[Any], commands: dict[str, Any]) -> str:
    listed = lines([json.dumps(each) for each in services], "[]")
    named = lines([f"{json.dumps(name)}:{json.dumps(each)}" for name, each in commands.items()], "{}")
    return f'{{"format":1,"services":{listed},"schedules":{{"zone":"","commands":{named}}},"tick":60}}\n'


def test_each_element_comes_as_it_was_written_and_all_else_is_there() -> None:
    services: list[Any] = [{"name": "a", "text": 'br[\n]a{\n}k,\n"'}, {"name": "b", "limits": {"x": []}}]
    commands: dict[str, Any] = {"p": {"get": ["true"]}, "q": {}}

    found = read_rows(written(services, commands))

    assert isinstance(found["services"], Rows)
    assert isinstance(found["schedules"]["commands"], NamedRows)
    assert list(found["services"]) == services
    assert list(found["services"]) == services, "and again"
    assert dict(found["schedules"]["commands"].items()) == commands
    assert list(found["schedules"]["commands"]) == ["p", "q"]
    assert (found["format"], found["tick"], found["schedules"]["zone"]) == (1, 60, "")


def test_it_is_json_to_everybody_else() -> None:
    services, commands = [{"name": "a"}], {"p": {"get": ["true"]}}

    assert json.loads(written(services, commands)) == {
        "format": 1,
        "services": services,
        "schedules": {"zone": "", "commands": commands},
        "tick": 60,
    }


def test_what_is_on_one_line_is_read_as_a_whole() -> None:
    assert read_rows('{"a":[1,2],"b":{}}') == {"a": [1, 2], "b": {}}


def test_empty_ones_have_no_lines() -> None:
    found = read_rows(written([], {}))

    assert (found["services"], found["schedules"]) == ([], {"zone": "", "commands": {}})


def test_a_file_that_was_cut_is_refused() -> None:
    whole = written([{"name": "a"}, {"name": "b"}], {"p": {}})

    for length in range(len(whole) - 2):
        with pytest.raises(ValueError, match=r"."):
            read_all(whole[:length])


def test_a_damaged_element_is_refused_when_its_turn_comes() -> None:
    found = read_rows(written([{"name": "a"}, {"name": "b"}], {}).replace('"b"', '"b'))

    elements = iter(found["services"])
    assert next(elements) == {"name": "a"}
    with pytest.raises(ValueError, match="string"):
        next(elements)


def read_all(text: str) -> None:
    found = read_rows(text)
    list(found["services"])
    dict(found["schedules"]["commands"].items())


def test_there_is_never_more_than_one_element_of_it() -> None:
    """Else its tree lies beside what is made of it, and leaves holes there."""
    text = written([{"name": f"s{number}", "words": ["x"] * 20} for number in range(2000)], {})
    tracemalloc.start()
    try:
        names = [each["name"] for each in read_rows(text)["services"]]
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(names) == 2000
    assert peak - kept < 100_000, "its whole tree takes a megabyte and a half"
