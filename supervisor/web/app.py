"""The routes. What comes here has passed the guard."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

import supervisor
from supervisor.base.errors import Problem
from supervisor.web.asking import Asker
from supervisor.web.guard import Guard
from supervisor.web.lockout import WrongKeys
from supervisor.web.problems import Refusal

STATUS_PATH = "/api/automations/status"
RETRY_AFTER = (b"retry-after", b"5")
# These move by themselves: a status that differs only in them is the same status.
MOVING = frozenset({"now", "uptime_s", "cpu_percent", "memory_bytes"})


def build_app(asker: Asker, *, key: bytes, host: str, port: int, wrong_keys: WrongKeys) -> FastAPI:
    """All routes behind the guard; the pages that would load scripts from elsewhere are off."""
    app = FastAPI(
        title="sbctl",
        version=supervisor.__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
    )
    app.add_middleware(Guard, key=key, host=host, port=port, wrong_keys=wrong_keys)

    @app.get("/healthz", summary="Does this server answer?")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get(STATUS_PATH, summary="What `sbctl status --json` shows")
    async def status(request: Request) -> Response:
        return _with_etag(request, await asker.get())

    @app.exception_handler(Problem)
    async def problem(request: Request, error: Problem) -> Response:
        members = {"remedy": error.remedy} if error.remedy else {}
        return _response(
            request, Refusal(503, error.why or error.what, title=error.what, headers=[RETRY_AFTER], **members)
        )

    @app.exception_handler(TimeoutError)
    async def no_answer(request: Request, _error: TimeoutError) -> Response:
        return _response(request, Refusal(503, "the supervisor does not answer in time", headers=[RETRY_AFTER]))

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        headers = [(name.encode(), value.encode()) for name, value in (error.headers or {}).items()]
        return _response(request, Refusal(error.status_code, str(error.detail), headers=headers))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        errors = [{"pointer": "/" + "/".join(map(str, one["loc"])), "detail": one["msg"]} for one in error.errors()]
        return _response(request, Refusal(422, "the request is not as it should be", errors=errors))

    return app


def _with_etag(request: Request, status: dict[str, Any]) -> Response:
    etag = f'W/"{_fingerprint(status)}"'
    if _matches(request.headers.get("if-none-match", ""), etag):
        return Response(status_code=304, headers={"etag": etag})
    body = json.dumps(status, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return Response(body, media_type="application/json", headers={"etag": etag})


def _fingerprint(status: dict[str, Any]) -> str:
    still = _without_moving(status)
    services = status.get("services")
    if isinstance(services, list):
        still["services"] = [_without_moving(row) for row in services]
    return hashlib.sha256(json.dumps(still, sort_keys=True).encode()).hexdigest()[:24]


def _without_moving(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in MOVING}


def _matches(header: str, etag: str) -> bool:
    """If-None-Match compares weakly: W/ does not count."""
    wanted = {tag.strip().removeprefix("W/") for tag in header.split(",")}
    return "*" in wanted or etag.removeprefix("W/") in wanted


def _response(request: Request, refusal: Refusal) -> Response:
    body = refusal.body(request.url.path)
    headers = {name.decode(): value.decode() for name, value in refusal.headers(body)}
    return Response(body, status_code=refusal.status, headers=headers)
