"""What a person wants to last is kept in a file that nothing may fail because of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.fakes import FakeClock

from supervisor.base.errors import Problem
from supervisor.daemons.intents import Intents
from supervisor.events.bus import Bus
from supervisor.model.event import Event
from supervisor.model.home import Home
from supervisor.model.intent import Intent, NotReadable, choice_for
from supervisor.model.wishes import Wishes


class Kept:
    """A home with nothing but that file."""

    def __init__(self, path: Path) -> None:
        (path / "logs").mkdir()
        self.file = path / "logs" / "state.json"
        self.events: list[Event] = []
        bus = Bus(FakeClock(), "scheduler")
        bus.add(self.events.append)
        self.intents = Intents(Home(str(path)), bus, FakeClock())


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


def test_what_is_set_is_there_for_the_next_and_says_who_wanted_it(kept: Kept, tmp_path: Path) -> None:
    assert kept.intents.read() == {}
    assert kept.intents.set(["web", "api"], enabled=False, by="anna") == ["web", "api"]
    assert kept.intents.set(["web", "db"], enabled=False, by="") == ["db"]

    assert kept.intents.read() == {"web": False, "api": False, "db": False}
    content = json.loads(kept.file.read_text())
    assert content["services"]["web"]["by"] == "anna"
    assert content["services"]["web"]["at"].endswith("Z")
    assert [path.name for path in kept.file.parent.iterdir()] == ["state.json"]
    assert kept.events == []


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"services": {"web": {"enabled": 1}}}', b"\xff", b"[" * 100_000])
def test_a_broken_file_is_put_aside_and_said(kept: Kept, data: bytes) -> None:
    kept.file.write_bytes(data)

    assert kept.intents.read() == {}

    assert (kept.file.parent / ".broken-state.json").read_bytes() == data
    assert [event.kind for event in kept.events] == ["intent.broken"]
    assert kept.intents.set(["web"], enabled=True, by="") == ["web"]


def test_a_wish_that_can_not_be_kept_is_refused_and_not_in_force(kept: Kept) -> None:
    kept.file.mkdir()

    with pytest.raises(Problem, match="can't write"):
        kept.intents.set(["web"], enabled=False, by="")

    assert kept.intents.enabled() == {}


def test_what_a_later_version_wrote_beside_it_is_kept() -> None:
    intent = Intent.from_bytes(b'{"format": 2, "services": {}, "pauses": [1]}')
    intent.set("web", enabled=True, at="", by="")

    assert json.loads(intent.to_bytes())["pauses"] == [1]


def test_unreadable_says_why() -> None:
    with pytest.raises(NotReadable, match="'web'"):
        Intent.from_bytes(b'{"services": {"web": {}}}')


def test_the_name_of_a_plugin_covers_its_instances_to_come() -> None:
    intent, by = Intent(), {"at": "", "by": ""}
    assert intent.choose(["web"], ["web:1", "web:2"], enabled=False, **by) == ["web:1", "web:2"]
    assert intent.enabled() == {"web": False}
    assert [choice_for(intent.enabled(), name) for name in ("web", "web:7", "webs")] == [False, False, None]
    assert intent.choose(["web:2"], ["web:2"], enabled=True, **by) == ["web:2"]
    assert choice_for(intent.enabled(), "web:2") is True
    assert intent.choose(["web"], ["web:1", "web:2"], enabled=False, **by) == ["web:2"]
    assert intent.enabled() == {"web": False}
    assert intent.choose(["web"], ["web"], enabled=True, **by) == ["web"]
    assert choice_for(intent.enabled(), "web:1") is True
    assert intent.choose(["web:1"], ["web:1"], enabled=False, **by) == ["web:1"]
    assert intent.enabled() == {"web": True, "web:1": False}


def test_a_wish_of_one_reads_nothing_again_of_a_hundred_thousand(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {f"s{number}": {"first_seen": 1_700_000_000, "enabled": False} for number in range(100)}
    kept.file.write_text(json.dumps({"services": {}, "schedules": seen, "later": 1}))
    kept.intents.read()
    read: list[str] = []
    monkeypatch.setattr(Wishes, "_read", lambda _self, name, _wish: read.append(name))
    wishes = kept.intents.wishes()
    wishes.enable("s1", None)
    wishes.see("s2", 1_800_000_000)
    assert kept.intents.wishes().enabled("s1") is False, "a copy, until it is saved"
    kept.intents.save_wishes(wishes)
    wishes.enable("s3", None)
    wishes.see("s3", 1_800_000_000)
    kept.intents.set(["web"], enabled=False, by="")

    assert read == []
    content = json.loads(kept.file.read_text())
    changed = {"s1": {"first_seen": 1_700_000_000}, "s2": {"first_seen": 1_800_000_000, "enabled": False}}
    assert content["schedules"] == {**seen, **changed}
    assert content["later"] == 1
