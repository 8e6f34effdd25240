"""Order, and readers that fail."""

from __future__ import annotations

from typing import Any

from supervisor.events.bus import Bus
from supervisor.model.event import WARNING, Event


def test_it_makes_events_of_now(clock: Any) -> None:
    event = Bus(clock, "start").make("service.started", "x started", service="x", level=WARNING, data={"pid": 7})

    assert (event.at, event.source, event.service, event.level) == (clock.wall(), "start", "x", WARNING)
    assert event.data == {"pid": 7}


def test_it_keeps_the_source_of_an_event_of_another_process(clock: Any) -> None:
    bus, seen = Bus(clock, "start"), []
    bus.add(lambda event: seen.append(event.source))

    bus.emit(Event("tick", "tick", at=0.0, source="tunnel"))
    bus.emit(Event("tick", "tick", at=0.0))

    assert seen == ["tunnel", "start"]


def test_readers_hear_in_the_order_they_came(clock: Any) -> None:
    bus, heard = Bus(clock, "start"), []
    bus.add(lambda event: heard.append(("journal", event.text)))
    bus.add(lambda event: heard.append(("daily", event.text)))

    bus.tell("tick", "one")

    assert heard == [("journal", "one"), ("daily", "one")]


def test_an_event_out_of_a_reader_comes_after_the_one_being_read(clock: Any) -> None:
    bus, heard = Bus(clock, "start"), []

    def curious(event: Event) -> None:
        if event.text == "one":
            bus.tell("tick", "two")

    bus.add(curious)
    bus.add(lambda event: heard.append(event.text))
    bus.tell("tick", "one")

    assert heard == ["one", "two"]


def test_a_failing_reader_costs_the_others_nothing_and_is_reported_once_a_row(clock: Any) -> None:
    errors: list[BaseException] = []
    bus, heard, healthy = Bus(clock, "start", errors.append), [], [False]

    def fails(_event: Event) -> None:
        if not healthy[0]:
            raise ValueError("broken")

    bus.add(fails)
    bus.add(lambda event: heard.append(event.text))
    for text in ("one", "two"):
        bus.tell("tick", text)
    assert (heard, len(errors)) == (["one", "two"], 1)

    healthy[0] = True
    bus.tell("tick", "three")
    healthy[0] = False
    bus.tell("tick", "four")

    assert (len(heard), len(errors)) == (4, 2)


def test_a_subscriber_may_leave_while_it_is_told_and_twice(clock: Any) -> None:
    bus, heard = Bus(clock, "start"), []

    def once(event: Event) -> None:
        heard.append(event.text)
        bus.remove(once)
        bus.remove(once)

    bus.add(once)
    bus.tell("tick", "one")
    bus.tell("tick", "two")

    assert heard == ["one"]


def test_who_is_patient_hears_all_in_order_once_the_bus_has_rested(clock: Any) -> None:
    bus, heard = Bus(clock, "start"), []
    bus.add(lambda event: heard.append(("daily", event.text)), patient=True)
    bus.add(lambda event: heard.append(("journal", event.text)))

    bus.tell("tick", "one")
    bus.rest(True)
    bus.tell("tick", "two")
    bus.tell("tick", "three")
    assert heard == [("journal", "one"), ("daily", "one"), ("journal", "two"), ("journal", "three")]

    bus.rest(False)
    bus.tell("tick", "four")

    assert heard[4:] == [("daily", "two"), ("daily", "three"), ("journal", "four"), ("daily", "four")]


def test_what_is_owed_can_be_given_before_something_that_comes_after_it(clock: Any) -> None:
    bus, heard = Bus(clock, "start"), []
    bus.add(lambda event: heard.append(event.text), patient=True)
    bus.rest(True)
    bus.tell("tick", "one")

    bus.give_owed()
    heard.append("output")
    bus.tell("tick", "two")
    bus.rest(False)

    assert heard == ["one", "output", "two"]


def test_a_patient_reader_that_fails_costs_no_event_of_the_others(clock: Any) -> None:
    errors: list[BaseException] = []
    bus, heard = Bus(clock, "start", errors.append), []

    def fails(_event: Event) -> None:
        raise ValueError("broken")

    bus.add(fails, patient=True)
    bus.add(lambda event: heard.append(event.text), patient=True)
    bus.rest(True)
    bus.tell("tick", "one")
    bus.tell("tick", "two")
    bus.rest(False)

    assert heard == ["one", "two"]
    assert len(errors) == 1
    bus.remove(fails)
    bus.tell("tick", "three")
    assert heard == ["one", "two", "three"]
