"""The breaker: when it opens, for how long, who may try, and what that decides."""

from __future__ import annotations

import pytest

from supervisor.core.breaker import (
    CLOSED,
    HALF_OPEN,
    MAX_TIMES,
    OPEN,
    Breaker,
    allows,
    begun,
    failed,
    neither,
    succeeded,
)  # fmt: skip

NOW, LIMIT, COOLDOWN = 1000.0, 3, 60.0


def after_failures(number: int, breaker: Breaker | None = None) -> Breaker:
    breaker = breaker or Breaker()
    for _ in range(number):
        breaker = failed(breaker, NOW, LIMIT, COOLDOWN)
    return breaker


def probing() -> Breaker:
    return begun(after_failures(LIMIT), NOW + COOLDOWN)


def test_it_opens_with_the_last_failure_that_is_too_many() -> None:
    assert after_failures(LIMIT - 1).state == CLOSED
    assert after_failures(LIMIT) == Breaker(OPEN, streak=LIMIT, until=NOW + COOLDOWN, opens=1)


def test_a_success_begins_anew() -> None:
    assert succeeded(after_failures(LIMIT - 1)) == Breaker()
    assert after_failures(LIMIT - 1, succeeded(after_failures(LIMIT - 1))).state == CLOSED


@pytest.mark.timeout(5)  # a number of so many digits takes for ever
def test_a_cool_down_never_grows_beyond_its_most_whatever_was_noted() -> None:
    breaker = failed(Breaker(HALF_OPEN, streak=LIMIT, opens=1 << 60), NOW, LIMIT, COOLDOWN)

    assert breaker.until == NOW + MAX_TIMES * COOLDOWN


@pytest.mark.parametrize(("limit", "cooldown"), [(0, COOLDOWN), (1, 0.0), (0, 0.0)])
def test_without_a_limit_or_a_cool_down_it_never_opens(limit: int, cooldown: float) -> None:
    breaker = Breaker()
    for _ in range(50):
        breaker = failed(breaker, NOW, limit, cooldown)

    assert breaker == Breaker(streak=50)


def test_nothing_may_run_until_the_cool_down_is_over_then_one() -> None:
    breaker = after_failures(LIMIT)

    assert not allows(breaker, NOW + COOLDOWN - 0.1)
    assert begun(breaker, NOW + COOLDOWN - 0.1) == breaker
    assert allows(breaker, NOW + COOLDOWN)
    assert probing().state == HALF_OPEN
    assert not allows(probing(), NOW + 100 * COOLDOWN)


def test_a_probe_that_succeeds_closes_it() -> None:
    assert succeeded(probing()) == Breaker()


def test_each_probe_that_fails_doubles_the_cool_down_up_to_a_limit() -> None:
    breaker, lengths = after_failures(LIMIT), []
    for _ in range(6):
        at = breaker.until
        breaker = failed(begun(breaker, at), at, LIMIT, COOLDOWN)
        lengths.append((breaker.until - at) / COOLDOWN)

    assert lengths == [2, 4, 8, MAX_TIMES, MAX_TIMES, MAX_TIMES]


def test_a_probe_that_fails_opens_it_again_also_where_more_failures_are_allowed_by_now() -> None:
    assert failed(probing(), NOW, LIMIT + 10, COOLDOWN).state == OPEN


def test_a_probe_that_says_nothing_lets_the_next_one_try_at_once() -> None:
    breaker = neither(probing())

    assert breaker.state == OPEN
    assert allows(breaker, NOW + COOLDOWN)
    assert neither(after_failures(1)) == after_failures(1)
