"""The guard against tables of what people send: hosts, methods, spellings, keys."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from fastapi.routing import APIRoute
from unit.web.conftest import Site

from supervisor.base.errors import Problem
from supervisor.web.guard import OPEN_PATHS, SECURITY_HEADERS
from supervisor.web.lockout import LIMIT

STATUS = "/api/automations/status"
PATHS = ["/healthz", STATUS, "/openapi.json", "/", "/nothing/here"]

GOOD_HOSTS = [
    b"127.0.0.1",
    b"127.0.0.1:3456",
    b"localhost",
    b"localhost:3456",
    b"LocalHost:3456",
    b"[::1]",
    b"[::1]:3456",
]
BAD_HOSTS = [
    *(
        b"evil.example",
        b"evil.example:3456",
        b"",
        b"127.0.0.1.evil.example",
        b"localhost.",
        b"0.0.0.0",
        b"0.0.0.0:3456",
    ),
    *(
        b"localhost.evil.example",
        b"evil.example#127.0.0.1",
        b"127.0.0.1:80",
        b"127.0.0.1:34560",
        b"127.0.0.1@evil.example",
    ),
    *(b"127.0.0.1, evil.example", b"127.1", b"2130706433", b"::1", b"[::]", b"localhost:", b" localhost", b"\xff"),
]

SPELLINGS = [
    *(
        "{}/",
        "{}//",
        "/{}",
        "//{}",
        "{}.",
        "{}/.",
        "/.{}",
        "{};x=1",
        "{}%00",
        "{}%20",
        "{}%2f",
        "{}.json",
        "{}#x",
        "{}\\",
    ),
    *("/x/..{}", "/healthz/..{}", "/healthz/../{}", "/healthz;{}", "/healthz%2f..{}", "/%2e{}", "/./{}"),
]


def upper(path: str) -> str:
    return path.upper()


def encoded(path: str) -> str:
    return "/" + "".join(f"%{ord(char):02x}" for char in path[1:])


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("host", GOOD_HOSTS)
def test_our_own_names_pass(site: Any, path: str, host: bytes) -> None:
    assert site.get(path, host=host).status in (200, 404)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("host", BAD_HOSTS)
def test_other_names_are_refused_even_with_the_key(site: Any, path: str, host: bytes) -> None:
    assert site.get(path, host=host).status == 421


@pytest.mark.parametrize(("bound", "host"), [("127.0.0.2", b"127.0.0.2"), ("::1", b"[::1]")])
def test_the_address_of_the_settings_passes_and_only_that(bound: str, host: bytes) -> None:
    site = Site(bound)

    assert [site.get("/healthz", host=each).status for each in (host, host + b":3456")] == [200, 200]
    assert [site.get("/healthz", host=each).status for each in (host + b":3457", b"127.0.0.3")] == [421, 421]


def test_no_host_or_two_are_refused(site: Any) -> None:
    assert site.get(STATUS, host=None).status == 421
    assert site.get(STATUS, headers=[(b"host", b"localhost")]).status == 421


@pytest.mark.parametrize("target", ["http://evil.example/healthz", "http://127.0.0.1:3456/healthz", "*", "evil:80", ""])
def test_a_target_that_is_no_path_is_refused(site: Any, target: str) -> None:
    assert site.get(target).status == 421


def test_the_open_paths_are_these_and_no_others(site: Any) -> None:
    assert frozenset({b"/healthz"}) == OPEN_PATHS
    paths = {route.path for route in site.app.routes if isinstance(route, APIRoute)}
    assert paths == {"/healthz", STATUS}  # a new one is to be thought about here


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("path", [path for path in PATHS if path != "/healthz"])
def test_without_the_key_there_is_nothing(site: Any, path: str, method: str) -> None:
    assert site.send(method, path, key=None).status == 401


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("path", ["/healthz", STATUS, "/openapi.json"])
@pytest.mark.parametrize("change", [*(form.format for form in SPELLINGS), upper, encoded])
def test_no_spelling_of_a_path_gets_round_the_key(site: Any, path: str, method: str, change: Any) -> None:
    assert site.send(method, change(path), key=None).status == 401


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND", "get", "GET "])
@pytest.mark.parametrize("path", PATHS)
def test_other_methods_do_not_exist_with_or_without_key(site: Any, path: str, method: str) -> None:
    assert site.send(method, path).status == 405
    assert site.send(method, path, key=None).status == 405


@pytest.mark.parametrize("name", [b"x-http-method-override", b"x-method-override", b"x-original-url", b"x-rewrite-url"])
def test_headers_change_neither_method_nor_path(site: Any, name: bytes) -> None:
    assert site.get("/nothing", key=None, headers=[(name, b"/healthz")]).status == 401
    assert site.get(STATUS, headers=[(name, b"DELETE")]).status == 200


@pytest.mark.parametrize("name", [b"x-forwarded-for", b"forwarded", b"x-real-ip", b"x-forwarded-host"])
def test_a_forwarded_header_is_no_privilege(site: Any, name: bytes) -> None:
    assert site.get(STATUS, key=None, headers=[(name, b"127.0.0.1")]).status == 401


def test_the_key_counts_in_its_header_only(site: Any) -> None:
    key = "q7Zt-3Lm_9wXe2RkVb5NcA"
    assert site.get(f"{STATUS}?key={key}&X-Dash-Key={key}", key=None).status == 401
    for name, value in ((b"authorization", f"Bearer {key}"), (b"cookie", f"key={key}; X-Dash-Key={key}")):
        assert site.get(STATUS, key=None, headers=[(name, value.encode())]).status == 401


@pytest.mark.parametrize(
    "key", [b"", b"q7Zt-3Lm_9wXe2RkVb5Nc", b"q7Zt-3Lm_9wXe2RkVb5NcAA", b"null", b"\xff\xfe", b"q" * 9000]
)
def test_a_wrong_key_is_refused_whatever_it_is_made_of(site: Any, key: bytes) -> None:
    assert site.get(STATUS, key=key).status == 401


def test_two_keys_are_none(site: Any) -> None:
    assert site.get(STATUS, headers=[(b"x-dash-key", b"q7Zt-3Lm_9wXe2RkVb5NcA")]).status == 401


def test_many_wrong_keys_are_refused_with_429_and_the_right_one_still_works(site: Any) -> None:
    answers = [site.get(STATUS, key=b"wrong%d" % n).status for n in range(LIMIT + 5)]
    assert answers == [401] * LIMIT + [429] * 5
    assert site.get(STATUS).status == 200
    assert site.get(STATUS, key=None).status == 401

    site.seconds += 61
    assert site.get(STATUS, key=b"wrong").status == 401


def test_a_missing_key_is_not_a_wrong_one(site: Any) -> None:
    """A page somewhere can make a browser send requests without a key: that must not slow anybody."""
    for _ in range(LIMIT * 2):
        site.get(STATUS, key=None)

    assert not site.wrong_keys.too_many


@pytest.mark.parametrize(
    ("method", "path", "more", "status"),
    [
        ("GET", "/healthz", {}, 200),
        ("GET", STATUS, {}, 200),
        ("OPTIONS", STATUS, {}, 204),
        ("GET", "/nothing", {}, 404),
        ("GET", STATUS, {"key": None}, 401),
        ("POST", STATUS, {}, 405),
        ("GET", STATUS, {"host": b"evil.example"}, 421),
    ],
)
def test_every_answer_has_the_security_headers_and_no_cors(
    site: Any, method: str, path: str, more: dict[str, Any], status: int
) -> None:
    for origin in (b"https://evil.example", b"null", b"http://127.0.0.1:3456"):
        reply = site.send(
            method, path, headers=[(b"origin", origin), (b"access-control-request-method", b"GET")], **more
        )
        assert reply.status == status
        for name, value in SECURITY_HEADERS:
            assert reply.headers[name.decode()] == value.decode()
        assert not [name for name in reply.headers if name.startswith("access-control")]
        assert "server" not in reply.headers


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/docs/oauth2-redirect"])
def test_there_are_no_pages_that_load_scripts_from_elsewhere(site: Any, path: str) -> None:
    assert site.get(path).status == 404


def test_an_error_of_ours_tells_an_id_only_and_the_log_has_the_rest(
    site: Any, caplog: pytest.LogCaptureFixture
) -> None:
    site.status = KeyError("/secret/place.py")
    with caplog.at_level(logging.ERROR, "sbctl.web"):
        reply = site.get(STATUS)

    assert reply.status == 500
    assert reply.headers["content-type"] == "application/problem+json"
    assert b"secret" not in reply.body
    assert b".py" not in reply.body
    assert reply.json()["correlation_id"] in caplog.text
    assert "/secret/place.py" in caplog.text


@pytest.mark.parametrize(
    ("error", "title"),
    [
        (Problem("start does not answer", why="it is suspended", remedy="ps", code=124), "start does not answer"),
        (TimeoutError(), "Service Unavailable"),
    ],
)
def test_a_supervisor_that_can_not_be_asked_is_a_503(site: Any, error: Exception, title: str) -> None:
    site.status = error
    reply = site.get(STATUS)

    assert (reply.status, reply.json()["title"]) == (503, title)
    assert reply.headers["retry-after"] == "5"


def test_problems_have_the_members_of_their_rfc(site: Any) -> None:
    problem = site.get("/nothing?key=secret").json()

    assert {name: problem[name] for name in ("type", "title", "status", "instance")} == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "instance": "/nothing",
    }
    assert len(problem["correlation_id"]) == 16
