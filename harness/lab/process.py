"""One server process of a lab: started, killed, paused, continued, and never left behind.

It knows signals and ports, not what the server is for.
"""

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from harness.clock import wait_until
from harness.errors import LabError
from harness.lab.audit import refuses

GONE_S = 10.0
STATE_S = 5.0
_TAIL_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """How a server is started; it runs in `folder` and writes both its streams to `log`."""

    argv: Sequence[str]
    folder: Path
    log: Path
    environment: Mapping[str, str]
    ports: tuple[int, ...]
    """Ports that refuse once it is gone."""
    user: str | None = None
    """Account to drop to, when this process is root."""
    ends_by: signal.Signals = signal.SIGTERM
    """What asks it to end in good order, but without waiting for its clients."""


class ServerProcess:
    """`Process` over a child of this process; `answers` says whether it serves."""

    def __init__(self, name: str, command: Command, *, answers: Callable[[], bool]) -> None:
        self.name = name
        self._command = command
        self._answers = answers
        self._child: subprocess.Popen[bytes] | None = None
        self._asked_to_end = False
        self._paused = False
        self._lock = threading.RLock()

    def start(self) -> None:
        """Start it; LabError if it runs already or cannot be started."""
        with self._lock:
            if self.pid() is not None:
                raise LabError(f"{self.name} runs already")
            self._asked_to_end = self._paused = False
            try:
                self._child = self._spawn()
            except OSError as error:
                raise LabError(
                    f"{self.name} could not be started: {error}",
                    remedy="`harness doctor` shows which parts were found",
                ) from error

    def kill(self) -> None:
        """SIGKILL it; returns when it is gone and its ports refuse connections."""
        with self._lock:
            self._asked_to_end = True
            child = self._child
            if child is None or child.poll() is not None:
                return
            self._kill_all(child)
            wait_until(
                lambda: refuses(self._command.ports),
                deadline_s=GONE_S,
                describe=f"the ports of {self.name} to refuse after SIGKILL",
            )

    def terminate(self) -> None:
        """Ask it to end in good order; returns at once, `pid` tells when it is gone."""
        with self._lock:
            child = self._child
            if child is None or child.poll() is not None:
                return
            self._asked_to_end = True
            child.send_signal(self._command.ends_by)

    def pause(self) -> None:
        """SIGSTOP it; returns when the kernel says it is stopped."""
        with self._lock:
            processes = self._running()
            self._paused = True
            _signal(processes, signal.SIGSTOP)
            self._await_status(processes, stopped=True)

    def resume(self) -> None:
        """SIGCONT it; no error when it does not run."""
        with self._lock:
            self._paused = False
            if self.pid() is None:
                return
            processes = self._running()
            _signal(processes, signal.SIGCONT)
            self._await_status(processes, stopped=False)

    def pid(self) -> int | None:
        """Return its process id, or None when it does not run."""
        child = self._child
        return None if child is None or child.poll() is not None else child.pid

    def exit_code(self) -> int | None:
        """Return how the last process ended (negative: by that signal), None while it runs."""
        return None if self._child is None else self._child.poll()

    def serves(self) -> bool:
        """Tell whether it answers on its port."""
        return self.pid() is not None and self._answers()

    def log_tail(self, lines: int = 20) -> str:
        """Return the last lines it wrote."""
        try:
            with self._command.log.open("rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - _TAIL_BYTES))
                text = log.read().decode(errors="replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.splitlines()[-lines:])

    def trouble(self) -> str | None:
        """Return a sentence if it died without being asked to."""
        code = self.exit_code()
        if code is None or self._asked_to_end:
            return None
        last = self.log_tail(1) or "nothing"
        return f"{self.name} died unasked with status {code}; it last said: {last}"

    def is_paused(self) -> bool:
        """Tell whether it was stopped by `pause`."""
        return self._paused

    def memory_bytes(self) -> int:
        """Return its resident memory, pages that it shares counted by its share where known."""
        total = 0
        for process in self.family():
            try:
                full = process.memory_full_info()
                total += getattr(full, "pss", 0) or full.rss
            except psutil.Error:
                continue  # ended, or not ours to look into
        return total

    def reap(self) -> None:
        """Collect the child's status after somebody else ended it; LabError if nobody did."""
        child = self._child
        self._asked_to_end = True
        if child is not None:
            self._await_end(child)

    def family(self) -> list[psutil.Process]:
        """Return the process and its children, none when it does not run."""
        pid = self.pid()
        if pid is None:
            return []
        try:
            parent = psutil.Process(pid)
            return [parent, *parent.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def _spawn(self) -> "subprocess.Popen[bytes]":
        command = self._command
        with command.log.open("ab") as log:
            return subprocess.Popen(
                command.argv,
                cwd=command.folder,
                env=dict(command.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=command.user,
                group=_group_of(command.user),
                extra_groups=None if command.user is None else [],
            )

    def _kill_all(self, child: "subprocess.Popen[bytes]") -> None:
        """End the parent first, so that it cannot start another child."""
        family = self.family()
        _signal(family, signal.SIGKILL)
        self._await_end(child)
        wait_until(
            lambda: not any(_is_alive(process) for process in family),
            deadline_s=GONE_S,
            describe=f"the children of {self.name} to end after SIGKILL",
            poll_s=0.005,
        )

    def _await_end(self, child: "subprocess.Popen[bytes]") -> None:
        try:
            child.wait(timeout=GONE_S)
        except subprocess.TimeoutExpired as error:
            raise LabError(
                f"{self.name} (process {child.pid}) was not gone {GONE_S:g} s after it was ended"
            ) from error

    def _running(self) -> list[psutil.Process]:
        family = self.family()
        if not family:
            raise LabError(f"{self.name} does not run, so it cannot be paused or continued")
        return family

    def _await_status(self, processes: list[psutil.Process], *, stopped: bool) -> None:
        wait_until(
            lambda: all(
                _is_stopped(process) == stopped for process in processes if _is_alive(process)
            ),
            deadline_s=STATE_S,
            describe=f"the kernel to say that {self.name} {'is stopped' if stopped else 'runs'}",
        )


def _is_alive(process: psutil.Process) -> bool:
    """Tell whether it still runs; a zombie is gone, whenever init finds time to collect it."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _is_stopped(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_STOPPED)
    except psutil.NoSuchProcess:
        return False


def _signal(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def _group_of(user: str | None) -> int | None:
    if user is None:
        return None
    import pwd  # noqa: PLC0415  # absent where nobody can be root

    return pwd.getpwnam(user).pw_gid


def plain_environment() -> dict[str, str]:
    """Return what a server needs of this environment: no JAVA_*, PG* or proxy settings."""
    kept = ("PATH", "LD_LIBRARY_PATH", "TZ")
    found = {name: os.environ[name] for name in kept if name in os.environ}
    return {"LC_ALL": "C", **found}
