"""Stands in for systemd: prints each message that comes to the Unix socket, with the time, as a line of JSON."""
import json
import socket
import sys
import time

listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(sys.argv[1])
print("listening", flush=True)
while True:
    lines = listener.recv(65536).decode().splitlines()
    variables = dict(line.split("=", 1) for line in lines if "=" in line)
    # Its descriptor is closed already, which is the answer.
    if "BARRIER" in variables:
        continue
    print(json.dumps({"at": time.monotonic() * 1000, "variables": variables}), flush=True)
