"""Ends what a lab started and removes its folder: when it closes, and when its owner died.

Run as a script, `python -I warden.py FOLDER NAME`, it holds the reading end of a pipe whose other
end only the harness has. When that end is gone (SIGKILL, a crash, a closed terminal) it clears the
lab. It imports nothing of the harness, so that it starts fast and works whatever state that is in.
"""

import ctypes
import os
import select
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

MARKER = "HARNESS_LAB"
DATABASE_FOLDER = Path("postgres", "data")
DONE = b"d"
_QUIT_S = 3.0
_KILL_S = 10.0
_POLL_S = 0.02
_IPC_RMID = 0


def main(folder: str, name: str) -> int:
    """Wait for the owner's word or its end; clear the lab unless the owner said that it did."""
    for ignored in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)  # it goes when its owner goes, and not before
    if os.read(0, 1) != DONE:
        clear(Path(folder), name=name)
        if not Path(folder).exists():
            Path(f"{folder}.lock").unlink(missing_ok=True)
    return 0


def clear(folder: Path, *, name: str) -> list[int]:
    """End every process of the lab and remove its folder; return pids that would not end.

    PostgreSQL is asked first (SIGQUIT), because only it can give back its shared memory; what a
    killed one left is removed by its id.
    """
    _quit_database(folder)
    survivors = _kill_all(folder, name)
    remove_shared_memory(folder / DATABASE_FOLDER)
    _remove(folder)
    return survivors


def processes_of(folder: Path, *, name: str) -> Iterator[psutil.Process]:
    """Yield the living processes of a lab: by its mark, or by the folder its database works in.

    PostgreSQL's children overwrite their environment, so that the mark cannot be read there.
    """
    for process in psutil.process_iter():
        if process.pid != os.getpid() and _belongs(process, folder / DATABASE_FOLDER, name):
            yield process


def remove_shared_memory(data: Path) -> None:
    """Remove the SysV segment and the pid file that a killed postmaster left; idempotent."""
    pid_file = data / "postmaster.pid"
    with suppress(OSError, ValueError, IndexError):
        lines = pid_file.read_text(encoding="ascii", errors="replace").splitlines()
        creator, segment = int(lines[0]), int(lines[6].split()[1])
        if _created_by(segment, creator):
            ctypes.CDLL(None).shmctl(segment, _IPC_RMID, None)
    pid_file.unlink(missing_ok=True)


def _created_by(segment: int, creator: int) -> bool:
    """Tell whether that segment is still the postmaster's, and attached by nobody."""
    table = Path("/proc/sysvipc/shm").read_text(encoding="ascii").splitlines()
    columns = table[0].split()
    for row in table[1:]:
        entry = dict(zip(columns, map(int, row.split()), strict=False))
        if entry["shmid"] == segment:
            return entry["cpid"] == creator and entry["nattch"] == 0
    return False


def _belongs(process: psutil.Process, data: Path, name: str) -> bool:
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        if process.environ().get(MARKER) == name:
            return True
        return "postgres" in process.name() and Path(process.cwd()) == data
    except (psutil.Error, OSError):
        return False


def _quit_database(folder: Path) -> None:
    with suppress(OSError, ValueError, IndexError, psutil.Error):
        data = folder / DATABASE_FOLDER
        pid = int((data / "postmaster.pid").read_text(encoding="ascii").splitlines()[0])
        postmaster = psutil.Process(pid)
        if Path(postmaster.cwd()) != data:
            return  # its number went to somebody else
        for process in (postmaster, *postmaster.children(recursive=True)):
            process.send_signal(signal.SIGCONT)
        postmaster.send_signal(signal.SIGQUIT)
        _await_end(postmaster)


def _remove(folder: Path) -> None:
    """Remove the folder; what a dying process still wrote into it is gone by the next try."""
    end = time.monotonic() + _KILL_S
    while folder.exists() and time.monotonic() < end:
        shutil.rmtree(folder, ignore_errors=True)
        select.select([], [], [], _POLL_S if folder.exists() else 0)


def _await_end(process: psutil.Process) -> None:
    end = time.monotonic() + _QUIT_S
    while time.monotonic() < end and process.is_running():
        if process.status() == psutil.STATUS_ZOMBIE:
            return  # its parent collects it later
        select.select([], [], [], _POLL_S)


def _kill_all(folder: Path, name: str) -> list[int]:
    """Kill until a look finds nobody: a process that is just being forked is seen by the next."""
    end = time.monotonic() + _KILL_S
    while True:
        found = list(processes_of(folder, name=name))
        if not found or time.monotonic() > end:
            return [process.pid for process in found]
        for process in found:
            with suppress(psutil.Error):
                process.kill()
        select.select([], [], [], _POLL_S)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
