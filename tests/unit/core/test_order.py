"""Who waits for whom, who goes with whom, and in which order all of them go."""

from __future__ import annotations

import itertools
import random

import pytest

from supervisor.core.order import (
    Standing,
    blocked,
    find_circle,
    fulfils,
    hopeless,
    longest_stop,
    needing,
    pulled,
    ready_to_stop,
)
from supervisor.core.state import State
from supervisor.model.cause import Cause, CauseKind
from supervisor.model.order import Condition, Need, Order
from supervisor.model.service import Launch, Phase, Policy, Spec, Want


def standing(phase: Phase, want: Want = Want.UP, *, process: bool = False, finished: bool = False) -> Standing:
    return Standing(phase, want, has_process=process, finished=finished, reason="")


RUNNING = standing(Phase.RUNNING, process=True)
SPAWNED = standing(Phase.STARTING, process=True)
ASKED_FOR = standing(Phase.STARTING)
OUTSIDE = standing(Phase.EXTERNAL)
DOWN = standing(Phase.STOPPED, Want.DOWN)
FINISHED = standing(Phase.STOPPED, Want.DOWN, finished=True)
CRASHED = standing(Phase.BACKOFF)
FAILED = standing(Phase.FAILED)
WAITING = standing(Phase.WAITING)


@pytest.mark.parametrize(
    ("there", "started", "ready", "finished"),
    [
        (RUNNING, True, True, False),
        (OUTSIDE, True, True, False),
        (SPAWNED, True, False, False),
        (ASKED_FOR, False, False, False),
        (WAITING, False, False, False),
        (CRASHED, False, False, False),
        (FAILED, False, False, False),
        (DOWN, False, False, False),
        (FINISHED, True, True, True),
        (None, False, False, False),
    ],
)
def test_conditions(there: Standing | None, started: bool, ready: bool, finished: bool) -> None:
    answers = tuple(fulfils(there, Need("db", condition)) for condition in Condition)
    assert answers == (started, ready, finished)


def test_what_is_waited_for_is_named_with_how_it_stands() -> None:
    state = State()
    state.phase, state.want = Phase.FAILED, Want.UP
    state.cause = Cause(CauseKind.EXIT_CODE, "exit code 1", code=1)
    there = {"db": Standing.of(state), "migrate": RUNNING, "cache": SPAWNED, "mail": FAILED}
    order = Order(
        after=("cache", "mail", "unknown"),
        requires=(Need("db"), Need("migrate", Condition.FINISHED), Need("gone")),
    )
    assert blocked(order, there.get) == (
        "db (failed: exit code 1), migrate (running, not finished yet), gone (not in the settings), cache (starting)"
    )


def test_after_waits_only_for_who_is_on_the_way() -> None:
    order = Order(after=("db",))
    for there in (RUNNING, DOWN, CRASHED, FAILED, FINISHED, OUTSIDE):
        assert blocked(order, {"db": there}.get) == ""
    for there in (WAITING, ASKED_FOR, SPAWNED, standing(Phase.STOPPING, process=True)):
        assert blocked(order, {"db": there}.get) != ""
    assert blocked(order, {"db": standing(Phase.STOPPING, Want.DOWN, process=True)}.get) == ""


def test_hopeless_names_who_will_not_come_by_itself() -> None:
    order = Order(requires=(Need("db"), Need("cache")))
    assert hopeless(order, {"db": CRASHED, "cache": WAITING}.get) == ""
    assert hopeless(order, {"db": SPAWNED, "cache": FAILED}.get) == "cache"
    assert hopeless(order, {"db": DOWN, "cache": RUNNING}.get) == "db"
    assert hopeless(order, {"cache": RUNNING}.get) == "db"


ORDERS = {
    "migrate": Order(),
    "db": Order(requires=(Need("migrate", Condition.FINISHED),)),
    "api": Order(requires=(Need("db"), Need("cache", Condition.STARTED))),
    "cache": Order(),
    "web": Order(requires=(Need("api"),), after=("mail",)),
    "mail": Order(),
}


def test_who_needs_whom_directly() -> None:
    orders = {
        **ORDERS,
        "bot": Order(requires=(Need("db", restart=True), Need("migrate", Condition.FINISHED, restart=True))),
    }
    ended, restarted = needing(orders)
    assert ended == {
        "db": ["api", "bot"],
        "cache": ["api"],
        "api": ["web"],
    }  # nobody who only comes after, or needs work done
    assert restarted == {"db": ["bot"], "migrate": ["bot"]}


def test_pulled_up_in_order() -> None:
    assert pulled(ORDERS, ["web"]) == ["migrate", "db", "cache", "api", "web"]
    assert pulled(ORDERS, ["db", "web"]) == ["migrate", "db", "cache", "api", "web"]
    assert pulled(ORDERS, ["mail"]) == ["mail"]


def test_stop_in_reverse() -> None:
    there = set(ORDERS)
    gone: list[set[str]] = []
    while there:
        now = ready_to_stop(ORDERS, set(there), there)
        gone.append(now)
        there -= now
    assert gone == [{"web"}, {"api", "mail"}, {"db", "cache"}, {"migrate"}]
    assert ready_to_stop(ORDERS, {"db"}, set(ORDERS)) == {"db"}  # the others are not to be stopped
    assert ready_to_stop(ORDERS, set(ORDERS), {"db"}) == set(ORDERS) - {"migrate"}  # the rest has gone already


def test_what_is_behind_a_one_shot_that_has_finished_goes_before_what_that_needed() -> None:
    orders = {
        "db": Order(),
        "migrate": Order(requires=(Need("db"),)),
        "fill": Order(after=("migrate",)),
        "web": Order(requires=(Need("fill", Condition.FINISHED),)),
    }
    assert ready_to_stop(orders, {"db", "web"}, {"db", "web"}) == {"web"}
    assert ready_to_stop(orders, {"db", "web"}, {"db"}) == {"db", "web"}
    orders["migrate"] = Order(requires=(Need("web"), Need("db")))  # a circle, which the settings refuse, ends as well
    assert ready_to_stop(orders, {"db"}, {"web", "db"}) == {"db"}


def test_longest_stop_adds_up_along_the_chain() -> None:
    def spec(name: str, seconds: float, **more: float) -> Spec:
        launch = Launch(argv=("true",), cwd="/", log="/dev/null")
        return Spec(name=name, kind="plugin", launch=launch, policy=Policy(grace=seconds, **more), order=ORDERS[name])  # type: ignore[arg-type]

    specs = [
        spec("migrate", 1),
        spec("db", 20, stop_command=5),
        spec("api", 3, after_end=4),
        spec("cache", 2),
        spec("web", 10),
        spec("mail", 30),
    ]
    assert longest_stop(specs) == 1 + 25 + 7 + 10
    assert longest_stop([]) == 0


@pytest.mark.parametrize(
    ("edges", "circle"),
    [
        ({"a": ["b"], "b": ["c"], "c": []}, []),
        ({"a": ["a"]}, ["a", "a"]),
        ({"a": ["b"], "b": ["c"], "c": ["a"]}, ["a", "b", "c", "a"]),
        ({"x": ["a"], "a": ["b"], "b": ["a"]}, ["a", "b", "a"]),
        ({"a": ["unknown"]}, []),
        ({"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": []}, []),
    ],
)
def test_circle(edges: dict[str, list[str]], circle: list[str]) -> None:
    assert find_circle(edges) == circle


def test_a_chain_longer_than_the_stack_of_python() -> None:
    edges = {str(n): [str(n + 1)] for n in range(5000)}
    assert find_circle(edges) == []
    edges["5000"] = ["17"]
    assert len(find_circle(edges)) == 5000 - 17 + 2


def test_circles_of_random_graphs_are_found_and_real() -> None:
    for seed in range(500):
        chance = random.Random(seed)
        names = [str(n) for n in range(chance.randint(1, 12))]
        edges = {name: [chance.choice(names) for _ in range(chance.randint(0, 2))] for name in names}
        circle = find_circle(edges)
        if circle:
            assert circle[0] == circle[-1]
            assert all(right in edges[left] for left, right in itertools.pairwise(circle)), seed
        else:
            left = dict(edges)
            while left:  # without a circle there is always one that waits for nobody who is left
                free = [name for name, others in left.items() if not any(other in left for other in others)]
                assert free, seed
                for name in free:
                    del left[name]


@pytest.mark.parametrize("backwards", [False, True])
def test_longest_stop_and_pulled_of_a_long_chain(backwards: bool) -> None:
    orders = {"s0": Order(), **{f"s{n}": Order(requires=(Need(f"s{n - 1}"),)) for n in range(1, 3000)}}
    assert pulled(orders, ["s2999"]) == [f"s{n}" for n in range(3000)]
    launch = Launch(argv=("true",), cwd="/", log="/dev/null")
    specs = [
        Spec(name=name, kind="plugin", launch=launch, policy=Policy(grace=1), order=order)
        for name, order in orders.items()
    ]
    assert longest_stop(specs[::-1] if backwards else specs) == 3000
