"""ignore_term.py: hears every polite signal, says so, and stays."""

import os
import signal

for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
    signal.signal(number, lambda got, _: os.write(1, f"ignored {signal.Signals(got).name}\n".encode()))
print("ready", flush=True)
while True:
    signal.pause()
