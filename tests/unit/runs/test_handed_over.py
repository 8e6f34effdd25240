"""What may be handed to a run by hand."""

from __future__ import annotations

import pytest

from supervisor.base.errors import USAGE, Problem
from supervisor.runs.handed_over import MAX_BYTES, check


@pytest.mark.parametrize(
    ("args", "env"),
    [
        ([], {}),
        (["a b", "'\"$*", "", "ümlaut", "line\nline", "\udcff"], {"A": "", "_b1": "x\ty"}),
        (["x" * (MAX_BYTES - 1)], {"A": ""}),
    ],
)
def test_what_a_program_can_be_given(args: list[str], env: dict[str, str]) -> None:
    check(args, env)


@pytest.mark.parametrize(
    ("args", "env", "what"),
    [
        (["x" * (MAX_BYTES + 1)], {}, "too much"),
        (["ü" * (MAX_BYTES // 2), "x"], {}, "too much"),
        ([], {"A": "x" * MAX_BYTES}, "too much"),
        (["a\0b"], {}, "zero byte"),
        ([], {"A": "a\0b"}, "zero byte"),
        (["\ud800"], {}, "half a character"),
        ([], {"": "x"}, "no name"),
        ([], {"A=B": "x"}, "no name"),
        ([], {"1A": "x"}, "no name"),
        ([], {"ä": "x"}, "no name"),
    ],
)
def test_what_it_can_not(args: list[str], env: dict[str, str], what: str) -> None:
    with pytest.raises(Problem, match=what) as caught:
        check(args, env)

    assert caught.value.code == USAGE
