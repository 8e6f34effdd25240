"""`python -m supervisor --role probe URL --timeout S --statuses A-B`: one question to an address elsewhere.

What takes a name server, TLS or a route must not be done in a daemon's loop, so it is done here, in a process that is
ended at its limit. One line says what was answered; exit 0: well, 1: not, 2: the question itself makes no sense.
"""

from __future__ import annotations

import argparse
import http.client
import os
import socket
import ssl
import sys
import threading
from urllib.parse import SplitResult, urlsplit

PORTS = {"http": 80, "https": 443}
MAX_TEXT = 300

Answer = tuple[bool, str]


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="probe", description="Ask one address once.")
    parser.add_argument("url", help="http://…, https://… or tcp://HOST:PORT")
    parser.add_argument("--timeout", type=float, default=5.0, help="seconds for everything together")
    parser.add_argument("--statuses", type=_statuses, default=(200, 399), help="what is well, e.g. 200-399")
    found = parser.parse_args(argv)
    try:
        url = urlsplit(found.url)
        port = url.port or PORTS.get(url.scheme, 0)
    except ValueError as error:
        parser.error(str(error))
    if url.scheme not in (*PORTS, "tcp") or not url.hostname or not port:
        parser.error(f"{found.url}: not http://HOST, https://HOST or tcp://HOST:PORT")
    ok, text = within(found.timeout, url, port, found.statuses)
    sys.stdout.write(text[:MAX_TEXT].replace("\n", " ") + "\n")
    sys.stdout.flush()
    os._exit(0 if ok else 1)  # a name server may still be waited for, in a thread that can't be ended


def _statuses(text: str) -> tuple[int, int]:
    low, _, high = text.partition("-")
    return int(low), int(high or low)


def within(timeout: float, url: SplitResult, port: int, statuses: tuple[int, int]) -> Answer:
    """The answer, or that none has come in time."""
    answers: list[Answer] = []
    asking = threading.Thread(target=lambda: answers.append(ask(url, port, statuses, timeout)), daemon=True)
    asking.start()
    asking.join(timeout)
    return answers[0] if answers else (False, f"did not answer within {timeout:g} s")


def ask(url: SplitResult, port: int, statuses: tuple[int, int], timeout: float) -> Answer:
    host = url.hostname or ""
    try:
        if url.scheme == "tcp":
            socket.create_connection((host, port), timeout).close()
            return True, "took the connection"
        status = _status(url, host, port, timeout)
    except TimeoutError:
        return False, f"did not answer within {timeout:g} s"
    except ConnectionRefusedError:
        return False, "refused the connection"
    except socket.gaierror as error:
        return False, f"has no known address: {error.strerror}"
    except ssl.SSLCertVerificationError as error:
        return False, f"has a certificate that is not trusted: {error.verify_message}"
    except http.client.HTTPException as error:
        return False, f"answered with something that is not HTTP ({type(error).__name__})"
    except (OSError, ValueError) as error:
        return False, f"can't be asked: {getattr(error, 'strerror', None) or error}"
    return statuses[0] <= status <= statuses[1], f"answered {status}"


def _status(url: SplitResult, host: str, port: int, timeout: float) -> int:
    """Of one GET; a redirection is an answer and not followed."""
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = kind(host, port, timeout=timeout)
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    try:
        connection.request("GET", path, headers={"User-Agent": "sbctl", "Connection": "close"})
        return connection.getresponse().status
    finally:
        connection.close()
