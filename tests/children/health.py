"""health.py PORT FILE: an HTTP server that answers what FILE says: a status, or nothing for `hang`; 200 without it."""

import socket
import sys

port, path = int(sys.argv[1]), sys.argv[2]
held = []  # connections that are never answered
with socket.create_server(("127.0.0.1", port)) as server:
    print("listening", flush=True)
    while True:
        connection, _ = server.accept()
        try:
            with open(path) as file:
                status = file.read().strip()
        except FileNotFoundError:
            status = "200"
        if status == "hang":
            held.append(connection)
            continue
        with connection:
            connection.recv(65536)
            connection.sendall(f"HTTP/1.1 {status} X\r\nContent-Length: 2\r\n\r\nok".encode())
