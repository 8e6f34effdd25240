"""What the compiled part of `json` says is what the package says, also of what is no JSON."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from typing import Any

import pytest
from support.imports import ROOT

from supervisor.base import jsons

VALUES = [None, True, 0, -7, 1.5, 1e300, float("inf"), "", "a", 'q"\\\n\x00é\u2028😀\ud800', [], {}]


def made(chance: random.Random, depth: int = 0) -> Any:
    kind = chance.random()
    if depth > 3 or kind < 0.5:
        return chance.choice(VALUES)
    if kind < 0.75:
        return [made(chance, depth + 1) for _ in range(chance.randrange(4))]
    return {chance.choice(["a", "b c", "é", "1"]): made(chance, depth + 1) for _ in range(chance.randrange(4))}


@pytest.mark.parametrize("seed", range(20))
def test_it_writes_and_reads_what_the_package_does(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(50):
        value = made(chance)
        compact = json.dumps(value, separators=(",", ":"))
        assert jsons.dumps(value) == compact
        assert jsons.encoder(ascii=False)(value) == json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        assert jsons.dumps_lines(value) == json.dumps(value, indent=2)
        assert jsons.loads(compact) == jsons.loads(f" \n{compact}\t\r\n".encode()) == json.loads(compact)


def outcome(loads: Any, data: str | bytes) -> str:
    try:
        return repr(loads(data))
    except (ValueError, RecursionError) as error:
        return f"{type(error).__name__}: {error}" if not isinstance(error, RecursionError) else "RecursionError"


TEXTS: list[str | bytes] = [
    *("", " ", "{", "[1,", '{"a":}', '{"a" 1}', "[1] 2", "nul", "NaN", "-Infinity", "01", '"a', '"\n"', '"\\x"'),
    "\ufeff1",
    *(b"\xef\xbb\xbf[1]", '{"a":1}'.encode("utf-16"), '{"a":1}'.encode("utf-32"), b"\xff", b"1\x00", b"\xed\xa0\x80"),
    *("[" * 100_000, '{"a":' * 100_000, '{"a":1,"a":2}', "1e999", "1" * 5000, "\x0c1"),
]  # fmt: skip


@pytest.mark.parametrize("data", TEXTS, ids=lambda data: repr(data[:12]))
def test_of_what_is_no_json_it_says_what_the_package_says(data: str | bytes) -> None:
    assert outcome(jsons.loads, data) == outcome(json.loads, data)


def test_what_can_not_be_written_is_refused() -> None:
    with pytest.raises(TypeError, match="Object of type object is not JSON serializable"):
        jsons.dumps({"a": object()})
    with pytest.raises(ValueError, match="not JSON compliant"):
        jsons.encoder(nan=False)([float("nan")])
    circle: list[Any] = []
    circle.append(circle)
    for _ in range(2):
        with pytest.raises(ValueError, match="Circular"):
            jsons.dumps(circle)
    assert jsons.encoder(default=repr)([{1, 2}]) == '["{1, 2}"]'


def test_each_object_becomes_what_is_made_of_it() -> None:
    assert jsons.loads_with('{"a":{"b":1},"c":2}', lambda each: sorted(each)) == ["a", "c"]


FRESH = """
import sys
sys.path.insert(0, {root!r})
from supervisor.base import jsons
assert jsons.loads(jsons.dumps([{{"a": 1.5}}])) == [{{"a": 1.5}}]
print("json" in sys.modules)
try:
    jsons.loads('["a')
except ValueError as error:
    print(type(error).__name__, "json" in sys.modules)
sys.modules["json"] = None
try:
    jsons.loads("[1")
except ValueError as error:
    print(error)
"""


def test_the_package_is_loaded_for_its_errors_only_and_may_be_missing_even_then() -> None:
    code = FRESH.format(root=str(ROOT))
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines() == ["False", "JSONDecodeError True", "it can't be read"]
