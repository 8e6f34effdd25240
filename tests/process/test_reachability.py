"""R29: a check that must be green before a run: its server goes away, hangs, comes back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from support.ports import free_port
from support.scheduling import NOTES_ITS_SLOT, Scheduling
from support.waiting import eventually


class Site:
    """An HTTP server of the test, which can be up, down, hanging, or ill."""

    def __init__(self) -> None:
        self.port = free_port()
        self.asked = 0
        self.status = 200
        self.hangs = threading.Event()
        self._go = threading.Event()
        self._server: ThreadingHTTPServer | None = None

    def up(self) -> None:
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked += 1
                if site.hangs.is_set():
                    site._go.wait(20)
                self.send_response(site.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        class Server(ThreadingHTTPServer):
            allow_reuse_address = True
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                return  # a checker that was killed

        self._server = Server(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def down(self) -> None:
        self._go.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.down()


def prepare(desk: Scheduling, site: Site, timeout: float = 1.0) -> None:
    url = f"http://127.0.0.1:{site.port}/health"
    desk.home.scheduler["checks"] = {"site": {"http": url, "intervalSeconds": 0.2, "timeoutSeconds": timeout}}
    desk.job("job", NOTES_ITS_SLOT, intervalSeconds=1, graceSeconds=1, missedSpreadSeconds=0, check="site")


def told(desk: Scheduling) -> list[str]:
    return desk.kinds("check.")


def skipped(desk: Scheduling) -> int:
    return sum(slot["count"] for slot in desk.slots("job") if slot["reason"] == "unreachable")


def test_it_is_down_then_up_then_down(scheduling: Scheduling, site: Site) -> None:
    desk = scheduling
    prepare(desk, site)
    desk.start()
    eventually(lambda: skipped(desk) >= 1, 5)
    assert desk.started() == []
    assert told(desk) == ["check.failed"]
    [failed] = desk.events("check.failed")
    assert "site is not reachable" in failed["text"]

    site.up()
    eventually(lambda: desk.started(), 5)
    assert told(desk) == ["check.failed", "check.recovered"]

    site.down()
    count = skipped(desk)
    eventually(lambda: skipped(desk) > count, 5)
    assert told(desk) == ["check.failed", "check.recovered", "check.failed"]
    slots = [line.split()[1] for line in desk.started()]
    assert len(slots) == len(set(slots))


def test_one_that_hangs_is_not_waited_for(scheduling: Scheduling, site: Site) -> None:
    desk = scheduling
    site.hangs.set()
    site.up()
    prepare(desk, site, timeout=0.3)
    desk.job("other", NOTES_ITS_SLOT, intervalSeconds=1, missedSpreadSeconds=0)
    desk.start()

    eventually(lambda: skipped(desk) >= 1, 5)

    assert "no answer in time" in desk.events("check.failed")[0]["text"]
    assert [line for line in desk.started() if line.startswith("job ")] == []
    eventually(lambda: [line for line in desk.started() if line.startswith("other ")], 2)


def test_a_status_that_says_no(scheduling: Scheduling, site: Site) -> None:
    desk = scheduling
    site.status = 503
    site.up()
    prepare(desk, site)
    desk.start()

    eventually(lambda: skipped(desk) >= 1, 5)

    assert "503" in desk.events("check.failed")[0]["text"]
    gates = {gate["gate"]: gate for gate in desk.ask("why_schedule", name="job")["gates"]}
    shut = [gate for gate in gates.values() if not gate["open"]]
    assert [("site" in gate["reason"], "503" in gate["reason"]) for gate in shut] == [(True, True)], shut


def test_many_that_want_the_same_check_ask_once(scheduling: Scheduling, site: Site) -> None:
    desk = scheduling
    site.up()
    url = f"http://127.0.0.1:{site.port}/"
    desk.home.scheduler["checks"] = {"site": {"http": url, "intervalSeconds": 60}}
    names = [f"job{number}" for number in range(10)]
    for name in names:
        desk.job(name, "true", intervalHours=1, missedSpreadSeconds=0, check="site")
    desk.start()

    for name in names:
        desk.first(name)

    assert site.asked == 1
    assert told(desk) == []


def test_a_command_that_is_killed_with_the_scheduler_is_asked_again(scheduling: Scheduling) -> None:
    desk = scheduling
    desk.home.scheduler["checks"] = {
        "file": {"exec": "echo asked >>asked; sleep 0.3; test -e well", "intervalSeconds": 0.2, "timeoutSeconds": 2}
    }
    desk.job("job", NOTES_ITS_SLOT, intervalSeconds=1, check="file", graceSeconds=5, missedSpreadSeconds=0)
    (desk.home.path / "well").touch()
    desk.start()
    eventually(lambda: (desk.home.path / "asked").exists(), 5)

    old = desk.daemon.pid("scheduler")
    desk.daemon.kill_scheduler()
    eventually(lambda: desk.home.pid("scheduler") not in (old, None))

    eventually(lambda: desk.started(), 6)
    slots = [line.split()[1] for line in desk.started()]
    assert len(slots) == len(set(slots))
    assert desk.daemon.stop() == 0
    assert desk.home.pids() == []
