"""Runs tests whose ids come in on stdin, and tells of them by packets of subunit version 2 on stdout.

An id is a line; in it `\\n` and `\\r` are ends of lines and `\\\\` is a backslash. An empty line is the end, and so is
the end of the input. Packets that belong to no test and have a file `subunit-worker.json` say what the worker can do
(`{"protocol": 1, ...}`, the first packet), and that it needs to know the next id before it goes on
(`{"wants": "next"}`).
"""
import faulthandler
import io
import json
import os
import queue
import signal
import struct
import sys
import threading
import time
import zlib

TEXT = b"text/plain;charset=utf8"
STATUSES = {None: 0, "exists": 1, "inprogress": 2, "success": 3, "uxsuccess": 4, "skip": 5, "fail": 6, "xfail": 7}
PIECE = 1 << 20

# What tests read and write is not what the runner says and hears.
PID = os.getpid()
INPUT = os.dup(0)
CHANNEL = os.dup(1)
ERRORS = os.dup(2)
os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
os.dup2(2, 1)


def number(value):
    if value < 1 << 6:
        return struct.pack(">B", value)
    if value < 1 << 14:
        return struct.pack(">H", value | 1 << 14)
    if value < 1 << 22:
        return struct.pack(">I", value | 1 << 23)[1:]
    return struct.pack(">I", value | 3 << 30)


def text(value):
    data = value if isinstance(value, bytes) else value.encode("utf-8", "backslashreplace")
    return number(len(data)) + data


def wire(test_id):
    """The id as it is in packets."""
    return test_id.replace("\0", "\\x00").encode("utf-8", "backslashreplace")


def send(test=None, status=None, name=None, data=b"", mime=None, eof=False, tags=(), runnable=True):
    """Writes one packet. `test` is an id as it is in packets."""
    if os.getpid() != PID:
        # A fork that came out of its test.
        os._exit(70)
    now = time.time_ns()
    flags = 0x2200 | STATUSES[status] | (0x100 if runnable and test else 0) | (0x10 if eof else 0)
    body = struct.pack(">I", now // 10**9) + number(now % 10**9)
    if test:
        flags |= 0x800
        body += text(test)
    if tags:
        flags |= 0x80
        body += number(len(tags)) + b"".join(map(text, tags))
    if mime:
        flags |= 0x20
        body += text(mime)
    if name:
        flags |= 0x40
        body += text(name) + text(data)
    length = len(body) + 8
    size = next(size for size, most in ((1, 1 << 6), (2, 1 << 14), (3, 1 << 22)) if length + size < most)
    packet = struct.pack(">BH", 0xB3, flags) + number(length + size - 1) + body
    write(CHANNEL, packet + struct.pack(">I", zlib.crc32(packet)))


def write(to, data):
    view = memoryview(data)
    while view:
        view = view[os.write(to, view):]


def attach(test, name, content, mime=TEXT):
    """A whole attachment."""
    data = content if isinstance(content, bytes) else content.encode("utf-8", "backslashreplace")
    for start in range(0, max(len(data), 1), PIECE):
        send(test, name=name, data=data[start:start + PIECE], mime=mime, eof=start + PIECE >= len(data))


def say(**words):
    send(name="subunit-worker.json", data=json.dumps(words).encode(), mime=b"application/json", eof=True)


class Ids:
    """The ids that come in."""

    def __init__(self, lookahead, listed):
        self.come = queue.SimpleQueue()
        self.known = []
        threading.Thread(target=self.read, daemon=True).start()
        say(protocol=1, feed="stdin-lines", lookahead=lookahead, listed=listed)

    def read(self):
        with open(INPUT, "rb", buffering=1 << 16) as lines:
            for line in lines:
                line = line.rstrip(b"\n")
                if not line:
                    break
                if b"\\" in line:
                    kinds = {b"n": b"\n", b"r": b"\r"}
                    first, *rest = line.replace(b"\\\\", b"\\\0").split(b"\\")
                    line = first + b"".join(
                        b"\\" + part[1:] if part[:1] == b"\0" else kinds.get(part[:1], b"\\" + part[:1]) + part[1:]
                        for part in rest)
                self.come.put(line)
        self.come.put(None)

    def peek(self):
        """The next id, which stays; `None` at the end."""
        if not self.known:
            if self.come.empty():
                say(wants="next")
            self.known.append(self.come.get())
        return self.known[0]

    def take(self):
        if self.known:
            return self.known.pop() if self.known[0] is not None else None
        return self.come.get()


def watch():
    """Says where it is when it crashes, or is told to end because a test takes too long."""
    faulthandler.enable(file=ERRORS)
    if hasattr(faulthandler, "register"):
        faulthandler.register(signal.SIGTERM, file=ERRORS, all_threads=True, chain=True)


def here():
    """Modules are found from the working directory, as with `python -m`."""
    sys.path[0] = os.getcwd()


