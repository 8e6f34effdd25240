"""A small web server on loopback: says how long it has been up and how often it was asked. Standard library only.

python3 server.py        until SIGTERM or Ctrl-C; the port is PORT from the environment (8077)
"""

from __future__ import annotations

import errno
import itertools
import json
import os
import signal
import socketserver
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler

SETTINGS_ERROR = 78  # sbctl shows this exit code as a mistake in the settings

began = time.monotonic()
requests = itertools.count(1)


class Handler(BaseHTTPRequestHandler):
    timeout = 10  # a client that says nothing does not keep its thread

    def do_GET(self) -> None:
        if self.path != "/":
            self.answer(404, {"error": "only / is here"})
            return
        self.answer(200, {"uptime_seconds": round(time.monotonic() - began, 3), "requests": next(requests)})

    def answer(self, status: int, data: dict[str, object]) -> None:
        body = json.dumps(data).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True  # or a restart would have to wait for old connections to time out
    daemon_threads = True  # or a slow client would keep us from ending


def port_setting() -> int:
    text = os.environ.get("PORT") or "8077"
    if not text.isdecimal() or not 0 < int(text) < 65536:
        print(f"PORT must be a number from 1 to 65535, not {text!r}", file=sys.stderr)
        sys.exit(SETTINGS_ERROR)
    return int(text)


def main() -> None:
    port = port_setting()
    # Waited for rather than handled: a handler runs between two steps of Python, and a signal that comes right before
    # the server sleeps would be noticed with the next request only.
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    try:
        server = Server(("127.0.0.1", port), Handler)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        sys.exit(f"port {port} is in use: {error.strerror}")
    with server:
        print(f"ready: http://127.0.0.1:{port}/", flush=True)
        # The interval is for shutdown(), which nobody calls here: no need to wake up for it.
        threading.Thread(target=server.serve_forever, args=(3600,), daemon=True).start()
        got = signal.sigwait(ends)
        print(f"{signal.Signals(got).name}: ending", flush=True)


if __name__ == "__main__":
    main()
