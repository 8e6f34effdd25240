"""The format of what `start` hands on to another version of itself (`daemons/handing_on.py`)."""

from __future__ import annotations

FORMAT = 1  # that is written ...
READS = (1,)  # ... and those that are understood: a new one is understood a version before it is written
