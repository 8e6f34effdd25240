"""One execution of a schedule's steps: what its states and causes are called, in the database as in every answer."""

from __future__ import annotations

import enum


class RunState(enum.StrEnum):
    """Of a run. All but the first three are ends."""

    QUEUED = "queued"  # claimed, and waits for another run, its turn in a group, or the time to try again
    CLAIMED = "claimed"  # it is about to start
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"  # a step ended badly, and no try is left
    REJECTED = "rejected"  # a gate on its data or its quality said no; rolled back, not pushed
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"  # by a person, or by the next slot (cancelOther, killOther)
    INTERRUPTED = "interrupted"  # sbctl was stopped in the middle of it
    LOST = "lost"  # the box or `start` died in the middle of it, and nobody knows its end


LIVE = (RunState.QUEUED, RunState.CLAIMED, RunState.RUNNING)
BAD = (RunState.FAILED, RunState.REJECTED, RunState.TIMED_OUT)  # what counts as a failure for the breaker


class Trigger(enum.StrEnum):
    """Why there is a run."""

    SCHEDULE = "schedule"
    CATCH_UP = "catch_up"
    MANUAL = "manual"
    RETRY = "retry"  # of an ended run, by a person
    AFTER = "after"  # another schedule
    RERUN = "rerun"  # what was interrupted


BY_HAND = (Trigger.MANUAL, Trigger.RETRY)


class Skip(enum.StrEnum):
    """Why a slot did not run."""

    DISABLED = "disabled"
    PAUSED = "paused"
    ACTIVE_HOURS = "active_hours"
    BLACKOUT = "blackout"
    COOLDOWN = "cooldown"
    UNREACHABLE = "unreachable"
    SAFETY = "safety"
    OVERLAP = "overlap"
    GROUP = "group"
    MISSED = "missed"
    WINDOW = "window"  # missed too long ago, or more of them than are made up for
    LEDGER = "ledger"  # its claim could not be made durable, and it must be
    CLOCK = "clock"  # the wall clock was set over it
    EDITED = "edited"  # the schedule has been changed, or removed, while it waited
    NOT_STARTED = "not_started"  # it waited too long for its turn
