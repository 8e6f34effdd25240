"""slow_clients.py PORT COUNT: so many HTTP clients that never come to an end of their request.

A third is silent, a third stays in the midst of its head, a third goes on by a byte each twentieth of a second. Says
`ready` once all are connected; whoever is let go is not replaced.
"""

import socket
import sys
import time

port, count = int(sys.argv[1]), int(sys.argv[2])
clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
for client in clients[1::3]:
    client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
print("ready", flush=True)
slow = clients[2::3]
for client in slow:
    client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
while True:
    for client in list(slow):
        try:
            client.sendall(b"x")
        except OSError:
            slow.remove(client)
    time.sleep(0.05)
