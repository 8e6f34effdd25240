"""Where a check asks: an address as a person writes it, split into its parts.

`:8080/healthz`, `http://127.0.0.1:8080/healthz`, `https://example.org/`, `unix:/run/web.sock:/healthz`, `8080`.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from supervisor.settings.shape import wrong

LOCAL = "127.0.0.1"
HTTP_PORTS = {"http": 80, "https": 443}

_HTTP = 'write ":8080/healthz", "http://127.0.0.1:8080/healthz" or "unix:/path.sock:/healthz"'
_TCP = 'write 8080, "127.0.0.1:8080" or "unix:/path.sock"'
_UNIX = "unix:"
_SECRET = re.compile(r"(?i)token|key|secret|passw|pwd|auth|cred|sig|session")
_GRAPHIC = re.compile(r"[\x21-\x7e]*")


@dataclass(frozen=True)
class Address:
    """`socket` as written: relative to the plugin's folder. `host` is "" only beside a socket."""

    scheme: str
    host: str = ""
    port: int = 0
    socket: str = ""
    path: str = "/"

    @property
    def is_here(self) -> bool:
        """Can it be asked without a name server, TLS or a route to elsewhere?"""
        return self.scheme != "https" and (bool(self.socket) or _is_loopback(self.host))

    @property
    def where(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.where}{self.path if self.scheme in HTTP_PORTS else ''}"

    @property
    def shown_path(self) -> str:
        """For a status and for events: what follows the `?` may be a secret."""
        path, mark, _query = self.path.partition("?")
        return f"{path}?…" if mark else path

    @property
    def shown_url(self) -> str:
        return f"{self.scheme}://{self.where}{self.shown_path if self.scheme in HTTP_PORTS else ''}"

    @property
    def secret_name(self) -> str:
        """The first name in the query that looks like that of a secret, or ""."""
        names = (part.partition("=")[0] for part in self.path.partition("?")[2].split("&"))
        return next((name for name in names if _SECRET.search(name)), "")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def http_address(text: str) -> Address:
    """Of a text that may be anything."""
    if not text or not _GRAPHIC.fullmatch(text):
        raise wrong("not an address: it is empty or holds blanks or letters beyond ASCII", _HTTP)
    if text.startswith(_UNIX):
        socket, path = _socket_and_path(text.removeprefix(_UNIX))
        return Address("http", socket=socket, path=path)
    scheme, mark, rest = text.partition("://")
    if not mark:
        scheme, rest = "http", text
    if scheme not in HTTP_PORTS:
        raise wrong("not an address: only http, https and unix can be asked", _HTTP)
    host, port, path = _split(rest, HTTP_PORTS[scheme], _HTTP)
    return Address(scheme, host, port, path=path)


def tcp_address(value: str | int) -> Address:
    """Of a text or number that may be anything."""
    if isinstance(value, int):
        value = f":{value}"
    if not value or not _GRAPHIC.fullmatch(value):
        raise wrong("not an address: it is empty or holds blanks or letters beyond ASCII", _TCP)
    if value.startswith(_UNIX):
        return Address("tcp", socket=_socket_and_path(value.removeprefix(_UNIX))[0])
    host, port, path = _split(value, 0, _TCP)
    if not port or path != "/":
        raise wrong("not HOST:PORT", _TCP)
    return Address("tcp", host, port)


def _socket_and_path(text: str) -> tuple[str, str]:
    socket, mark, path = text.partition(":/")
    if not socket:
        raise wrong("there is no path of a socket after unix:", _HTTP)
    return socket, f"/{path}" if mark else "/"


def _split(rest: str, default_port: int, remedy: str) -> tuple[str, int, str]:
    """`HOST:PORT/PATH` as its parts; without a host it is this machine."""
    try:
        parts = urlsplit(f"//{rest}")
        port, host = parts.port, parts.hostname or ""
    except ValueError:
        raise wrong("not an address: its host or port can't be read", remedy) from None
    if parts.username is not None or parts.password is not None:
        raise wrong("a name and password in an address would be seen by everybody", "use an exec check for that")
    if port == 0 or (port is None and (not default_port or not host)):
        raise wrong("not an address: there is no port", remedy)
    query = f"?{parts.query}" if parts.query else ""
    host = LOCAL if host in ("", "localhost") else host
    return host, port or default_port, f"{parts.path or '/'}{query}"


def status_range(value: str | int) -> tuple[int, int]:
    """`204`, `"204"` or `"200-399"`."""
    low, mark, high = str(value).partition("-")
    words = (low, high) if mark else (low, low)
    if not all(word.isascii() and word.isdigit() and len(word) == 3 for word in words) or int(words[0]) > int(words[1]):
        raise wrong("not a status or a range of them", 'write 204 or "200-399"')
    return int(words[0]), int(words[1])
