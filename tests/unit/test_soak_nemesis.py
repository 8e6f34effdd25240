"""In the last third of a long soak no fault replaces a daemon; all others go on."""

from __future__ import annotations

import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support.soak import chronicle, nemesis
from support.soak.check_memory import CALM, LONG_S
from support.soak.nemesis import REPLACING, WEIGHTS, Nemesis

Did = list[tuple[float, str]]


class Played:
    """A nemesis whose harm is only noted, on a clock that its pauses turn on."""

    def __init__(self, history: Path, monkeypatch: pytest.MonkeyPatch, kinds: tuple[str, ...]) -> None:
        self.now = 0.0
        self.did: Did = []
        clock = SimpleNamespace(time=lambda: self.now)
        monkeypatch.setattr(nemesis, "time", clock)
        monkeypatch.setattr(chronicle, "time", clock)
        nothing: Any = None
        hands: Any = SimpleNamespace(wait=self._wait, is_well=lambda: None)
        disk: Any = SimpleNamespace(is_there=True)
        self.nemesis = Nemesis(nothing, hands, chronicle.Chronicle(history), random.Random(1), disk, kinds)
        for kind in kinds:
            monkeypatch.setattr(self.nemesis, kind, lambda kind=kind: self.did.append((self.now, kind)))

    def _wait(self, seconds: float) -> None:
        self.now += seconds


def test_the_last_third_of_a_long_soak_is_calm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    played = Played(tmp_path / "faults", monkeypatch, tuple(WEIGHTS))
    played.nemesis.play(3 * LONG_S, 0.5)

    (calm,) = chronicle.read(tmp_path / "faults")
    assert calm.kind == CALM
    assert 2 * LONG_S <= calm.begin < 2 * LONG_S + 10
    assert calm.end >= 3 * LONG_S
    assert {kind for at, kind in played.did if at >= calm.begin} == set(WEIGHTS) - set(REPLACING)
    assert {kind for at, kind in played.did if at < calm.begin} == set(WEIGHTS)


def test_a_short_one_has_no_calm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    played = Played(tmp_path / "faults", monkeypatch, REPLACING)
    played.nemesis.play(LONG_S - 1, 0.5)

    assert chronicle.read(tmp_path / "faults") == []
    assert played.did[-1][0] > LONG_S - 10


def test_calm_is_also_where_nothing_else_was_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    played = Played(tmp_path / "faults", monkeypatch, REPLACING)
    played.nemesis.play(LONG_S, 0.5)

    (calm,) = chronicle.read(tmp_path / "faults")
    assert calm.end >= LONG_S
    assert played.did[-1][0] < calm.begin
