"""What may be handed to a run by hand."""

from __future__ import annotations

import pytest

from supervisor.base.errors import USAGE, Problem
from supervisor.core.room import HANDED_OVER, size_of
from supervisor.runs.handed_over import check

MOST = HANDED_OVER - size_of({"args": [""], "env": {"A": ""}})  # beside these


@pytest.mark.parametrize(
    ("args", "env"),
    [
        ([], {}),
        (["a b", "'\"$*", "", "ümlaut", "line\nline", "\udcff"], {"A": "", "_b1": "x\ty"}),
        (["x" * MOST], {"A": ""}),
        ([], {"A": "ü" * (MOST // 2)}),
        (['\n"' * (MOST // 4)], {}),
    ],
)
def test_what_a_program_can_be_given(args: list[str], env: dict[str, str]) -> None:
    check(args, env)


@pytest.mark.parametrize(
    ("args", "env", "what"),
    [
        (["x" * (MOST + 1)], {"A": ""}, "too much"),
        (["ü" * (MOST // 2), "xxx"], {"A": ""}, "too much"),
        ([], {"A": "x" * HANDED_OVER}, "too much"),
        (["\x1b" * (MOST // 6 + 1)], {"A": ""}, "too much"),
        ([""] * (HANDED_OVER // 2), {}, "too much"),
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
