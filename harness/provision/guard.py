"""Runs one command so that nothing of it outlives the process that asked for it.

Started as a script, `python guard.py argv…`. It holds the reading end of a pipe as its standard
input; when the other end is gone, by intention or by SIGKILL, the command's whole process group is.
SIGTERM is passed on to the command.
"""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress


def main(argv: list[str]) -> int:
    """Run `argv` in a process group of its own and return how it ended, as a shell would."""
    child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, start_new_session=True)
    signal.signal(signal.SIGTERM, lambda *_: child.send_signal(signal.SIGTERM))
    threading.Thread(target=_end_with_parent, args=(child.pid,), daemon=True).start()
    code = child.wait()
    _kill_group(child.pid)
    return code if code >= 0 else 128 - code


def _end_with_parent(group: int) -> None:
    while os.read(0, 1):
        pass
    _kill_group(group)


def _kill_group(group: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
