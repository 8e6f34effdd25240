"""Serves the app until it is told to stop. Importing this imports FastAPI, and takes 0.2 s."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import signal
import socket
import sys
import time
from collections.abc import Callable

from supervisor import __version__
from supervisor.base import proc
from supervisor.base.address import address
from supervisor.control.status import build_status
from supervisor.model.home import Home
from supervisor.web.app import build_app
from supervisor.web.asking import Asker
from supervisor.web.lockout import WrongKeys
from supervisor.web.port import address_of
from supervisor.web.server import QuietServer


def serve(
    home: Home, sock: socket.socket, key: bytes, channel: socket.socket | None, stop_asked: Callable[[], bool]
) -> None:
    """Run the loop. `stop_asked`: has a signal come while all this was imported?"""
    _set_up_log()
    asyncio.run(_serve(home, sock, key, channel, stop_asked))


async def _serve(
    home: Home, sock: socket.socket, key: bytes, channel: socket.socket | None, stop_asked: Callable[[], bool]
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if channel is not None:
        loop.add_reader(channel, _hear, channel, stop)
    if stop_asked():
        return
    host, port = address_of(sock)
    asker = Asker(lambda: build_status(home))
    app = build_app(asker, key=key, host=host, port=port, wrong_keys=WrongKeys(time.monotonic))
    await QuietServer(app, stop, lambda: _say_ready(address(host, port), channel, stop)).serve([sock])


def _say_ready(where: str, channel: socket.socket | None, stop: asyncio.Event) -> None:
    gc.collect()
    gc.freeze()  # what the imports made stays for good: no need to look at it ever again
    if channel is None:
        sys.stdout.write(f"sbctl: config server on http://{where}\n")
        sys.stdout.flush()
        return
    try:
        channel.send(
            json.dumps(
                {"ready": True, "detail": where, "parent_signal": proc.parent_signal(), "version": __version__}
            ).encode()
        )
    except OSError:
        stop.set()  # `start` is gone


def _hear(channel: socket.socket, stop: asyncio.Event) -> None:
    """`start` says nothing here; that it has gone is the message."""
    try:
        gone = not channel.recv(65536)
    except BlockingIOError:
        return
    except OSError:
        gone = True
    if gone:
        asyncio.get_running_loop().remove_reader(channel)
        stop.set()


def _set_up_log() -> None:
    """To stderr, which is this daemon's .out file."""
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(format="[%(asctime)s UTC] %(levelname)s %(message)s", datefmt="%Y-%m-%d %H:%M:%S")
    # It warns of each request that is none, which any caller could fill the disk with.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
