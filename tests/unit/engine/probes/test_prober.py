"""When services are asked, and what follows from their answers."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from support.fakes import FakeWorld, spec

from supervisor.core.health import in_step, offset
from supervisor.engine import view
from supervisor.engine.change import apply
from supervisor.engine.notify import Heard
from supervisor.engine.probes.prober import Prober
from supervisor.engine.service import Service
from supervisor.model.check import DEGRADE, EXEC, HTTP, LOG, RESTART, TCP, Check
from supervisor.model.service import Spec

AWAY = ("127.0.0.1", 1)


def service(name: str = "web", *, ready: Check | None = None, alive: Check | None = None) -> Spec:
    its = spec(name, wait_ready=ready is not None, start_timeout=60.0, fast_crash=1.0)
    its.ready, its.alive = ready, alive
    return its


def check(kind: str = EXEC, **values: Any) -> Check:
    return Check(kind=kind, shown=f"{kind} it", argv=("check",), **{"interval": 10.0, "timeout": 5.0, **values})


class Probed:
    """A world with a prober, where the commands of exec checks end as the test says."""

    def __init__(self, world: FakeWorld) -> None:
        self.world = world
        self.engine = world.engine
        self.prober = Prober(self.engine, lambda: 4711)
        self.asked_at: list[float] = []
        spawn = world.spawner.spawn

        def noted(key: str, *args: Any, **words: Any) -> None:
            if "/" in key:
                self.asked_at.append(world.loop.fake.time - self.began)
            spawn(key, *args, **words)

        world.spawner.spawn = noted  # type: ignore[method-assign]
        self.began = world.loop.fake.time

    def start_many(self, grace: float, between: float) -> None:
        """Forty services, one after the other."""
        self.engine.load([service(f"web-{number}", alive=check(grace=grace)) for number in range(40)])
        self.world.loop.run_soon()
        self.began = self.world.loop.fake.time
        for number in range(40):
            self.engine.spawned(f"web-{number}.1", 41 + number, 1)
            self.pass_time(between)

    def start(self, its: Spec, generation: int = 1) -> None:
        self.engine.load([its])
        self.world.loop.run_soon()
        self.engine.spawned(f"{its.name}.{generation}", 41, 1)
        self.began = self.world.loop.fake.time

    def pass_time(self, seconds: float) -> None:
        self.world.loop.pass_time(seconds)

    def jobs(self) -> list[str]:
        """Keys of commands that run now."""
        return list(self.engine.jobs._jobs)

    def answer(self, status: int = 0) -> None:
        """The oldest command under way ends so."""
        (key, *_) = self.jobs()
        self.engine.exited(key, status, True)
        self.world.loop.run_soon()

    def answer_all(self, seconds: float, status: int) -> None:
        """Each command ends a moment after it was started."""
        for _ in range(round(seconds / 0.1)):
            self.pass_time(0.1)
            while self.jobs():
                self.answer(status)


@pytest.fixture
def probed(world: FakeWorld) -> Probed:
    return Probed(world)


# readiness


def test_it_is_ready_once_it_was_well_often_enough(probed: Probed) -> None:
    probed.start(service(ready=check(successes=2)))
    probed.pass_time(0.2)
    probed.answer()
    assert probed.world.phase("web") == "starting"

    probed.pass_time(0.3)
    probed.answer()

    assert probed.world.phase("web") == "running"
    assert "service.ready" in probed.world.kinds("web")
    assert len(probed.prober) == 0


def test_it_is_asked_quickly_at_first_then_once_an_interval(probed: Probed) -> None:
    probed.start(service(ready=check(interval=2.0)))
    probed.answer_all(9.0, 256)

    gaps = [later - earlier for earlier, later in zip(probed.asked_at, probed.asked_at[1:], strict=False)]
    assert probed.asked_at[0] == pytest.approx(0.1)
    assert gaps == sorted(gaps)
    assert max(gaps) <= 2.2
    assert 6 <= len(probed.asked_at) <= 9


def test_grace_is_waited_for(probed: Probed) -> None:
    probed.start(service(ready=check(grace=3.0)))
    probed.pass_time(3.0)
    assert probed.asked_at == []

    probed.pass_time(0.2)

    assert len(probed.asked_at) == 1


def test_why_it_is_not_ready_is_shown_and_told_at_the_end(probed: Probed) -> None:
    probed.start(service(ready=check()))
    probed.pass_time(0.1)
    probed.answer(256)
    assert shown(probed) == "not ready yet: exec it failed: exit code 1"

    probed.answer_all(60.0, 256)

    assert probed.world.phase("web") == "stopping"
    assert failed(probed) == ["web: it was never ready: exec it failed: exit code 1"]
    assert probed.jobs() == []
    probed.engine.exited("web.1", 15, True)
    cause = probed.engine.services["web"].state.cause
    assert cause is not None
    assert cause.text == "not ready within 60 s: exec it failed: exit code 1"


def test_one_that_never_answers_was_never_ready_either(probed: Probed) -> None:
    probed.start(service(ready=check(timeout=90.0)))
    assert shown(probed) == "waits for its check exec it"
    probed.pass_time(60.0)

    assert failed(probed) == ["web: it was never ready: exec it has not answered"]


def test_one_that_was_well_too_seldom_is_not_ready_yet(probed: Probed) -> None:
    probed.start(service(ready=check(successes=3)))
    probed.pass_time(0.1)
    probed.answer()

    assert shown(probed) == "not ready yet: exec it is well, 1 of 3 times in a row"


def test_the_reason_goes_once_it_is_ready(probed: Probed) -> None:
    probed.start(service(ready=check()))
    probed.pass_time(0.1)
    probed.answer(256)
    probed.pass_time(1.0)
    probed.answer(0)

    assert probed.world.phase("web") == "running"
    assert shown(probed) == ""


def shown(probed: Probed) -> str:
    return str(view.rows(probed.engine)[0]["detail"])


def failed(probed: Probed) -> list[str]:
    return [event.text for event in probed.world.events if event.kind == "probe.failed"]


# liveness


def test_it_is_asked_once_an_interval_at_its_own_place(probed: Probed) -> None:
    probed.start(service(alive=check(grace=5.0)))
    probed.answer_all(60.0, 0)

    first = in_step(5.0 + offset("web", 10.0), 10.0)
    assert probed.asked_at == pytest.approx([first + 10.0 * number for number in range(len(probed.asked_at))])
    assert len(probed.asked_at) in (5, 6)


def test_those_of_one_interval_share_places(probed: Probed) -> None:
    probed.start_many(grace=0.0, between=0.013)
    probed.answer_all(30.0, 0)

    assert len(probed.asked_at) >= 2 * 40
    assert 3 * 10 < len({round(moment, 3) for moment in probed.asked_at}) <= 3 * 20 + 2


def test_the_grace_is_kept_also_where_the_nearest_place_lies_before_its_end(probed: Probed) -> None:
    probed.start_many(grace=5.1, between=0.0)
    probed.answer_all(14.0, 0)

    assert len(probed.asked_at) > 20
    assert min(probed.asked_at) >= 5.1


def test_so_many_failures_in_a_row_end_it_with_that_cause(probed: Probed) -> None:
    probed.start(service(alive=check(failures=3)))
    probed.answer_all(19.9, 256)
    assert probed.world.phase("web") == "running"

    probed.answer_all(20.0, 256)

    assert probed.world.phase("web") == "stopping"
    (event,) = [event for event in probed.world.events if event.kind == "service.unhealthy"]
    assert "exec it failed: exit code 1, 3 times in a row" in event.text
    assert event.data["failures"] == 3
    probed.engine.exited("web.1", 15, True)
    cause = probed.engine.services["web"].state.cause
    assert cause is not None
    assert (cause.kind.value, cause.text) == ("unhealthy", "exec it failed: exit code 1, 3 times in a row")


def test_a_scheduler_that_is_unwell_is_told_to_leave_its_servers(probed: Probed) -> None:
    told: list[tuple[str, str]] = []
    probed.engine.before_restart = lambda name: told.append((name, probed.world.phase(name)))
    probed.start(service(alive=check(failures=1)))
    probed.answer_all(11.0, 256)

    assert told == [("web", "running")]
    assert probed.world.phase("web") == "stopping"


def test_one_success_begins_the_count_anew(probed: Probed) -> None:
    probed.start(service(alive=check(failures=2)))
    for status in (256, 0) * 5:
        probed.answer_all(10.0, status)

    assert probed.world.phase("web") == "running"


def test_never_two_at_a_time_and_each_is_killed_at_its_limit(probed: Probed) -> None:
    probed.start(service(alive=check(interval=1.0, timeout=5.0, failures=2)))
    probed.pass_time(5.9)
    assert len(probed.asked_at) == 1
    probed.pass_time(60.0)  # it can't be killed just now: no second one beside it
    assert len(probed.asked_at) == 1
    assert ("signal", probed.jobs()[0], 9) in probed.world.spawner.asked

    probed.answer(9)
    probed.pass_time(5.5)
    probed.answer(9)

    (event,) = [event for event in probed.world.events if event.kind == "service.unhealthy"]
    assert "exec it failed: not done within 5 s, 2 times in a row" in event.text


def test_degraded_is_kept_running_and_recovers(probed: Probed) -> None:
    probed.start(service(alive=check(action=DEGRADE, failures=2, successes=2)))
    probed.answer_all(20.0, 256)
    its = probed.engine.services["web"]
    assert (probed.world.phase("web"), its.degraded) == ("running", True)
    assert shown(probed) == "exec it failed: exit code 1"
    told = [event.text for event in probed.world.events if event.kind == "service.degraded"]
    assert told == ["web: degraded: exec it failed: exit code 1, 2 times in a row"]

    probed.answer_all(10.0, 0)
    assert its.degraded
    probed.answer_all(10.0, 0)

    assert (its.degraded, shown(probed)) == (False, "")
    assert probed.world.kinds("web").count("service.degraded") == 1
    assert probed.world.kinds("web").count("service.recovered") == 1


def test_a_degraded_one_shows_what_is_wrong_now(probed: Probed) -> None:
    """The number in a row would be out of date with each answer, so it is only in the event."""
    probed.start(service(alive=check(action=DEGRADE, failures=2, successes=2)))
    probed.answer_all(20.0, 256)
    looked: list[str] = []
    probed.engine.watch(lambda: looked.append(shown(probed)))
    probed.answer_all(20.0, 256)
    assert looked == []

    probed.answer_all(20.0, 512)
    probed.answer_all(10.0, 0)

    assert looked == ["exec it failed: exit code 2"]
    assert probed.engine.services["web"].degraded
    assert probed.world.kinds("web").count("service.degraded") == 1


def test_a_degraded_one_that_is_taken_over_can_recover(probed: Probed) -> None:
    """Its predecessor has seen it fail; the count is new, the fact is not."""
    its = service(alive=check(action=DEGRADE))
    probed.start(its)
    probed.engine.degrade("web", "answered 500")
    probed.prober._leave(probed.prober._watches["web"])
    probed.engine.tell_changed(probed.engine.services["web"], probed.engine.services["web"].state.phase)

    probed.answer_all(10.0, 0)

    assert "service.recovered" in probed.world.kinds("web")


def test_what_it_says_of_itself_is_kept_while_it_is_degraded(probed: Probed) -> None:
    its = degraded(probed)
    say(probed, "STATUS=busy")
    assert shown(probed) == "exec it failed: exit code 1"

    probed.answer_all(10.0, 0)

    assert (its.degraded, shown(probed)) == (False, "busy")


def say(probed: Probed, text: str) -> None:
    heard = Heard()
    heard.add(text, 0.0)
    probed.engine.hearing.catch_up(probed.engine.services["web"], heard.as_dict(0.0))


# ends


def test_everything_is_forgotten_with_the_process(probed: Probed) -> None:
    probed.start(service(alive=check()))
    probed.pass_time(10.0)
    (key,) = probed.jobs()

    probed.engine.exited("web.1", 256, True)

    assert len(probed.prober) == 0
    assert ("drop", key) in probed.world.spawner.asked


def test_a_late_verdict_concerns_nobody(probed: Probed) -> None:
    probed.start(service(alive=check(failures=1)))
    probed.pass_time(10.0)
    watch = probed.prober._watches["web"]
    probed.engine.exited("web.1", 256, True)
    probed.pass_time(10.0)
    probed.engine.spawned("web.2", 42, 1)

    probed.prober._answered(watch, False, "failed")

    assert probed.world.phase("web") == "running"
    assert "service.unhealthy" not in probed.world.kinds("web")


def test_a_removed_service_is_not_asked_any_more(probed: Probed) -> None:
    probed.start(service(alive=check()))
    probed.engine.remove("web")
    probed.engine.exited("web.1", 15, True)
    probed.pass_time(30.0)

    assert (len(probed.prober), probed.asked_at) == (0, [])


def test_without_checks_there_is_no_timer(probed: Probed) -> None:
    probed.start(service())
    probed.start(service("other", ready=check(LOG, text="up")))
    probed.pass_time(70.0)

    assert len(probed.prober) == 0
    assert probed.asked_at == []


# other settings


def reload(probed: Probed, its: Spec, **policy: Any) -> None:
    new = Spec.from_dict(its.as_dict())
    for name, value in policy.items():
        setattr(new.policy, name, value)
    apply(probed.engine, [new])


def test_another_check_is_taken_over_at_once(probed: Probed) -> None:
    probed.start(service(alive=check(failures=30)))
    probed.answer_all(20.0, 256)
    reload(probed, service(alive=check(failures=2, interval=1.0)))
    probed.answer_all(3.0, 256)

    assert probed.world.phase("web") == "stopping"


def test_settings_that_leave_the_check_alone_leave_its_count(probed: Probed) -> None:
    its = service(alive=check(failures=3))
    probed.start(its)
    probed.answer_all(20.0, 256)
    reload(probed, its, grace=3.0)
    probed.answer_all(10.0, 256)

    assert probed.world.phase("web") == "stopping"


def degraded(probed: Probed) -> Service:
    """By a check whose command fails."""
    probed.start(service(alive=check(action=DEGRADE, failures=2)))
    probed.answer_all(20.0, 256)
    its = probed.engine.services["web"]
    assert its.degraded
    return its


def test_without_its_check_a_degraded_one_is_degraded_no_more(probed: Probed) -> None:
    """Nobody would ever find that it is well again."""
    its = degraded(probed)

    reload(probed, service())

    assert (its.degraded, shown(probed)) == (False, "")
    (event,) = [event for event in probed.world.events if event.kind == "service.recovered"]
    assert event.text == "web: degraded no more: it has no alive check now"


def test_one_that_waits_for_its_restart_is_not_said_to_have_recovered(probed: Probed) -> None:
    its = degraded(probed)
    new = service()
    new.launch.argv = ("false",)

    reload(probed, new)

    assert probed.world.phase("web") == "stopping"
    assert its.degraded
    assert "service.recovered" not in probed.world.kinds("web")


@pytest.mark.parametrize("action", [DEGRADE, RESTART])
def test_another_check_can_find_that_a_degraded_one_is_well(probed: Probed, action: str) -> None:
    its = degraded(probed)
    reload(probed, service(alive=check(action=action, successes=2, interval=1.0)))
    probed.answer_all(1.0, 0)
    assert its.degraded
    probed.answer_all(1.0, 0)

    assert (its.degraded, shown(probed)) == (False, "")
    assert probed.world.kinds("web").count("service.recovered") == 1
    probed.answer_all(5.0, 0)
    assert probed.world.kinds("web").count("service.recovered") == 1


def test_a_degraded_one_is_restarted_if_its_new_check_says_so(probed: Probed) -> None:
    degraded(probed)
    reload(probed, service(alive=check(action=RESTART, failures=2, interval=1.0)))
    probed.answer_all(1.0, 512)
    assert shown(probed) == "exec it failed: exit code 2"
    probed.answer_all(1.0, 512)

    assert probed.world.phase("web") == "stopping"
    assert "service.unhealthy" in probed.world.kinds("web")


def test_one_that_is_degraded_by_its_own_word_needs_no_check(probed: Probed) -> None:
    probed.start(service())
    probed.engine.ready("web", up=False)

    reload(probed, service(), grace=3.0)

    assert probed.engine.services["web"].degraded


# in the loop


def test_two_equal_checks_are_two_questions(probed: Probed) -> None:
    """Asked in the same way, but what follows from the answers is another thing."""
    probed.start(service(ready=check(interval=1.0), alive=check(interval=1.0)))
    probed.pass_time(0.2)
    probed.answer()
    assert probed.world.phase("web") == "running"

    probed.answer_all(6.0, 256)

    assert "service.unhealthy" in probed.world.kinds("web")


def test_the_end_of_an_answer_is_not_read_beside_the_next_question(probed: Probed, listener: socket.socket) -> None:
    host, port = listener.getsockname()
    alive = check(HTTP, host=host, port=port, interval=1.0)
    probed.start(service(alive=alive))
    first = asked(probed, listener)
    with first:
        first.sendall(b"HTTP/1.1 200 OK\r\n\r\nand so on")
        probed.world.loop.turn(0.05)
        first.setblocking(False)
        with pytest.raises(BlockingIOError):
            first.recv(1)

        with asked(probed, listener) as second:
            first.settimeout(5)
            assert first.recv(1) == b""
            second.sendall(b"HTTP/1.1 200 OK\r\n\r\nand so on")
            probed.world.loop.turn(0.05)
            probed.engine.exited("web.1", 0, True)
            second.settimeout(5)
            assert second.recv(1) == b""


def asked(probed: Probed, listener: socket.socket) -> socket.socket:
    """The server's end of the next question."""
    probed.pass_time(1.0)
    probed.world.loop.turn(0.05)
    theirs, _ = listener.accept()
    theirs.settimeout(5)
    assert theirs.recv(4096).startswith(b"GET ")
    return theirs


def test_http_and_tcp_are_asked_from_here(probed: Probed, listener: socket.socket) -> None:
    host, port = listener.getsockname()
    probed.start(service("tcp", ready=check(TCP, host=host, port=port)))
    probed.start(service("http", ready=check(HTTP, host=host, port=port)))
    probed.world.loop.pass_time(0.02)
    probed.world.loop.turn(0.05)

    assert probed.world.phase("tcp") == "running"
    assert probed.world.phase("http") == "starting"
    listener.accept()[0].close()
    listener.accept()[0].close()
    probed.pass_time(70.0)


def test_the_port_of_one_that_finds_its_own_is_asked_for(probed: Probed, listener: socket.socket) -> None:
    host, port = listener.getsockname()
    probed.prober._port = lambda: 0
    probed.start(service(ready=check(TCP, host=host, port=0)))
    probed.world.loop.pass_time(0.05)
    assert shown(probed) == "not ready yet: tcp it can't be asked: its port is not known"

    probed.prober._port = lambda: port
    probed.world.loop.pass_time(0.2)
    probed.world.loop.turn(0.05)

    assert probed.world.phase("web") == "running"


def test_the_port_that_was_found_is_named(probed: Probed) -> None:
    probed.prober._port = lambda: 39661
    alive = Check(kind=HTTP, shown="http 127.0.0.1/healthz", host="127.0.0.1", path="/healthz", action=DEGRADE)
    probed.start(service(alive=alive))
    watch = probed.prober._watches["web"]
    for _ in range(3):
        probed.prober._answered(watch, False, "did not answer")

    assert shown(probed) == "http 127.0.0.1:39661/healthz did not answer"
