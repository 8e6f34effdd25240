"""The config server as a real process: its start, its end, bad neighbours, and what it costs while idle."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import select
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.fake_daemon import FakeDaemon, row
from support.ports import free_port
from support.processes import alive, kill
from support.waiting import eventually

from supervisor import __version__
from supervisor.base.where import role_command
from supervisor.model.home import Home

STATUS = "/api/automations/status"
KEY = "q7Zt-3Lm_9wXe2RkVb5NcA"
HALF = [b"", b"G", b"GET /healthz HTTP/1.1\r\n", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: "]


class Server:
    """One server on one home with hand-written compiled settings."""

    def __init__(self, path: Path, host: str = "127.0.0.1") -> None:
        self.home = Home(str(path))
        self.host = host
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.socks: list[socket.socket] = []
        revision = Path(self.home.revisions) / "0001"
        revision.mkdir(parents=True)
        (revision.parent / "current").symlink_to("0001")
        (revision / "start.json").write_text(json.dumps({"format": 1, "host": host, "port": self.port}))

    # its life

    def spawn(self, *words: str, env: dict[str, str] | None = None, **more: Any) -> Server:
        with Path(self.home.out_file("config")).open("ab") as out:
            self.process = subprocess.Popen(
                [*role_command("config", self.home.path), *(words or ("--alone",))],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env={**os.environ, **(env or {})},
                **more,
            )
        return self

    def up(self, **more: Any) -> Server:
        self.spawn(**more)
        eventually(self.accepts, message="the config server accepts")
        self.get("/healthz")
        return self

    def accepts(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise RuntimeError(f"it ended: {self.out()}")
        with contextlib.suppress(OSError):
            self.connect().close()
            return True
        return False

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def end(self, number: int = signal.SIGTERM) -> float:
        """Signal it; how long it took to go."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(10)
        return time.monotonic() - began

    def wait(self) -> int:
        assert self.process is not None
        return self.process.wait(10)

    def out(self) -> str:
        return Path(self.home.out_file("config")).read_text()

    def close(self) -> None:
        for sock in self.socks:
            sock.close()
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    # talking to it

    def connect(self) -> socket.socket:
        sock = socket.create_connection((self.host, self.port), timeout=5)
        self.socks.append(sock)
        return sock

    def key(self) -> str:
        return Path(self.home.key_file).read_text().strip()

    def get(self, path: str, key: str | None = None, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=5)
        try:
            connection.request(method, path, headers={"X-Dash-Key": key} if key else {})
            response = connection.getresponse()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return response.status, headers, response.read()
        finally:
            connection.close()

    def raw(self, data: bytes) -> bytes:
        """Send these bytes; everything that comes back until the server closes or falls silent."""
        sock = self.connect()
        sock.sendall(data)
        sock.settimeout(1)
        found = b""
        with contextlib.suppress(OSError):
            while more := sock.recv(65536):
                found += more
        return found

    def switches(self) -> int:
        text = Path(f"/proc/{self.pid}/status").read_text()
        return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("voluntary_ctxt"))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    one = Server(tmp_path / "home")
    yield one
    one.close()


# its start


@pytest.mark.parametrize(("host", "shown"), [("127.0.0.2", "127.0.0.2"), ("::1", "[::1]"), ("localhost", "127.0.0.1")])
def test_it_listens_on_the_host_of_the_settings(tmp_path: Path, host: str, shown: str) -> None:
    server = Server(tmp_path / "home", host)
    try:
        server.up()
        eventually(lambda: f"http://{shown}:{server.port}\n" in server.out())
        assert server.get(STATUS, server.key())[0] == 200
        if host == "127.0.0.2":
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", server.port))
    finally:
        server.close()


def test_it_says_where_it_is_and_leaves_nothing_open(server: Server) -> None:
    server.up()

    assert f"config server on http://127.0.0.1:{server.port}" in server.out()
    assert Path(server.home.pid_file("config")).read_text() == f"{server.pid}\n"
    assert Path(f"/proc/{server.pid}/cmdline").read_text().startswith(f"sbctl: config server {server.home}")
    assert stat.S_IMODE(os.stat(server.home.key_file).st_mode) == 0o600
    assert server.get("/healthz")[2] == b'{"status":"ok"}'
    assert server.get(STATUS)[0] == 401
    assert server.get(STATUS, server.key())[0] == 200


def test_callers_wait_instead_of_being_turned_away_while_it_starts(server: Server) -> None:
    server.spawn()
    eventually(server.accepts)

    # It listens before it has imported what it serves with.
    assert server.get("/healthz")[0] == 200


def test_a_taken_port_is_told_with_its_holder(server: Server) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", server.port))
        holder.listen()
        code = server.spawn().wait()

    assert code == 1
    assert f"sbctl: port {server.port} on 127.0.0.1 is in use by PID {os.getpid()} (" in server.out()
    assert "Address already in use" in server.out()
    assert "Traceback" not in server.out()
    assert not os.path.exists(server.home.pid_file("config"))


@pytest.mark.parametrize("key", ["", "changeme", "passwordpassword"])
def test_a_weak_key_ends_it_with_78(server: Server, key: str) -> None:
    assert server.spawn(env={"DASHBOARD_KEY": key}).wait() == 78
    assert "sbctl: the dashboard key in the environment variable DASHBOARD_KEY is refused" in server.out()
    assert not os.path.exists(server.home.key_file)


def test_the_key_of_the_environment_counts(server: Server) -> None:
    server.up(env={"DASHBOARD_KEY": KEY})

    assert server.get(STATUS, KEY)[0] == 200


def test_without_compiled_settings_it_ends_with_78(server: Server) -> None:
    os.unlink(os.path.join(server.home.revisions, "current"))

    assert server.spawn().wait() == 78
    assert "no compiled settings" in server.out()


@pytest.mark.parametrize("delay", [0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5])
def test_a_stop_at_any_moment_of_its_start_is_obeyed(server: Server, delay: float) -> None:
    server.spawn()
    until = time.monotonic() + delay
    eventually(lambda: time.monotonic() >= until)
    took = server.end()

    assert took < 5.0  # far below what it is given before it is killed; a busy machine loads for long
    assert server.process is not None
    assert server.process.returncode in (0, -signal.SIGTERM)
    assert not os.path.exists(server.home.pid_file("config"))
    assert "Traceback" not in server.out()


# with and without `start`


def packets(sock: socket.socket) -> bytes:
    assert select.select([sock], [], [], 10)[0], "nothing came"
    return sock.recv(65536)


def test_it_tells_start_when_it_is_ready_and_goes_when_start_hangs_up(server: Server) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours:
        fd = theirs.fileno()
        server.spawn("--parent", str(os.getpid()), "--channel", str(fd), pass_fds=[fd])
        theirs.close()
        more = {"parent_signal": signal.SIGTERM, "version": __version__}
        assert json.loads(packets(ours)) == {"ready": True, "detail": f"127.0.0.1:{server.port}", **more}
        assert server.get("/healthz")[0] == 200

    assert server.wait() == 0
    assert not os.path.exists(server.home.pid_file("config"))


def test_it_goes_when_its_parent_is_killed(server: Server, tmp_path: Path) -> None:
    words = [*role_command("config", server.home.path), "--parent"]
    code = (
        "import os, subprocess, sys, signal\n"
        f"child = subprocess.Popen({words!r} + [str(os.getpid())])\n"
        "print(child.pid, flush=True)\n"
        "signal.pause()\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    try:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        eventually(lambda: os.path.exists(server.home.pid_file("config")))
        parent.kill()
        eventually(lambda: not alive(pid), 3)
    finally:
        parent.kill()
        parent.communicate()
    eventually(lambda: not os.path.exists(server.home.pid_file("config")))


def test_it_does_not_even_begin_for_a_parent_that_is_not_its_own(server: Server) -> None:
    assert server.spawn("--parent", "1").wait() == 1


def test_after_a_kill_the_next_one_has_the_port_at_once(server: Server) -> None:
    server.up()
    server.connect().sendall(HALF[2])
    kill(server.pid)
    server.wait()
    server.up()

    assert Path(server.home.pid_file("config")).read_text() == f"{server.pid}\n"


# its end


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_idle_and_half_open_connections_do_not_delay_its_end(server: Server, number: int) -> None:
    server.up()
    idle = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    idle.request("GET", "/healthz")
    idle.getresponse().read()
    for half in HALF:
        server.connect().sendall(half)
    took = server.end(number)
    idle.close()

    assert took < 0.3
    assert server.wait() == 0
    assert not os.path.exists(server.home.pid_file("config"))


def test_a_request_that_hangs_is_told_and_delays_its_end_by_a_second_at_most(server: Server) -> None:
    os.makedirs(server.home.run, mode=0o700, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(os.path.join(server.home.run, "start.sock"))
        deaf.listen()
        server.up(env={"DASHBOARD_KEY": KEY})
        request = f"GET {STATUS} HTTP/1.1\r\nHost: localhost\r\nX-Dash-Key: {KEY}\r\n\r\n"
        hanging = server.connect()
        hanging.sendall(request.encode())
        with deaf.accept()[0]:  # the question has arrived, and is not answered
            took = server.end()

        assert took < 1.3
        assert hanging.recv(65536).startswith(b"HTTP/1.1 503")
    assert "Traceback" not in server.out()


# bad neighbours


def test_a_hundred_half_open_connections_cost_nobody_an_answer(server: Server) -> None:
    server.up()
    for number in range(100):
        server.connect().sendall(HALF[number % len(HALF)])

    began = time.monotonic()
    assert server.get(STATUS, server.key())[0] == 200
    assert time.monotonic() - began < 1.0


def test_of_too_many_connections_the_idlest_make_room(server: Server) -> None:
    server.up()
    for _ in range(400):
        server.connect().sendall(HALF[2])

    assert server.get(STATUS, server.key())[0] == 200
    assert len(os.listdir(f"/proc/{server.pid}/fd")) < 250


REQUESTS = [
    (b"GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n", b"421"),
    (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", b"400"),
    (b"GET /healthz HTTP/1.1\r\n\r\n", b"400"),
    (b"GET /healthz HTTP/1.0\r\n\r\n", b"421"),
    (b"GET http://evil.example/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", b"421"),
    (b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", b"421"),
    (b"CONNECT localhost:22 HTTP/1.1\r\nHost: localhost\r\n\r\n", b"421"),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"400"),  # TLS
    (b"\x16\x03\x01\r\n\r\n", b"400"),
    (b"nonsense\r\n\r\n", b"400"),
    (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 70_000, b"400"),
    (b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n", b"400"),
    (b"POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000000\r\n\r\nx", b"405"),
    (b"POST /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n", b"400"),
    (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", b"200"),
]


@pytest.mark.parametrize(("request_bytes", "status"), REQUESTS, ids=range(len(REQUESTS)))
def test_requests_nobody_should_send(server: Server, request_bytes: bytes, status: bytes) -> None:
    server.up()
    answer = server.raw(request_bytes)

    assert answer[9:12] == status
    head = answer.partition(b"\r\n\r\n")[0].lower()
    assert b"x-content-type-options: nosniff" in head
    assert b"\nserver:" not in head
    assert server.get("/healthz")[0] == 200
    assert "Traceback" not in server.out()


def test_garbage_does_not_fill_its_log(server: Server) -> None:
    server.up()
    before = len(server.out())
    for _ in range(50):
        sock = server.connect()
        sock.sendall(b"nonsense\r\n\r\n")
        sock.close()
    assert server.get("/healthz")[0] == 200

    assert server.out()[before:] == ""


def test_pipelined_requests_are_all_answered(server: Server) -> None:
    server.up()
    answer = server.raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 20)

    assert answer.count(b'{"status":"ok"}') == 20


def test_requests_on_one_connection_do_not_wait_for_acknowledgements(server: Server) -> None:
    server.up()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    began = time.monotonic()
    for _ in range(50):
        connection.request("GET", "/healthz")
        connection.getresponse().read()
    took = time.monotonic() - began
    connection.close()

    assert took < 1.0  # 40 ms each, were they to wait


def test_head_has_no_body(server: Server) -> None:
    server.up()
    answer = server.raw(b"HEAD /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"\r\n\r\n")


def test_the_key_shows_nowhere(server: Server) -> None:
    server.up(env={"DASHBOARD_KEY": KEY})
    server.get(f"{STATUS}?key={KEY}")
    server.get(STATUS, KEY)
    server.get(STATUS, KEY + "x")

    assert KEY not in server.out()
    assert KEY not in Path(f"/proc/{server.pid}/cmdline").read_text()


def test_wrong_keys_are_slowed_and_the_right_one_works(server: Server) -> None:
    server.up()
    answers = [server.get(STATUS, f"wrong-{number}")[0] for number in range(20)]
    began = time.monotonic()
    slowed = server.get(STATUS, "wrong")[0]

    assert (set(answers), slowed) == ({401}, 429)
    assert time.monotonic() - began > 0.9
    assert server.get(STATUS, server.key())[0] == 200
    assert server.out().count("wrong keys") == 1


# what it shows, and what it costs


def test_it_shows_what_the_daemons_say(server: Server) -> None:
    os.makedirs(server.home.run, mode=0o700, exist_ok=True)
    with FakeDaemon(server.home, "start", [row("scheduler")]), FakeDaemon(server.home, "scheduler", [row("web")]):
        server.up()
        code, headers, body = server.get(STATUS, server.key())

    assert (code, headers["content-type"]) == (200, "application/json")
    assert [service["name"] for service in json.loads(body)["services"]] == ["scheduler", "web"]


def test_idle_it_sleeps(server: Server) -> None:
    server.up()
    idle = server.connect()
    idle.sendall(HALF[2])
    settled = time.monotonic() + 0.5
    eventually(lambda: time.monotonic() >= settled)
    before = server.switches()
    until = time.monotonic() + 2.0
    eventually(lambda: time.monotonic() >= until)

    assert server.switches() - before <= 2


def test_it_stays_small(server: Server) -> None:
    server.up()
    for _ in range(200):
        server.get(STATUS, server.key())
    rollup = Path(f"/proc/{server.pid}/smaps_rollup").read_text()
    kilobytes = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))

    assert kilobytes < 50 * 1024
