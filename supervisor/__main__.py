"""`python -m supervisor`, or this file by its path: Python compiles it anew each time, so all else is in `roles`."""

import _signal  # type: ignore[import-not-found]  # `signal` itself loads enum
import sys

if sys.argv[1:2] == ["--role"] and _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
    # A Ctrl-C before a daemon has its own handlers ends it as any program, not by a traceback.
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)

if __package__ in (None, ""):  # run as a file, with -I -S: nothing is on the path yet
    sys.path[0:0] = [__file__.rpartition("/")[0].rpartition("/")[0] or "/"]

from supervisor.roles import main

if __name__ == "__main__":
    sys.exit(main())
