"""One suite, two carriers: handlers called directly, and through a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.fake_daemon import DirectClient, Fake, FakeDaemon, row

from supervisor.base.errors import USAGE, Problem
from supervisor.control.client import connect
from supervisor.model.home import Home

ROWS = ["config", "chrome-history"]


@pytest.fixture(params=["direct", "socket"])
def both(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Any, Fake]]:
    rows = [row(name) for name in ROWS]
    if request.param == "direct":
        fake = Fake("scheduler", rows)
        yield DirectClient(fake), fake
        return
    with FakeDaemon(Home(str(tmp_path)), "scheduler", rows) as daemon:
        with connect(Home(str(tmp_path)), "scheduler") as client:
            yield client, daemon.fake
        assert not daemon.errors


def test_an_answer_is_a_dict(both: tuple[Any, Fake]) -> None:
    client, _ = both
    answer = client.request("ping")
    assert (answer["role"], answer["version"]) == ("scheduler", "0.1.0")


def test_arguments_arrive(both: tuple[Any, Fake]) -> None:
    client, fake = both
    answer = client.request("stop", names=["config"])
    assert answer["accepted"] == ["config"]
    assert fake.rows["config"]["state"] == "stopped"


def test_an_unknown_service_names_the_nearest(both: tuple[Any, Fake]) -> None:
    client, _ = both
    with pytest.raises(Problem) as caught:
        client.request("start", names=["crome-history"])
    assert caught.value.code == USAGE
    assert "chrome-history" in caught.value.remedy


def test_a_misspelt_argument_is_refused(both: tuple[Any, Fake]) -> None:
    client, fake = both
    with pytest.raises(Problem, match="takes no argument 'nmaes'"):
        client.request("stop", nmaes=["config"])
    assert fake.asked == []


@pytest.mark.parametrize("names", ["config", [1], {"a": 1}, 3])
def test_names_of_the_wrong_kind_are_refused(both: tuple[Any, Fake], names: object) -> None:
    client, _ = both
    with pytest.raises(Problem, match="list of service names"):
        client.request("start", names=names)


def test_a_raw_answer_is_bytes(both: tuple[Any, Fake]) -> None:
    client, _ = both
    lines = client.raw("rows").decode().split("\n")
    assert lines[0].endswith("\tscheduler\t0003\t0")
    assert [line.split("\t")[0] for line in lines[1:]] == ROWS


def test_a_stream_ends(both: tuple[Any, Fake]) -> None:
    client, fake = both
    fake.events = [{"seq": f"1.{n}"} for n in range(3)]
    assert [m["event"]["seq"] for m in client.stream("events", follow=False)] == ["1.0", "1.1", "1.2"]


def test_bytes_that_are_not_utf8_survive(both: tuple[Any, Fake]) -> None:
    client, fake = both
    odd = b"caf\xe9".decode("utf-8", "surrogateescape")
    fake.rows["config"]["detail"] = odd
    assert client.request("status")["rows"][0]["detail"] == odd
