"""The command line. Imported before all of it: what may not wait until the rest is loaded."""

from __future__ import annotations

import os
import sys

FOREGROUND = "--foreground"


def hold_signals() -> None:
    """The kernel drops what the first process of a container has no handler for; a stop that is asked for while it
    begins would be lost. Held back, it is there when `start` has its handlers, and lets it through.
    """
    from signal import SIG_BLOCK, SIGPWR, SIGQUIT, SIGRTMIN, SIGTERM, pthread_sigmask

    pthread_sigmask(SIG_BLOCK, (SIGTERM, SIGQUIT, SIGPWR, SIGRTMIN + 3, SIGRTMIN + 4))


if os.getpid() == 1 and FOREGROUND in sys.argv:
    hold_signals()
