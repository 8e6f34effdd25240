"""answers.py PORT: a small HTTP server, for those that ask how somebody is."""

import socket
import sys

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"

with socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=200) as server:
    while True:
        connection, _ = server.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(ANSWER)
