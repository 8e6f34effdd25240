"""crash_after.py SECONDS CODE: ready, then ends with that code; -9 means: by that signal."""

import os
import sys
import time

seconds, code = float(sys.argv[1]), int(sys.argv[2])
print("ready", flush=True)
time.sleep(seconds)
print(f"ending with {code}", file=sys.stderr, flush=True)
if code < 0:
    os.kill(os.getpid(), -code)
sys.exit(code)
