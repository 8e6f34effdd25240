"""Times in words."""

from __future__ import annotations

from supervisor.base.clock import iso


def test_whole_milliseconds_stay_what_they_are() -> None:
    for milliseconds in range(1_764_449_531_000, 1_764_449_532_000):
        assert iso(milliseconds / 1000)[-4:-1] == f"{milliseconds % 1000:03d}"
    assert iso(1_764_449_531.9999998)[-7:] == "11.999Z"
