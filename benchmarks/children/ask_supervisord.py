"""ask_supervisord.py SOCKET TIMES: asks for all processes over one connection; prints what each answer took, ms."""

import http.client
import json
import socket
import sys
import time
import xmlrpc.client


class ToSocket(http.client.HTTPConnection):
    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(sys.argv[1])


class Transport(xmlrpc.client.Transport):
    """It keeps its connection from one request to the next."""

    made: ToSocket | None = None

    def make_connection(self, host: object) -> http.client.HTTPConnection:
        self.made = self.made or ToSocket("localhost")
        return self.made


server = xmlrpc.client.ServerProxy("http://localhost/RPC2", transport=Transport())
took = []
for _ in range(int(sys.argv[2])):
    began = time.perf_counter()
    server.supervisor.getAllProcessInfo()
    took.append((time.perf_counter() - began) * 1000)
print(json.dumps(took))
