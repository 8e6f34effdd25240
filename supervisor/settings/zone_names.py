"""Names of time zones, as people write them."""

from __future__ import annotations

from supervisor.base import zones

_UNKNOWN = "not a time zone that is known here"


def machine_zone_problem() -> tuple[str, str] | None:
    """Why the machine's own zone, which counts where none is named, is not known; all goes by UTC then."""
    try:
        zones.name_of_machine()
    except zones.UnknownZone as error:
        return f"the zone of this machine is not known ({error}): all goes by UTC", "write a timezone into the file"
    return None


def zone_problem(name: str) -> tuple[str, str] | None:
    """What is wrong with a name and what to do about it; None: there is such a zone."""
    try:
        zones.zone(name)
    except zones.UnknownZone as error:
        if error.why.startswith("there is no such zone"):
            return _UNKNOWN, "write a name like UTC or Europe/Berlin"
        return (
            f"{_UNKNOWN}: {error.why}",
            "install the time zones of the system (Debian: apt install tzdata), or write UTC",
        )
    except ValueError:
        return _UNKNOWN, "write a name like UTC or Europe/Berlin"
    return None
