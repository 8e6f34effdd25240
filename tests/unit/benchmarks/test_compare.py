"""Is a figure worse than the kept one? By its ratio to the others of its run, never by seconds."""

from __future__ import annotations

import pytest
from support.figures import RUN, figure, kept

from benchmarks.compare import DISTURBED, GONE, OK, WORSE, WRONG, Finding, best_of, compare, grain, table
from benchmarks.report import Figure
from benchmarks.results import Results


def only(old: Figure, new: Figure, *, bare_python_ms: float = 9.8) -> Finding:
    then = kept(old)
    now = Results([new], {RUN: {**then.runs[RUN], "bare_python_ms": bare_python_ms}})
    (finding,) = compare(then, now, 0.25).findings
    return finding


def restart(ours: float, limit: float = 1.0, **more: float) -> Figure:
    return figure("restart.100", {"sbctl": ours, **more, "limit, C": limit}, unit="ms")


def test_what_is_as_it_was_is_fine() -> None:
    assert only(restart(2.0), restart(2.0)).verdict == OK


def test_a_slower_machine_makes_nobody_worse() -> None:
    finding = only(restart(2.0), restart(6.0, limit=3.0))

    assert finding.verdict == OK
    assert finding.change == pytest.approx(1.0)
    assert finding.others == pytest.approx(3.0)


def test_ours_slower_by_more_than_the_slack_is_worse() -> None:
    assert only(restart(2.0), restart(2.45)).verdict == OK
    finding = only(restart(2.0), restart(2.8))

    assert finding.verdict == WORSE
    assert finding.change == pytest.approx(1.4)


def test_a_faster_machine_hides_nothing() -> None:
    """The same seconds as before, where everybody else needs half of theirs."""
    assert only(restart(20.0), restart(20.0, limit=0.5)).verdict == WORSE


def test_the_limits_say_more_of_the_machine_than_peers_who_sleep() -> None:
    """s6 waits a second before each restart, on any machine."""
    finding = only(restart(2.0, s6=1000.0), restart(4.0, limit=2.0, s6=1000.0))

    assert (finding.verdict, finding.whose) == (OK, "1 limit")


def test_of_several_limits_the_median_counts() -> None:
    def with_limits(ours: float, *limits: float) -> Figure:
        return figure("start.100", {"sbctl": ours} | {f"limit, {n}": each for n, each in enumerate(limits)})

    finding = only(with_limits(1.0, 1.0, 1.0, 1.0), with_limits(1.0, 1.0, 9.0, 1.1))

    assert finding.others == pytest.approx(1.1)
    assert finding.whose == "3 limits"


def test_without_a_limit_the_peers_say_how_fast_the_machine_is() -> None:
    old = figure("status.100", {"sbctl": 15.0, "supervisord": 88.0}, unit="ms")

    assert only(old, figure("status.100", {"sbctl": 30.0, "supervisord": 176.0}, unit="ms")).verdict == OK
    assert only(old, figure("status.100", {"sbctl": 30.0, "supervisord": 88.0}, unit="ms")).verdict == WORSE


def test_without_anybody_the_start_of_a_bare_python_says_it() -> None:
    old, new = figure("adopt.100", {"sbctl": 0.1}), figure("adopt.100", {"sbctl": 0.2})

    assert only(old, new, bare_python_ms=19.6).verdict == OK
    finding = only(old, new)
    assert (finding.verdict, finding.whose) == (WORSE, "bare Python")


def test_who_is_not_there_now_says_nothing() -> None:
    old = figure("start.100", {"sbctl": 0.25, "limit, C": 0.05, "limit, Python": 0.07})
    new = figure("start.100", {"sbctl": 0.5, "limit, Python": 0.14})

    finding = only(old, new)

    assert (finding.verdict, finding.whose) == (OK, "1 limit")


def test_where_more_is_better_less_is_worse() -> None:
    def captured(ours: float, limit: float) -> Figure:
        return figure("logs.speed.1", {"sbctl": ours, "limit, Python": limit}, unit="MB/s", better="more")

    assert only(captured(1000.0, 1000.0), captured(500.0, 500.0)).verdict == OK
    assert only(captured(1000.0, 1000.0), captured(2000.0, 1000.0)).verdict == OK
    finding = only(captured(1000.0, 1000.0), captured(600.0, 900.0))
    assert finding.verdict == WORSE
    assert finding.change == pytest.approx(1.5)


def test_memory_is_the_same_on_any_machine() -> None:
    old = figure("idle.100.pss", {"sbctl start": 10.0, "limit, C": 0.1}, unit="MiB PSS")
    new = figure("idle.100.pss", {"sbctl start": 14.0, "limit, C": 0.3}, unit="MiB PSS")

    finding = only(old, new, bare_python_ms=99.0)

    assert (finding.verdict, finding.whose) == (WORSE, "")
    assert finding.change == pytest.approx(1.4)


@pytest.mark.parametrize(
    ("unit", "was", "now", "verdict"),
    [
        ("a minute", 1.0, 5.0, OK),  # a heartbeat fell into it
        ("a minute", 1.0, 60.0, WORSE),
        ("a minute", 0.0, 3.0, OK),
        ("a minute", 0.0, 30.0, WORSE),
        ("s a minute", 0.001, 0.005, OK),
        ("s a minute", 0.001, 0.05, WORSE),
        ("ms", 0.05, 0.09, OK),
        ("ms", 0.445, 0.58, WORSE),  # a status over an open connection
        ("s", 0.0037, 0.0055, OK),
        ("s", 0.012, 0.0157, WORSE),  # a stop of 100
        ("x", 1.0, 1.3, WORSE),
    ],
)
def test_what_a_clock_or_a_heartbeat_decides_is_no_difference(unit: str, was: float, now: float, verdict: str) -> None:
    assert only(figure("one", {"sbctl": was}, unit=unit), figure("one", {"sbctl": now}, unit=unit)).verdict == verdict


def deaf(ours: float, limit: float = 1.007, *, waits: float = 1.0) -> Figure:
    made = figure("deaf.100", {"sbctl": ours, "limit, C": limit})
    made.waits = waits
    return made


@pytest.mark.parametrize(
    ("was", "now", "verdict"),
    [
        (1.03, 1.045, OK),  # a timer
        (1.007, 1.025, OK),
        (1.03, 1.055, WORSE),
        (1.03, 1.28, WORSE),  # a quarter of all, but more than nine times what comes after the grace
        (1.17, 1.2, OK),
        (1.17, 1.23, WORSE),
        (1.3, 1.02, OK),
        (0.999, 1.01, OK),
    ],
)
def test_what_comes_after_a_wait_is_compared_without_it(was: float, now: float, verdict: str) -> None:
    assert only(deaf(was), deaf(now)).verdict == verdict


def test_a_wait_is_known_though_what_is_kept_does_not_say_it() -> None:
    finding = only(deaf(1.03, waits=0.0), deaf(1.28))

    assert finding.verdict == WORSE
    assert finding.change == pytest.approx(0.28 / 0.03)
    cells = table([finding])[1].split()
    assert cells[:6] == ["deaf.100", "sbctl", "0.03", "s", "after", "1"]
    assert cells[6] == "0.28"


def test_what_the_others_take_after_a_wait_says_something_where_it_is_more_than_a_grain() -> None:
    assert only(deaf(1.1, limit=1.05), deaf(1.15, limit=1.08)).verdict == OK
    excused = only(deaf(1.1, limit=1.004), deaf(1.15, limit=1.012))

    assert (excused.verdict, excused.whose) == (WORSE, "bare Python")


def test_lost_or_gone_after_a_wait_is_told_as_ever() -> None:
    gone = figure("deaf.100", {"limit, C": 1.007})
    gone.waits = 1.0

    assert only(deaf(1.03), gone).verdict == GONE


@pytest.mark.parametrize(("unit", "least"), [("s", 0.002), ("ms late, of the median slot", 0.05), ("MB/s", 0.0)])
def test_the_least_difference_is_by_the_unit(unit: str, least: float) -> None:
    assert grain(unit) == least


def test_what_lost_data_is_wrong_however_fast() -> None:
    new = Figure("The figure adopt.100", "s", key="adopt.100")
    new.run = RUN
    new.add("sbctl", [0.01], wrong="servers were lost")

    finding = only(figure("adopt.100", {"sbctl": 0.1}), new)

    assert (finding.verdict, finding.why) == (WRONG, "servers were lost")


def test_what_gives_no_value_any_more_is_told() -> None:
    new = Figure("The figure adopt.100", "s", key="adopt.100")
    new.run = RUN
    new.add("sbctl", [], note="not measured: not within 20 s")

    assert only(figure("adopt.100", {"sbctl": 0.1}), new).verdict == GONE
    assert only(figure("adopt.100", {"sbctl": 0.1}), figure("adopt.100", {"circus": 1.0})).verdict == GONE


def test_figures_that_only_one_of_both_has_are_named() -> None:
    then = kept(figure("start.100", {"sbctl": 1.0}), figure("start.500", {"sbctl": 1.0}))
    now = kept(figure("start.100", {"sbctl": 1.0}), figure("start.10", {"sbctl": 1.0}))

    found = compare(then, now, 0.25)

    assert found.missing == ["start.500"]
    assert found.new == ["start.10"]
    assert [finding.key for finding in found.findings] == ["start.100"]


def test_a_row_that_is_not_kept_is_named() -> None:
    then = kept(figure("growth.services", {"sbctl, start": 1.9}))
    now = kept(figure("growth.services", {"sbctl, start": 1.9, "sbctl, stop": 2.0, "limit, C": 2.0}))

    assert compare(then, now, 0.25).new == ["growth.services, sbctl, stop"]


def test_peers_may_get_as_slow_as_they_like() -> None:
    old = figure("start.100", {"sbctl": 0.25, "circus": 0.5, "limit, C": 0.05})
    new = figure("start.100", {"sbctl": 0.25, "circus": 50.0, "limit, C": 0.05})

    assert [finding.row for finding in compare(kept(old), kept(new), 0.25).findings] == ["sbctl"]


def test_the_best_of_several_tries_counts() -> None:
    tries = [only(restart(20.0), restart(ours)) for ours in (40.0, 21.0, 30.0)]

    assert best_of(tries).verdict == OK
    assert best_of(tries).now == 21.0
    assert best_of([tries[0], tries[2]]).now == 30.0


def test_what_was_wrong_once_is_no_noise() -> None:
    fine = only(restart(2.0), restart(2.0))

    assert best_of([fine._replace(verdict=WRONG), fine]).verdict == WRONG


def test_the_table_says_what_and_by_how_much() -> None:
    lines = table([only(restart(2.0), restart(6.0, limit=1.5))])

    assert lines[0].split()[:4] == ["figure", "row", "was", "is"]
    assert lines[1].split() == ["restart.100", "sbctl", "2", "ms", "6", "1.5x", "(1", "limit)", "2x", "WORSE"]


# others that were disturbed


@pytest.mark.parametrize(
    ("ours", "limit", "calm"),
    [
        (26.0, 1.0, True),
        (26.0, 1.5, True),
        (24.0, 0.7, True),
        (26.0, 7.2, False),  # as good as a quarter of what it was, but for the limit a third worse
        (24.0, 0.6, False),  # twice as bad, but for the limit fine
        (20.0, 7.2, True),  # fine with it and without
        (50.0, 0.6, True),  # worse with it and without
    ],
)
def test_limits_that_moved_much_were_disturbed_where_all_hangs_on_them(ours: float, limit: float, calm: bool) -> None:
    assert only(restart(20.0), restart(ours, limit=limit)).is_calm is calm


def test_a_try_whose_limits_were_disturbed_is_not_the_best() -> None:
    """Ours a third slower each time; once the limit was 7.2 times slower, which made ours look good."""
    tries = [only(restart(20.0), restart(ours, limit=limit)) for ours, limit in ((26.6, 1.0), (27.0, 7.2))]

    assert tries[1].verdict == OK
    assert best_of(tries).verdict == WORSE
    assert best_of(tries).now == 26.6


def test_with_disturbed_tries_only_nobody_can_tell() -> None:
    disturbed = only(restart(20.0), restart(27.0, limit=7.2))

    found = best_of([disturbed, only(restart(20.0), restart(40.0, limit=2.0))])

    assert found.verdict == DISTURBED
    assert table([found])[1].endswith("disturbed: cannot tell")
    assert best_of([disturbed, only(restart(20.0), restart(21.0))]).verdict == OK


def test_what_gave_no_value_is_no_calm_try() -> None:
    gone = only(restart(20.0), figure("restart.100", {"limit, C": 1.0}, unit="ms"))

    assert best_of([gone, only(restart(20.0), restart(27.0, limit=7.2))]).verdict == DISTURBED
    assert best_of([gone]).verdict == GONE


def test_less_than_a_grain_needs_no_calm_others() -> None:
    """Processor time of peers that are idle moves by several times, by the clock's tick alone."""
    old = figure("idle.100.cpu", {"sbctl": 0.003, "supervisord": 0.01}, unit="s a minute")
    new = figure("idle.100.cpu", {"sbctl": 0.005, "supervisord": 0.03}, unit="s a minute")

    assert only(old, new).is_calm
    assert not only(old, figure("idle.100.cpu", {"sbctl": 0.015, "supervisord": 0.04}, unit="s a minute")).is_calm


def test_another_machine_is_no_disturbance_but_what_moves_beside_its_pace_is() -> None:
    then = kept(restart(20.0))
    facts = {**then.runs[RUN], "processor": "another", "bare_python_ms": 9.8 * 3}

    def is_calm(ours: float, limit: float) -> bool:
        (finding,) = compare(then, Results([restart(ours, limit=limit)], {RUN: facts}), 0.25).findings
        return finding.is_calm

    assert is_calm(60.0, 3.0)
    assert is_calm(80.0, 3.0)
    assert not is_calm(60.0, 1.0)
    assert not is_calm(80.0, 7.2)
