"""One process group of the pipeline: started, signalled, and seen to be gone.

A role may be a shell that starts others, so everything here is done to the whole group. Knows
nothing of why a role should run or not.
"""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from harness.clock import wait_until
from harness.errors import PipelineError

GONE_S = 5.0
"""After SIGKILL a group is gone within this, or something is very wrong."""
COURTESY = 5
"""How much nicer than we a role is: where cores are few the servers come first, as if they stood
on machines of their own, and a node that comes back need not wait for the load to let it boot."""
_TAIL_BYTES = 4096


class RoleProcess:
    """One life of one role instance; a group leader of its own session."""

    def __init__(
        self, argv: Sequence[str], *, cwd: Path, environment: Mapping[str, str], output: Path
    ) -> None:
        """Start it; PipelineError if the command cannot be started at all."""
        self._name = output.stem
        with output.open("ab") as log:
            try:
                self._popen = subprocess.Popen(
                    list(argv),
                    cwd=cwd,
                    env=dict(environment),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as error:
                raise _cannot_start(self._name, argv, cwd, error) from error
        self.pid = self._popen.pid
        with suppress(ProcessLookupError):  # it has ended already
            nice = os.getpriority(os.PRIO_PROCESS, 0)
            os.setpriority(os.PRIO_PROCESS, self.pid, nice + COURTESY)

    def exit_code(self) -> int | None:
        """Return how the leader ended (negative: by that signal), or None while it runs."""
        return self._popen.poll()

    def signal_group(self, number: signal.Signals) -> None:
        """Send a signal to every process of the group; none left is no error."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def kill(self) -> int:
        """SIGKILL the group; return the leader's exit code when no process of it is left."""
        self.signal_group(signal.SIGKILL)
        wait_until(
            lambda: self._popen.poll() is not None and not self.members(),
            deadline_s=GONE_S,
            describe=f"{self._name} (process group {self.pid}) to be gone after SIGKILL",
            last_seen=lambda: self.members() or f"leader {self.pid} not reaped",
            poll_s=0.005,
        )
        return self._popen.wait()

    def pause(self) -> None:
        """SIGSTOP the group; return when the kernel says that each process of it is stopped."""
        self.signal_group(signal.SIGSTOP)
        wait_until(
            lambda: all(_status(pid) == psutil.STATUS_STOPPED for pid in self.members()),
            deadline_s=GONE_S,
            describe=f"{self._name} (process group {self.pid}) to stop",
            last_seen=lambda: {pid: _status(pid) for pid in self.members()},
            poll_s=0.002,
        )

    def stopped(self) -> tuple[int, ...]:
        """Return the processes of the group that the kernel says are stopped."""
        return tuple(pid for pid in self.members() if _status(pid) == psutil.STATUS_STOPPED)

    def resume(self) -> None:
        """SIGCONT the group."""
        self.signal_group(signal.SIGCONT)

    def members(self) -> list[int]:
        """Return the living processes of the group; zombies are dead."""
        try:
            os.killpg(self.pid, 0)
        except ProcessLookupError:
            return []
        except PermissionError:
            pass  # macOS says so of a group of zombies; the listing below tells
        return [
            pid
            for pid in psutil.pids()
            if _group(pid) == self.pid and _status(pid) not in (psutil.STATUS_ZOMBIE, None)
        ]


def tail(path: Path, *, lines: int = 20) -> str:
    """Return the last lines of what a role printed."""
    if not path.exists():
        return ""
    with path.open("rb") as log:
        log.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        text = log.read().decode("utf-8", "replace")
    return "\n".join(text.splitlines()[-lines:])


def _group(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except (ProcessLookupError, PermissionError):
        return None


def _status(pid: int) -> str | None:
    try:
        return str(psutil.Process(pid).status())
    except psutil.NoSuchProcess:
        return None


def _cannot_start(name: str, argv: Sequence[str], cwd: Path, error: OSError) -> PipelineError:
    if not cwd.is_dir():
        remedy = "correct its cwd in the pipeline.toml: there is no such folder"
    elif isinstance(error, FileNotFoundError):
        remedy = (
            f"install {argv[0]}, put it on PATH, or write ./{argv[0]} if it lies in that folder"
        )
    elif isinstance(error, PermissionError):
        remedy = f"make {argv[0]} executable (chmod +x)"
    else:
        remedy = "a script needs an interpreter line (#!) or its interpreter in the command"
    return PipelineError(
        f"{name} cannot be started: {error.strerror}: {' '.join(argv)} (in {cwd})", remedy=remedy
    )
