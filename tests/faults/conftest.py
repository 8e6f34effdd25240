"""Real daemons; see `support/daemon_fixtures.py`."""

from __future__ import annotations

from support.daemon_fixtures import daemon, scheduling

__all__ = ["daemon", "scheduling"]
