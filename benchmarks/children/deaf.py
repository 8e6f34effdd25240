"""A server that only SIGKILL ends; used where nothing can compile c/deaf.c."""

import signal

for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
    signal.signal(number, signal.SIG_IGN)
while True:
    signal.pause()
