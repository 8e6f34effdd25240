"""grandchild.py [SECONDS [deaf]]: leaves a helper in its process group, which outlives it.

Says `helper PID`, then `ready`; ends after SECONDS (default: never) with code 3. A deaf helper
ignores SIGTERM.
"""

import os
import signal
import sys
import time

seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 0.0
helper = os.fork()
if helper == 0:
    if "deaf" in sys.argv[2:]:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        signal.pause()
print(f"helper {helper}", flush=True)
print("ready", flush=True)
if seconds:
    time.sleep(seconds)
    sys.exit(3)
while True:
    signal.pause()
