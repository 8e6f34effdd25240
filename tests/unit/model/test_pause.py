"""What is written into pause.flag, and what anybody else may have written there."""

from __future__ import annotations

import pytest

from supervisor.model.pause import MAX_TEXT, decode, encode

NOTHING = {"by": "pause.flag", "reason": "", "until": None, "on_resume": "next"}


def test_what_is_written_is_read() -> None:
    data = encode("anna", "disk: new one", "2026-11-24T08:00:00.000Z")
    assert data == b"by: anna\nreason: disk: new one\nuntil: 2026-11-24T08:00:00.000Z\n"
    assert decode(data) == {**NOTHING, "by": "anna", "reason": "disk: new one", "until": "2026-11-24T08:00:00.000Z"}


def test_what_is_to_run_afterwards_is_read() -> None:
    assert encode("anna", on_resume="catch_up") == b"by: anna\nreason: \nuntil: \non-resume: catch_up\n"
    assert decode(encode("anna", on_resume="catch_up"))["on_resume"] == "catch_up"
    assert decode(b"on-resume: catch-up")["on_resume"] == "catch_up"
    assert decode(b"on-resume: all of it")["on_resume"] == "next"


@pytest.mark.parametrize("data", [b"", b"\n", b"hello", b"\xff\x00\xfe", b"by:\nreason:\nuntil:\n", b"{}"])
def test_a_file_of_others_pauses_by_itself(data: bytes) -> None:
    assert decode(data) == NOTHING


def test_a_hand_may_write_less_and_in_any_order() -> None:
    assert decode(b"Reason: lunch\nby: bob") == {**NOTHING, "by": "bob", "reason": "lunch"}


def test_a_text_can_make_no_line_of_its_own() -> None:
    data = encode("anna", "a\nuntil: 2030-01-01T00:00:00Z")
    assert decode(data)["until"] is None
    assert len(decode(encode("x", "y" * 10_000))["reason"]) == MAX_TEXT
