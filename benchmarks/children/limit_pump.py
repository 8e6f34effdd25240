"""Runs commands and writes what they say to files, 64 KiB at a time: what a plain Python loop reaches."""

import json
import os
import select
import sys

with open(sys.argv[1]) as settings:
    jobs = json.load(settings)

files: dict[int, int] = {}
poll = select.epoll()
for argv, path in jobs:
    read_fd, write_fd = os.pipe()
    os.set_blocking(read_fd, False)
    files[read_fd] = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.posix_spawn(argv[0], argv, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, write_fd, 1)], setsid=True)
    os.close(write_fd)
    poll.register(read_fd, select.EPOLLIN)
buffer = bytearray(65536)
view = memoryview(buffer)
while files:
    for fd, _ in poll.poll():
        count = os.readv(fd, [buffer])
        if count:
            os.write(files[fd], view[:count])
        else:
            poll.unregister(fd)
            os.close(files.pop(fd))
