"""Wrong keys: counted in a window, answered late, and only so many late at once."""

from __future__ import annotations

import asyncio

from supervisor.web.lockout import LIMIT, MAX_DELAYED, WINDOW_S, WrongKeys


class Seconds:
    def __init__(self) -> None:
        self.value = 0.0

    def __call__(self) -> float:
        return self.value


def test_it_locks_within_the_window_only() -> None:
    now = Seconds()
    wrong = WrongKeys(now, delay=0.0)

    async def spread() -> list[bool]:
        answers = []
        for _ in range(LIMIT * 3):
            answers.append(await wrong.count())
            now.value += WINDOW_S / (LIMIT - 1)
        return answers

    assert not any(asyncio.run(spread()))
    assert not wrong.too_many


def test_it_opens_again() -> None:
    now = Seconds()
    wrong = WrongKeys(now, delay=0.0)

    async def many() -> None:
        for _ in range(LIMIT):
            await wrong.count()

    asyncio.run(many())
    assert wrong.too_many
    now.value += WINDOW_S
    assert not wrong.too_many


def test_a_crowd_is_told_at_once_instead_of_being_kept() -> None:
    wrong = WrongKeys(Seconds(), delay=60.0)

    async def crowd() -> tuple[int, int]:
        for _ in range(LIMIT):
            await wrong.count()
        tries = [asyncio.ensure_future(wrong.count()) for _ in range(MAX_DELAYED + 10)]
        done, waiting = await asyncio.wait(tries, timeout=0.05)
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        return len(done), len(waiting)

    assert asyncio.run(crowd()) == (10, MAX_DELAYED)
