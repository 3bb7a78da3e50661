"""One server of a lab as a container: started, killed, paused, continued, all by the engine.

It is one container over all its lives: what the server wrote stays, as on a machine that was
switched off and on.
"""

import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from docker.errors import NotFound

from harness.clock import wait_until
from harness.errors import LabError
from harness.lab.audit import refuses
from harness.lab.docker.engine import TROUBLE, told

if TYPE_CHECKING:
    from docker.models.containers import Container

GONE_S = 10.0
STATE_S = 5.0
_BY_SIGNAL = 128
_SIGNALS_OF_CRASHES = frozenset(
    (signal.SIGKILL, signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS, signal.SIGILL)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    """What is to be known of a server to handle it."""

    ports: tuple[int, ...]
    """Published ports, which refuse once it is gone."""
    answers: Callable[[], bool]
    """Whether it serves."""
    ends_by: signal.Signals = signal.SIGTERM
    """What asks it to end in good order, but without waiting for its clients."""


class ContainerProcess:
    """`Process` over a container, which `make` makes and starts at the first start."""

    def __init__(
        self, name: str, conduct: Conduct, *, make: "Callable[[], Container] | Container"
    ) -> None:
        self.name = name
        self._conduct = conduct
        self._make: Callable[[], Container] | None = make if callable(make) else None
        self._container: Container | None = None if callable(make) else make
        self._asked_to_end = False
        self._lock = threading.RLock()

    @property
    def version(self) -> str:
        """Return what it was made from: its image, by name and tag."""
        return str(self.container.attrs["Config"]["Image"])

    def start(self) -> None:
        """Start it; LabError if it runs already or cannot be started."""
        with self._lock, told(f"start {self.name}"):
            if self._container is not None and self.pid() is not None:
                raise LabError(f"{self.name} runs already")
            self._asked_to_end = False
            if self._container is not None:
                self._container.start()
            elif self._make is not None:
                self._container = self._make()

    def kill(self) -> None:
        """SIGKILL it; returns when it is gone and its ports refuse connections."""
        with self._lock, told(f"kill {self.name}"):
            self._asked_to_end = True
            if self.pid() is None:
                return
            container = self.container
            try:
                container.kill()
            except TROUBLE:
                if self.pid() is not None:  # it had ended by itself just before
                    raise
            container.wait(timeout=GONE_S)
            wait_until(
                lambda: refuses(self._conduct.ports),
                deadline_s=GONE_S,
                describe=f"the ports of {self.name} to refuse after SIGKILL",
            )

    def terminate(self) -> None:
        """Ask it to end in good order; returns at once, `pid` tells when it is gone."""
        with self._lock, told(f"ask {self.name} to end"):
            if self.pid() is None:
                return
            self._asked_to_end = True
            self.container.kill(signal=self._conduct.ends_by.name)

    def pause(self) -> None:
        """Freeze every process in it; returns when the engine says that it is paused."""
        with self._lock, told(f"pause {self.name}"):
            if self.pid() is None:
                raise LabError(f"{self.name} does not run, so it cannot be paused or continued")
            self.container.pause()
            self._await_paused(wanted=True)

    def resume(self) -> None:
        """Let it go on; no error when it does not run, or was not paused."""
        with self._lock, told(f"continue {self.name}"):
            if not self._state().get("Paused"):
                return
            self.container.unpause()
            self._await_paused(wanted=False)

    def pid(self) -> int | None:
        """Return its process id on the engine's machine, or None when it does not run."""
        state = self._state()
        return int(state["Pid"]) if state.get("Running") else None

    def exit_code(self) -> int | None:
        """Return how the last process ended (negative: by that signal), None while it runs."""
        state = self._state()
        if not state or state["Running"]:
            return None
        return as_status(int(state["ExitCode"]))

    def serves(self) -> bool:
        """Tell whether it answers on its port."""
        return self.pid() is not None and self._conduct.answers()

    def log_tail(self, lines: int = 20) -> str:
        """Return the last lines it wrote."""
        if self._container is None:
            return ""
        with told(f"show the log of {self.name}"):
            return str(self._container.logs(tail=lines).decode(errors="replace")).rstrip()

    def trouble(self) -> str | None:
        """Return a sentence if it died without being asked to, or the engine does not answer."""
        try:
            code = self.exit_code()
            if code is None or self._asked_to_end:
                return None
            last = self.log_tail(1) or "nothing"
        except LabError as error:
            return error.message
        return f"{self.name} died unasked with status {code}; it last said: {last}"

    def memory_bytes(self) -> int:
        """Return what its processes keep in memory, without files that are only cached."""
        if self.pid() is None:
            return 0
        with told(f"tell the memory of {self.name}"):
            stats = self.container.stats(stream=False, one_shot=True)["memory_stats"]
        return resident(stats)

    @property
    def container(self) -> "Container":
        """The container; LabError before the first start."""
        if self._container is None:
            raise LabError(f"{self.name} was never started")
        return self._container

    @property
    def started(self) -> bool:
        """Tell whether it has a container."""
        return self._container is not None

    def _state(self) -> dict[str, Any]:
        """Return what the engine says of it now; nothing before its first start."""
        if self._container is None:
            return {}
        with told(f"tell how {self.name} is"):
            try:
                self._container.reload()
            except NotFound as error:
                raise LabError(f"The container of {self.name} was removed") from error
            return dict(self._container.attrs["State"])

    def _await_paused(self, *, wanted: bool) -> None:
        wait_until(
            lambda: bool(self._state().get("Paused")) == wanted,
            deadline_s=STATE_S,
            describe=f"the engine to say that {self.name} {'is paused' if wanted else 'runs'}",
        )


def as_status(code: int) -> int:
    """Return a container's exit code as the status of a process: negative for a crash by signal.

    The engine writes 128 more than the signal. A program may end with such a number by itself, as a
    JVM does after SIGTERM (143): only the signals of kills and crashes are taken for one.
    """
    number = code - _BY_SIGNAL
    return -number if number in _SIGNALS_OF_CRASHES else code


def resident(stats: Mapping[str, Any]) -> int:
    """Return the memory in use out of the engine's figures, for either version of cgroups."""
    details = stats.get("stats", {})
    cached = details.get("total_inactive_file", details.get("inactive_file", 0))
    return max(0, int(stats.get("usage", 0)) - int(cached))
