"""Runs commands in one process group, and ends all of them when its input ends: group.py FOLDER SECONDS COMMAND…

Each command is a JSON list. Their process ids are told on a line. The folder is removed with them.
"""

import json
import os
import select
import shutil
import signal
import subprocess
import sys

folder, seconds, *commands = sys.argv[1:]


def others():
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            if int(name) != os.getpid() and os.getpgid(int(name)) == os.getpgrp():
                yield int(name)
        except ProcessLookupError:
            pass


children = []
with open(os.path.join(folder, "log"), "w") as log:
    for command in map(json.loads, commands):
        children.append(
            subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        )
print(*[child.pid for child in children], flush=True)
select.select([sys.stdin], [], [], float(seconds))
for _ in range(10):
    for pid in others():
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
for child in children:
    child.wait()
shutil.rmtree(folder, ignore_errors=True)
