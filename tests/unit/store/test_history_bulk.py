"""Many claims in one statement do what they do one by one, whatever else lies in between."""

from __future__ import annotations

import _sqlite3
import random
from typing import Any

import pytest
from support.fakes import FakeClock, raise_it

from supervisor.store.bulk import WORTH_IT, apply_all
from supervisor.store.making import Maker
from supervisor.store.rows import RunRow, SlotRow
from supervisor.store.schema import migrate
from supervisor.store.writes import Write, apply

AT = 1_760_000_400


def database() -> _sqlite3.Connection:
    db = _sqlite3.connect(":memory:", isolation_level=None)
    migrate(db)
    return db


def content(db: _sqlite3.Connection) -> list[Any]:
    return [db.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in ("slots", "runs", "schedules")]


def claim(maker: Maker, schedule: str, nominal: int, run: str, **more: Any) -> Write:
    row = RunRow(run, schedule, plugin=schedule, nominal=nominal, **more)
    return maker.claim([SlotRow(schedule, nominal)], row, lambda _: None)


def some_write(maker: Maker, dice: random.Random, number: int) -> Write:
    """Mostly claims, of few slots, so that many of them meet."""
    schedule, nominal = dice.choice("abcdefghij"), AT + 60 * dice.randrange(12)
    kind = dice.choices(("claim", "again", "tenant", "range", "release", "end", "two"), (80, 4, 6, 3, 3, 3, 2))[0]
    if kind == "claim":
        return claim(maker, schedule, nominal, f"r{number}")
    if kind == "again":
        return claim(maker, schedule, nominal, f"r{dice.randrange(number + 1)}")
    if kind == "tenant":
        return claim(maker, schedule, nominal, f"r{number}", tenant="acme")
    if kind == "range":
        return maker.skip([SlotRow(schedule, nominal, nominal_to=nominal + 120, outcome="skipped", reason="missed")])
    if kind == "release":
        return maker.release(f"r{dice.randrange(number + 1)}", {"reason": "paused", "until": None, "note": None})
    if kind == "end":
        return maker.end(f"r{dice.randrange(number + 1)}", {"state": "succeeded"}, None)
    return maker.claim([SlotRow(schedule, nominal), SlotRow(schedule, nominal + 60)], None, lambda _: None)


@pytest.mark.parametrize("seed", range(60))
def test_the_same_as_one_by_one(seed: int) -> None:
    dice, maker = random.Random(seed), Maker(FakeClock(), raise_it)
    together, alone = database(), database()
    for _ in range(3):
        batch = [some_write(maker, dice, number) for number in range(dice.choice((5, 40, 200)))]
        assert apply_all(together, batch) == [apply(alone, write) for write in batch]
        assert content(together) == content(alone)


@pytest.mark.parametrize("count", [WORTH_IT - 1, WORTH_IT, 300])
def test_each_is_there_once_and_may_be_told_again(count: int) -> None:
    maker, db = Maker(FakeClock(), raise_it), database()
    batch = [claim(maker, f"s{number}", AT, f"r{number}") for number in range(count)]
    for _ in range(2):
        assert apply_all(db, batch) == [True] * count
    other = [claim(maker, f"s{number}", AT, f"other{number}") for number in range(count)]

    assert apply_all(db, other) == [False] * count
    assert db.execute("SELECT count(*), count(DISTINCT run) FROM slots").fetchone() == (count, count)
    assert db.execute("SELECT count(*) FROM runs").fetchone() == (count,)


def test_many_are_few_statements() -> None:
    maker, db = Maker(FakeClock(), raise_it), database()
    batch = [claim(maker, f"s{number}", AT, f"r{number}") for number in range(300)]
    statements: list[str] = []
    db.set_trace_callback(statements.append)
    apply_all(db, batch)

    assert sum(text.startswith("INSERT") for text in statements) < 30
