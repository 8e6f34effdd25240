"""The status over REST: the object, and when it counts as unchanged."""

from __future__ import annotations

from typing import Any

PATH = "/api/automations/status"


def test_it_is_the_object_itself(site: Any) -> None:
    reply = site.get(PATH)

    assert reply.json() == site.status
    assert reply.headers["content-type"] == "application/json"


def test_head_is_answered_like_get(site: Any) -> None:
    assert site.send("HEAD", PATH).headers["etag"] == site.get(PATH).headers["etag"]


def test_the_same_status_a_second_later_is_not_sent_again(site: Any) -> None:
    etag = site.get(PATH).headers["etag"]
    services = [{**row, "uptime_s": row["uptime_s"] + 1} for row in site.status["services"]]
    site.status = {**site.status, "now": "later", "services": services}

    for header in (etag, etag.removeprefix("W/"), f'"x", {etag}', "*"):
        reply = site.get(PATH, headers=[(b"if-none-match", header.encode())])
        assert (reply.status, reply.body, reply.headers["etag"]) == (304, b"", etag)


def test_a_change_is_sent(site: Any) -> None:
    etag = site.get(PATH).headers["etag"].encode()
    before = site.status
    for change in ({"ticks": 4}, {"state": "degraded"}, {"services": []}):
        site.status = {**before, **change}
        assert site.get(PATH, headers=[(b"if-none-match", etag)]).status == 200


def test_text_that_is_no_unicode_does_not_break_it(site: Any) -> None:
    site.status = {**site.status, "detail": "\udcff"}

    assert site.get(PATH).status == 200


def test_a_service_name_is_data_not_markup(site: Any) -> None:
    site.status = {**site.status, "detail": "</script><b>ü\n"}

    assert site.get(PATH).json()["detail"] == "</script><b>ü\n"
