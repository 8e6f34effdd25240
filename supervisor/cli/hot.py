"""What `bin/sbctl` runs, with `python -I -S`: a file that Python compiles anew each time, so all else is beside it."""

# Without `from __future__ import annotations`: it is searched for, and a Ctrl-C meanwhile would leave a traceback.
import _signal  # type: ignore[import-not-found]  # it is built in, so its import takes no time

if __name__ == "__main__" and _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)  # until main() can end in good order

import sys

sys.path.insert(0, __file__.rsplit("/", 3)[0] or "/")

from supervisor.cli.hot_verbs import run

if __name__ == "__main__":
    run(sys.argv[1:])
