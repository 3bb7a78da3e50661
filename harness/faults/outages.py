"""How one server is taken out of service and put back: killed, stopped or paused.

Each tells by what observation it was out; what it was to its cluster is its caller's.
"""

import signal
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, Protocol

from harness.clock import Deadline
from harness.faults.driver import Evidence
from harness.faults.resolve import FaultError
from harness.lab.protocol import Process

GRACE_S = 30.0
"""A server that was asked to end in good order and has not after so long is killed."""
_JVM_ENDED_BY_SIGTERM = 128 + signal.SIGTERM

How = Literal["kill", "stop", "pause"]


class Outage(Protocol):
    """One server out of service; all calls return within a second."""

    process: Process

    def take(self) -> None:
        """Take it out of service."""
        ...

    def taken(self) -> bool:
        """Tell whether it is out."""
        ...

    def give_back(self) -> None:
        """Put it back, unless that is done already."""
        ...

    def shown(self) -> Evidence:
        """Return what shows that it was out."""
        ...


class Killing:
    """SIGKILL, and a new start."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self._code: int | None = None

    def take(self) -> None:
        """Kill it; returns when its port refuses."""
        self.process.kill()
        self._code = self.process.exit_code()

    def taken(self) -> bool:
        """Tell whether it is gone."""
        return self.process.pid() is None

    def give_back(self) -> None:
        """Start it again."""
        start_again(self.process)

    def shown(self) -> Evidence:
        """Return its exit status."""
        said = f"{self.process.name} ended with status {self._code}"
        return Evidence(bit=self._code == -signal.SIGKILL, sentences=(said,))


class Stopping:
    """An end in good order, asked for by signal, and a new start."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self._by: Deadline | None = None
        self._forced = False
        self._code: int | None = None

    def take(self) -> None:
        """Ask it to end."""
        self._by = Deadline(GRACE_S)
        self.process.terminate()

    def taken(self) -> bool:
        """Tell whether it is gone; kill it if it has had its time."""
        if self.process.pid() is not None and self._by is not None and self._by.passed():
            self._force()
        if self.process.pid() is not None:
            return False
        self._note_code()
        return True

    def give_back(self) -> None:
        """Start it again; one that is still about to end is killed first."""
        if self.process.pid() is not None and self._by is not None and self._code is None:
            self._force()
        self._note_code()
        start_again(self.process)

    def shown(self) -> Evidence:
        """Return its exit status, which is no bite if it had to be killed."""
        said = [f"{self.process.name} was asked to end and ended with status {self._code}"]
        if self._forced:
            said.append(f"{self.process.name} had not ended by itself and was killed")
        graceful = self._code in (0, _JVM_ENDED_BY_SIGTERM) and not self._forced
        return Evidence(bit=graceful, sentences=tuple(said))

    def _force(self) -> None:
        self._forced = True
        self.process.kill()

    def _note_code(self) -> None:
        if self._code is None:
            self._code = self.process.exit_code()


class Pausing:
    """SIGSTOP and SIGCONT."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self._pid: int | None = None
        self._silent = False

    def take(self) -> None:
        """Stop it; returns when the kernel says so."""
        self._pid = self.process.pid()
        self.process.pause()

    def taken(self) -> bool:
        """Tell whether it is stopped, which it was when `take` returned."""
        return self._pid is not None

    def give_back(self) -> None:
        """Continue it, unless another fault ended it meanwhile."""
        if self.process.pid() == self._pid:
            self._silent = not self.process.serves()
            self.process.resume()

    def shown(self) -> Evidence:
        """Return whether it answered nothing just before it was continued."""
        silence = "answered nothing" if self._silent else "was not seen to be silent"
        said = f"{self.process.name} (process {self._pid}) was stopped, and {silence}"
        return Evidence(bit=self._silent, sentences=(said,))


_WAYS: Mapping[How, Callable[[Process], Outage]] = {
    "kill": Killing,
    "stop": Stopping,
    "pause": Pausing,
}


def outage(how: How, process: Process) -> Outage:
    """Return one way to take a server out of service, not yet taken."""
    return _WAYS[how](process)


def take_all(outages: Iterable[Outage]) -> None:
    """Take several servers out at the same moment; FaultError, and none taken, if one is down."""
    wanted = list(outages)
    down = [each.process.name for each in wanted if each.process.pid() is None]
    if down:
        raise FaultError(f"{' and '.join(down)} was not running when its fault was due")
    with ThreadPoolExecutor(len(wanted)) as pool:
        for taking in [pool.submit(each.take) for each in wanted]:
            taking.result()


def start_again(process: Process) -> None:
    """Start a server unless it runs."""
    if process.pid() is None:
        process.start()
