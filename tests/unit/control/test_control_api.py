"""Routing, suggestions and argument checks."""

from __future__ import annotations

import random

import pytest

from supervisor.base.errors import USAGE, Problem
from supervisor.control import api
from supervisor.core.verdict import signal_name

KNOWN = ["start", "stop", "restart", "status", "reload", "chrome-history"]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("statsu", "status"),
        ("strat", "start"),
        ("relaod", "reload"),
        ("crome-histroy", "chrome-history"),
        ("xyzzy", ""),
        ("", ""),
    ],
)
def test_nearest(word: str, meant: str) -> None:
    assert api.nearest(word, KNOWN) == meant


def all_edits(left: str, right: str) -> int:
    """The whole table, as its definition has it."""
    table = [[i + j if not i or not j else 0 for j in range(len(right) + 1)] for i in range(len(left) + 1)]
    for i, a in enumerate(left, 1):
        for j, b in enumerate(right, 1):
            cost = min(table[i - 1][j - 1] + (a != b), table[i - 1][j] + 1, table[i][j - 1] + 1)
            if i > 1 and j > 1 and a == right[j - 2] and b == left[i - 2]:
                cost = min(cost, table[i - 2][j - 2] + 1)
            table[i][j] = cost
    return table[-1][-1]


def test_what_is_not_compared_would_not_have_been_meant() -> None:
    rng = random.Random(7)
    for _ in range(300):
        words = ["".join(rng.choices("abc", k=rng.randrange(12))) for _ in range(20)]
        word, *known = words
        near = min((all_edits(word, each), each) for each in known)
        assert api.nearest(word, known) == (near[1] if near[0] <= len(word) // 3 + 1 else "")


def test_of_very_many_names_only_so_many_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    compared, edits = [], api._edits
    monkeypatch.setattr(api, "_edits", lambda *words: compared.append(words) or edits(*words))

    assert api.nearest("plugin-0500x7", [f"plugin-{number:06d}" for number in range(100_000)]) == "plugin-050007"
    assert 0 < sum(len(word) * len(other) for word, other, _ in compared) <= api.MOST_COMPARED


@pytest.mark.parametrize(
    ("word", "meant"), [("wbe", "web"), ("web:5", "web:1"), ("mial", "mail"), ("web:12", "web:1"), ("xyzzy", "")]
)
def test_a_plugin_with_instances_can_be_meant(word: str, meant: str) -> None:
    remedy = api.unknown_name(word, ["mail", "web:1", "web:2"]).remedy
    assert remedy == (f"did you mean {meant!r}?" if meant else "sbctl status shows all services")


@pytest.mark.parametrize("name", ["start", "scheduler", "config", "tunnel"])
def test_core_names_go_to_start(name: str) -> None:
    assert api.role_of(name) == "start"


def test_all_others_go_to_the_scheduler() -> None:
    assert api.role_of("chrome-history") == "scheduler"


GOOD: list[tuple[str, dict[str, object]]] = [
    ("ping", {}),
    ("settle", {"names": None, "timeout": 3}),
    ("settle", {"names": ["web"], "timeout": 0.5}),
    ("stop", {"names": [], "timeout": None}),
    ("reload", {"revision": "0003", "env": {"PATH": "/bin"}}),
    ("events", {"since": "1.5", "follow": True, "kinds": ["tick"], "service": "web"}),
    ("shutdown", {"timeout": 5, "now": False}),
]

BAD: list[tuple[str, dict[str, object], str]] = [
    ("stop", {}, "needs the argument 'names'"),
    ("stop", {"names": None}, "needs the argument 'names'"),
    ("cancel", {"run": "r1", "by": "x" * 201}, "must be who asks for it, in at most 200 letters"),
    ("why", {}, "needs the argument 'name'"),
    ("stop", {"nmaes": ["web"]}, "takes no argument 'nmaes'"),
    ("ping", {"names": []}, "takes no argument 'names'"),
    ("reload", {"revision": "../0003"}, "number of a revision"),
    ("reload", {"revision": 3}, "number of a revision"),
    ("reload", {"revision": "3", "env": {"A": 1}}, "object of texts"),
    ("events", {"kinds": "tick"}, "list of kinds"),
    ("events", {"follow": 1}, "true or false"),
    ("why", {"name": ["web"]}, "a service name"),
    *(
        ("shutdown", {"timeout": value}, "number of seconds")
        for value in (-1, True, "5", [1], float("nan"), float("inf"), 1e10)
    ),
]


@pytest.mark.parametrize(("verb", "args"), GOOD)
def test_arguments_that_fit(verb: str, args: dict[str, object]) -> None:
    api.check_arguments(verb, args)


@pytest.mark.parametrize(("verb", "args", "said"), BAD)
def test_arguments_that_do_not(verb: str, args: dict[str, object], said: str) -> None:
    with pytest.raises(Problem, match=said) as caught:
        api.check_arguments(verb, args)
    assert caught.value.code == USAGE


def test_every_argument_has_a_kind() -> None:
    named = {name for _, required, optional in api.VERBS.values() for name in (*required, *optional)}
    assert named == set(api.KINDS)


@pytest.mark.parametrize("word", ["HUP", "SIGHUP", "hup", "sigHup", "1", 1])
def test_a_signal_has_many_spellings(word: str | int) -> None:
    assert api.signal_number(word) == 1


@pytest.mark.parametrize(
    ("word", "number"),
    [
        ("RTMIN", 34),
        ("SIGRTMIN+1", 35),
        ("rtmin+15", 49),
        ("RTMAX-14", 50),
        ("RTMAX", 64),
        ("64", 64),
        ("RTMAX-30", 34),
    ],
)
def test_the_numbered_signals_have_names(word: str, number: int) -> None:
    """As `kill -l` has them."""
    assert api.signal_number(word) == number
    assert api.signal_number(signal_name(number)) == number


@pytest.mark.parametrize(
    "word",
    [
        "",
        "RTMIN-1",
        "RTMIN+31",
        "RTMAX-31",
        "RTMAX+1",
        "RTMIN+",
        "RTMIN+x",
        "RTMIN+-1",
        "HUPP",
        "0",
        "65",
        -1,
        "SIG",
        "1.0",
        "99999999999999999999",
    ],
)
def test_what_is_no_signal_is_refused(word: str | int) -> None:
    with pytest.raises(Problem, match="no signal"):
        api.signal_number(word)


def test_the_signal_that_was_meant_is_named() -> None:
    with pytest.raises(Problem) as caught:
        api.signal_number("TREM")

    assert caught.value.remedy == "did you mean TERM?"


@pytest.mark.parametrize("word", ["FOO", "WEB", "XYZ"])
def test_one_that_is_only_as_long_is_not_meant(word: str) -> None:
    with pytest.raises(Problem) as caught:
        api.signal_number(word)

    assert "did you mean" not in caught.value.remedy
