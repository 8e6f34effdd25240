"""`sbctl explain`: words, next times, and the days on which the clock is changed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from supervisor.base.errors import USAGE, Problem
from supervisor.cli.explaining import explained, lines
from supervisor.cli.main import main

NOW = 1_795_852_800.0  # Sat 28 Nov 2026 08:00 UTC


def facts(text: str, zone: str = "Europe/Berlin", **more: object) -> dict[str, Any]:
    given: dict[str, Any] = {"count": 3, "seconds": False, "key": "", **more}
    return explained(text, zone_name=zone, now=NOW, **given)


def test_the_sentence_and_the_next_times() -> None:
    shown = lines(facts("30 2 * * *"))
    assert shown[0] == "30 2 * * *: at 02:30 every day"
    assert shown[1] == "zone Europe/Berlin"
    assert shown[2] == "  Sun 29 Nov 02:30:00  in 17h 30m"


def test_changes_of_the_clock_are_told() -> None:
    forward, back = facts("30 2 * * *")["changes"]
    assert (forward["forward"], forward["fires"], back["fires"]) == (True, 1, 1)
    assert forward["notes"] == ["02:30 does not exist on that day"]
    assert any("clock goes forward Sun 28 Mar" in line and "02:30 does not exist" in line for line in
               lines(facts("30 2 * * *")))  # fmt: skip


def test_days_that_are_none_of_its_days_are_not() -> None:
    assert not any("clock goes" in line for line in lines(facts("30 2 * * mon")))
    assert facts("30 2 * * *", "UTC")["changes"] == []


@pytest.mark.parametrize(
    ("text", "dst", "rule"),
    [
        ("30 2 * * *", None, "vixie, for a fixed time: once"),
        ("*/15 2 * * *", None, "vixie, for a rhythm: at each time"),
        ("30 2 * * *", "literal", "literal: at each time"),
        ("30 2 * * *", "skip", "skip: not in a gap"),
    ],
)
def test_it_says_by_which_rule_the_line_goes(text: str, dst: str | None, rule: str) -> None:
    found = facts(text, dst=dst)
    assert found["dst"] == (dst or "vixie")
    assert found["clock_rule"].startswith(rule)
    assert any(line.startswith(f"dst is {rule}") for line in lines(found))
    assert not any("dst is" in line for line in lines(facts(text, "UTC", dst=dst)))


def test_the_rule_that_is_given_counts() -> None:
    fires = [
        [each["fires"] for each in facts("30 2 * * *", dst=dst)["changes"]] for dst in ("vixie", "literal", "skip")
    ]
    assert fires == [[1, 1], [0, 2], [0, 1]]


def test_a_line_for_which_a_schedule_has_to_say_it_is_told() -> None:
    found = facts("0 30 1-10 * * *", seconds=True)
    told = [line for line in lines(found) if line.startswith("a schedule has to say dst for it: ")]
    assert "programs disagree" in told[0]
    assert '"dst": "literal"' in told[0]
    for line in (facts("0 30 1-10 * * *", seconds=True, dst="literal"), facts("30 1-10 * * *")):
        assert line["refused"] == ""
        assert not any("has to say" in each for each in lines(line))


def test_the_line_may_name_its_zone() -> None:
    assert facts("CRON_TZ=Asia/Tokyo 0 9 * * *")["zone"] == "Asia/Tokyo"


def test_h_depends_on_the_key() -> None:
    assert len({facts("H 2 * * *", key=key)["expression"] for key in "abcdefgh"}) > 1


@pytest.mark.parametrize(("text", "field"), [("61 * * * *", "minute"), ("0 25 * * *", "hour"), ("* * * *", "fields")])
def test_an_error_points_at_the_field(text: str, field: str) -> None:
    with pytest.raises(Problem) as caught:
        facts(text)
    assert field in caught.value.why
    assert caught.value.code == USAGE


def test_no_home_is_needed(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SB_HOME", "/nowhere")
    assert main(["explain", "*/15", "*", "*", "*", "*", "--tz", "UTC", "--json"]) == 0
    answer = json.loads(capfd.readouterr().out)
    assert answer["text"] == "every 15 minutes"
    assert len(answer["next"]) == 5
    assert main(["explain", "@daily"]) == 0
    assert main(["explain", "30 2 30 2 *"]) == 2
    assert "never fires" in capfd.readouterr().err
