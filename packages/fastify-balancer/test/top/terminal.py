"""Runs a command on a terminal of its own: `COLUMNSxROWS COMMAND…`. What it writes goes to standard output.

Lines of standard input are orders: `size COLUMNSxROWS`, or `keys` and a text in JSON.
"""
import fcntl
import json
import os
import pty
import select
import signal
import struct
import sys
import termios


def size(text):
    columns, rows = map(int, text.split("x"))
    return struct.pack("HHHH", rows, columns, 0, 0)


child, terminal = pty.fork()
if child == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, size(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])
orders = b""
inputs = [terminal, 0]
while True:
    ready, _, _ = select.select(inputs, [], [])
    if terminal in ready:
        try:
            data = os.read(terminal, 65536)
        except OSError:
            break
        if not data:
            break
        os.write(1, data)
    if 0 in ready:
        data = os.read(0, 65536)
        if not data:
            inputs.remove(0)
        orders += data
        *lines, orders = orders.split(b"\n")
        for line in lines:
            what, rest = line.decode().split(" ", 1)
            if what == "size":
                fcntl.ioctl(terminal, termios.TIOCSWINSZ, size(rest))
                os.kill(child, signal.SIGWINCH)
            else:
                os.write(terminal, json.loads(rest).encode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
