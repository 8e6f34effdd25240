"""ask_circus.py ENDPOINT TIMES, for the peers' Python: as ask_supervisord.py. Names and states are all it answers."""

import json
import sys
import time

from circus.client import CircusClient

client = CircusClient(endpoint=sys.argv[1])
took = []
for _ in range(int(sys.argv[2])):
    began = time.perf_counter()
    client.call({"command": "status", "properties": {}})
    took.append((time.perf_counter() - began) * 1000)
client.stop()
print(json.dumps(took))
