"""The helper that asks addresses elsewhere: one line and an exit code, whatever it meets."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator

import pytest
from support.ports import free_port

from supervisor.base.where import role_command
from supervisor.helpers.probe import main


class Server:
    """Sends the same bytes to everybody who connects; keeps what they asked."""

    def __init__(self) -> None:
        self.answer = b""
        self.asked = b""
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        self.held: list[socket.socket] = []
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.sock.accept()
            except OSError:
                return
            if not self.answer:
                self.held.append(connection)
                continue
            with connection:
                self.asked = connection.recv(65536)
                connection.sendall(self.answer)

    def close(self) -> None:
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        self.thread.join(5)
        for connection in self.held:
            connection.close()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


def probe(*words: object) -> tuple[int, str]:
    done = subprocess.run(
        role_command("probe", *map(str, words)), capture_output=True, text=True, timeout=20, check=False
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout.strip() or done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", (0, "answered 200")),
        (b"HTTP/1.1 301 Moved\r\nLocation: https://elsewhere.invalid/\r\n\r\n", (0, "answered 301")),
        (b"HTTP/1.1 503 No\r\n\r\n", (1, "answered 503")),
        (b"SSH-2.0-OpenSSH\r\n", (1, "answered with something that is not HTTP (BadStatusLine)")),
    ],
)
def test_one_answer_one_line(server: Server, answer: bytes, expected: tuple[int, str]) -> None:
    server.answer = answer

    assert probe(f"http://127.0.0.1:{server.port}/a/b?c=d") == expected
    assert server.asked.startswith(b"GET /a/b?c=d HTTP/1.1\r\n")


def test_the_statuses_are_those_asked_for(server: Server) -> None:
    server.answer = b"HTTP/1.1 404 No\r\n\r\n"

    assert probe(f"http://127.0.0.1:{server.port}", "--statuses", "404-404")[0] == 0
    assert probe(f"http://127.0.0.1:{server.port}", "--statuses", "200")[0] == 1


def test_whoever_is_silent_has_a_limit(server: Server) -> None:
    assert probe(f"http://127.0.0.1:{server.port}/", "--timeout", 0.3) == (1, "did not answer within 0.3 s")


def test_a_connection_may_be_all_that_is_asked_for(server: Server) -> None:
    assert probe(f"tcp://localhost:{server.port}") == (0, "took the connection")
    assert probe(f"tcp://127.0.0.1:{free_port()}") == (1, "refused the connection")


def test_what_is_not_encrypted_is_no_https(server: Server) -> None:
    server.answer = b"HTTP/1.1 200 OK\r\n\r\n"

    code, text = probe(f"https://127.0.0.1:{server.port}/")

    assert code == 1
    assert text.startswith("can't be asked: ")


@pytest.mark.parametrize(
    "url", ["nonsense", "ftp://host/", "http://", "http://[::1", "tcp://host", "http://host:99999/"]
)
def test_an_address_that_is_none_is_a_mistake_not_a_verdict(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as error:
        main([url])

    assert error.value.code == 2
    assert "error: " in capsys.readouterr().err
