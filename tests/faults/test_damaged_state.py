"""R39: each file in which sbctl keeps something, in all kinds of bad shape: a message and a default, or a refusal.

Never a traceback, never a start that hangs, and what is whole is not thrown away with what is not.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from support.children import child
from support.damaging import damaged
from support.home import Result, TemporaryHome
from support.scheduling import add_steps, add_task

CURRENT = "logs/run/settings/current"
FILES = (
    "logs/state.json",
    "logs/run/home_id",
    "logs/run/records",
    "logs/run/port",
    f"{CURRENT}/start.json",
    f"{CURRENT}/scheduler.json",
    f"{CURRENT}/sources.json",
    "pause.flag",
)
CALLS = (
    ("status",),
    ("start",),
    ("status", "--json"),
    ("why", "web"),
    ("schedule", "list"),
    ("disable", "web"),
    ("pause", "job"),
    ("enable", "web"),
    ("resume",),
    ("config", "history"),
    ("stop",),
)
REFUSALS = (0, 1, 2, 3, 4, 6, 7)


@pytest.fixture
def used(home: TemporaryHome) -> TemporaryHome:
    """Everything that can be there is."""
    home.settings["config"] = {"enabled": False}
    home.write()
    home.add_plugin("web", child("ready"))
    add_steps(home, "job", get="true")
    add_task(home, "job", intervalHours=1, runAtStart=False)
    for words in (["start"], ["disable", "web"], ["enable", "web"], ["pause", "job"], ["pause"], ["stop"]):
        assert home.sbctl(*words).code == 0, words
    (home.path / "logs" / "run" / "port").write_text("3456\n")
    return home


def whole(home: TemporaryHome) -> dict[str, bytes]:
    return {name: (home.path / name).read_bytes() for name in FILES}


def rounds_of(home: TemporaryHome) -> Iterator[dict[str, tuple[str, bytes]]]:
    """One file at a time, in each shape."""
    for name, data in whole(home).items():
        for kind, bad in damaged(data):
            yield {name: (kind, bad)}


def test_all_files_at_once(used: TemporaryHome) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    shapes = {name: list(damaged(data)) for name, data in whole(used).items()}
    play(used, [{name: chance.choice(shapes[name]) for name in FILES}])


@pytest.mark.slow
@pytest.mark.timeout(2000)
@pytest.mark.parametrize("name", FILES)
def test_each_file_in_each_shape(used: TemporaryHome, name: str) -> None:
    play(used, [{name: shape} for shape in damaged(whole(used)[name])])


def play(home: TemporaryHome, rounds: list[dict[str, tuple[str, bytes]]]) -> None:
    good = whole(home)
    for bad in rounds:
        for name, data in good.items():
            (home.path / name).parent.mkdir(parents=True, exist_ok=True)
            (home.path / name).write_bytes(bad[name][1] if name in bad else data)
        told = ", ".join(f"{name}: {kind}" for name, (kind, _) in bad.items())
        try:
            live(home)
        except AssertionError as error:
            raise AssertionError(f"{told}\n{error}") from None


def live(home: TemporaryHome) -> None:
    """A day with it: what it says is fit for people, it comes up, and it ends."""
    (home.path / "logs" / "scheduler.out").unlink(missing_ok=True)
    (home.path / "logs" / "start.out").unlink(missing_ok=True)
    for words in CALLS:
        result = home.sbctl(*words, timeout=40)
        check(words, result)
        if words == ("start",):
            assert result.code == 0, result
    assert home.pids() == []
    for role in ("start", "scheduler"):
        out = home.path / "logs" / f"{role}.out"
        said = out.read_text() if out.exists() else ""
        assert "Traceback" not in said, said[-3000:]


def check(words: tuple[str, ...], result: Result) -> None:
    said = f"sbctl {' '.join(words)}: {result}"
    assert "Traceback" not in result.err, said
    assert "sbctl itself failed" not in result.err, said
    assert "compiler died" not in result.err, said
    assert result.code in REFUSALS, said
    assert len(result.err) < 4000, said[:4000]
    if words[-1] == "--json":
        result.json()
