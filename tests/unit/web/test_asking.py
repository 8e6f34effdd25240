"""Asking beside the loop: one question at a time, and nobody waits for ever."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from supervisor.web.asking import Asker


def test_callers_at_the_same_time_share_one_question() -> None:
    asked: list[int] = []
    go = threading.Event()

    def ask() -> dict[str, Any]:
        asked.append(1)
        go.wait(5)
        return {"n": len(asked)}

    async def several() -> list[dict[str, Any]]:
        asker = Asker(ask)
        callers = [asyncio.ensure_future(asker.get()) for _ in range(50)]
        asyncio.get_running_loop().call_soon(go.set)
        answers = await asyncio.gather(*callers)
        return [*answers, await asker.get()]

    answers = asyncio.run(several())
    assert answers == [{"n": 1}] * 50 + [{"n": 2}]


def test_a_question_that_hangs_ends_the_wait_and_keeps_one_thread() -> None:
    go = threading.Event()
    before = threading.active_count()

    async def impatient() -> int:
        asker = Asker(lambda: {"waited": go.wait(5)}, limit=0.02)
        for _ in range(5):
            with pytest.raises(TimeoutError):
                await asker.get()
        return threading.active_count()

    assert asyncio.run(impatient()) <= before + 1  # one of an earlier test may have ended meanwhile
    go.set()


def test_an_error_reaches_every_caller() -> None:
    def ask() -> dict[str, Any]:
        raise ValueError("no")

    async def two() -> list[Any]:
        asker = Asker(ask)
        return await asyncio.gather(asker.get(), asker.get(), return_exceptions=True)

    assert [type(answer) for answer in asyncio.run(two())] == [ValueError, ValueError]
