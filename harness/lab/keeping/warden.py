"""Ends what a lab started and removes its folder: when it closes, and when its owner died.

Run as a script, `python -I warden.py FOLDER NAME [LABEL]`, it holds the reading end of a pipe whose
other end only the harness has. When that end is gone (SIGKILL, a crash, a closed terminal) it
clears the lab; with a label, the containers of an engine first. It imports nothing of the harness,
so that it starts fast and works whatever state that is in.
"""

import ctypes
import os
import select
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from math import inf
from pathlib import Path

import psutil

MARKER = "HARNESS_LAB"
DATABASE_FOLDER = Path("postgres", "data")
SESSIONS = "sessions"
"""A line for each session that was adopted: its leader, and when that began; and once the leader
has ended, a line with that moment beside them."""
DONE = b"d"
_QUIT_S = 3.0
_KILL_S = 10.0
_POLL_S = 0.02
_IPC_RMID = 0
_ENGINE_S = 30
_REMOVALS = 8
_SAME_S = 1.0


def main(folder: str, name: str, label: str = "") -> int:
    """Wait for the owner's word or its end; clear the lab unless the owner said that it did."""
    for ignored in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)  # it goes when its owner goes, and not before
    if os.read(0, 1) != DONE:
        with suppress(Exception):  # whatever the engine's trouble is: the next start tries again
            if label:
                clear_engine(label)
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


def clear_engine(label: str) -> None:
    """Remove every container, with its volumes, and every network that bears a label `name=value`.

    What somebody else removes at the same moment is no error; what cannot be removed is one.
    """
    import docker  # noqa: PLC0415  # only for labs of containers, at their end

    engine = docker.from_env(timeout=_ENGINE_S)
    wanted = {"label": label}
    end = time.monotonic() + _ENGINE_S
    try:
        with ThreadPoolExecutor(_REMOVALS) as pool:
            while True:
                containers = engine.containers.list(all=True, sparse=True, filters=wanted)
                left = [
                    *(partial(each.remove, force=True, v=True) for each in containers),
                    *(each.remove for each in engine.volumes.list(filters=wanted)),
                ] or [each.remove for each in engine.networks.list(filters=wanted)]
                if not left:
                    return
                errors = [error for error in pool.map(_try, left) if error is not None]
                if errors and time.monotonic() > end:
                    raise errors[0]
    finally:
        engine.close()


def _try(remove: Callable[[], None]) -> Exception | None:
    """Remove one thing; return why it may still be there."""
    import docker.errors  # noqa: PLC0415

    gone: type[Exception] = docker.errors.NotFound
    refused: type[Exception] = docker.errors.APIError
    try:
        remove()
    except gone:
        return None
    except refused as error:
        select.select([], [], [], _POLL_S)  # its end is on the way, or an end point still open
        return error
    return None


def adopt(folder: Path, pid: int) -> None:
    """Note a session by its leader: whatever its processes do to their environment, they are found.

    A program that sets its own title may write it over its mark.
    """
    with suppress(psutil.NoSuchProcess):
        _note(folder, pid, psutil.Process(pid).create_time(), inf)


def orphan(folder: Path, pid: int) -> None:
    """Note that the leader of an adopted session has ended: what begins from now on is not its."""
    if session := _sessions(folder).get(pid):
        _note(folder, pid, session[0], time.time())


def _note(folder: Path, pid: int, began_s: float, ended_s: float) -> None:
    with (folder / SESSIONS).open("a", encoding="ascii") as sessions:
        sessions.write(f"{pid} {began_s} {ended_s}\n")


def processes_of(folder: Path, *, name: str) -> Iterator[psutil.Process]:
    """Yield the living processes of a lab: by its mark, its sessions, or its database's folder.

    PostgreSQL's children overwrite their environment, and begin sessions of their own.
    """
    sessions = _sessions(folder)
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        if _belongs(process, folder / DATABASE_FOLDER, name) or _adopted(process, sessions):
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


def _sessions(folder: Path) -> dict[int, tuple[float, float]]:
    try:
        lines = (folder / SESSIONS).read_text(encoding="ascii").splitlines()
    except OSError:
        return {}
    found = {}
    for line in lines:
        with suppress(ValueError):  # a line that a kill tore
            pid, began_s, ended_s = line.split()
            found[int(pid)] = float(began_s), float(ended_s)
    return found


def _adopted(process: psutil.Process, sessions: dict[int, tuple[float, float]]) -> bool:
    """Tell whether a process is in such a session, and its leader's number not somebody else's."""
    try:
        leader = os.getsid(process.pid)
        if leader not in sessions or process.status() == psutil.STATUS_ZOMBIE:
            return False
        began_s, ended_s = sessions[leader]
        if psutil.pid_exists(leader):
            return abs(psutil.Process(leader).create_time() - began_s) < _SAME_S
        return began_s - _SAME_S < process.create_time() < ended_s + _SAME_S
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
    sys.exit(main(*sys.argv[1:]))
