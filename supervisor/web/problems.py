"""Every error as one shape: problem+json (RFC 9457) with an id that is found again in the log."""

from __future__ import annotations

import json
import secrets
from http import HTTPStatus
from typing import Any

CONTENT_TYPE = b"application/problem+json"

Headers = list[tuple[bytes, bytes]]


class Refusal:
    """An error answer before it is sent."""

    def __init__(
        self, status: int, detail: str, *, title: str = "", headers: Headers | None = None, **members: Any
    ) -> None:
        self.status = status
        self.correlation_id = secrets.token_hex(8)
        self._title = title or HTTPStatus(status).phrase
        self._detail = detail
        self._headers = headers or []
        self._members = members

    def body(self, instance: str = "") -> bytes:
        fields: dict[str, Any] = {
            "type": "about:blank",
            "title": self._title,
            "status": self.status,
            "detail": self._detail,
            **({"instance": instance[:200]} if instance else {}),
            **self._members,
            "correlation_id": self.correlation_id,
        }
        return json.dumps(fields).encode() + b"\n"

    def headers(self, body: bytes) -> Headers:
        return [
            (b"content-type", CONTENT_TYPE),
            (b"content-length", str(len(body)).encode()),
            (b"x-correlation-id", self.correlation_id.encode()),
            *self._headers,
        ]
