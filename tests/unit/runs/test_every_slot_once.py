"""Whatever happens, each slot that a rule names ends in exactly one row: none twice, none lost, none invented."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.slot_walk import Walk


@pytest.mark.parametrize("seed", range(16))
def test_every_slot_ends_in_one_row(tmp_path: Path, seed: int) -> None:
    """Twelve days about a change of the clock."""
    Walk(seed, 12, tmp_path).go()


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(1000, 1032))
def test_every_slot_of_a_year_ends_in_one_row(tmp_path: Path, seed: int) -> None:
    Walk(seed, 365, tmp_path).go()


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("block", range(10))
def test_every_slot_of_many_lives_ends_in_one_row(tmp_path: Path, block: int) -> None:
    for seed in range(2000 + block * 40, 2040 + block * 40):
        path = tmp_path / str(seed)
        path.mkdir()
        print(f"seed {seed}")
        Walk(seed, 12, path).go()
