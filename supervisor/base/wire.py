"""Messages between our own processes.

Two carriers, one kind of content (a JSON object):

    Frames      a stream socket; each message is   | length, 4 bytes, big endian | UTF-8 JSON |
                used on the control sockets, where any program may try to talk to us
    channel.py  a SOCK_SEQPACKET pair between `start` and a core service; one packet is one message, or a list of
                them, and descriptors ride along with it (SCM_RIGHTS)

Neither ever blocks, and a dead peer is data (`closed`), never an exception out of a send.
"""

from __future__ import annotations

from supervisor.base import jsons

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Message = dict[str, Any]

MAX_FRAME = 16 << 20
MAX_PACKET = 180_000  # below the default socket buffer of an unprivileged process


class BadFrame(Exception):
    """The peer does not speak this protocol."""


_encode = jsons.encoder(ascii=False)


def encode(message: Message) -> bytes:
    text = _encode(message)
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half a character, which JSON from elsewhere may have
        return text.encode("utf-8", "replace")


def decode(data: bytes) -> Message:
    """One message, or BadFrame; whatever bytes come in, nothing else is raised."""
    message = _parse(data)
    if not isinstance(message, dict):
        raise BadFrame("not a JSON object")
    return message


def decode_all(packet: bytes) -> list[Message]:
    """At least one."""
    content = _parse(packet)
    messages = content if isinstance(content, list) else [content]
    if not messages or not all(isinstance(each, dict) for each in messages):
        raise BadFrame("neither a JSON object nor a list of them")
    return messages


def _parse(data: bytes) -> Any:
    try:
        return jsons.loads(data.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError) as error:
        raise BadFrame(f"not JSON: {error}") from None


def check_size(data: bytes) -> bytes:
    """It fits in one packet, or BadFrame."""
    if len(data) > MAX_PACKET:
        raise BadFrame(f"message of {len(data)} bytes (at most {MAX_PACKET})")
    return data


def frame(message: Message) -> bytes:
    return frame_bytes(encode(message))


def frame_bytes(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body


class FrameReader:
    """Cuts a stream of bytes into frames; knows nothing of sockets."""

    def __init__(self, limit: int = MAX_FRAME) -> None:
        self._buffer = bytearray()
        self._limit = limit

    @property
    def rest(self) -> bytes:
        """The beginning of a frame that is still coming."""
        return bytes(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        buffer = self._buffer
        buffer += data
        out: list[bytes] = []
        while len(buffer) >= 4:
            length = int.from_bytes(buffer[:4], "big")
            if length > self._limit:
                raise BadFrame(f"frame of {length} bytes (at most {self._limit})")
            if len(buffer) < 4 + length:
                break
            out.append(bytes(buffer[4 : 4 + length]))
            del buffer[: 4 + length]
        return out
