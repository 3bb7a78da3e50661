"""What makes the gauge of traffic work for proxies in a container: their log, and whose probes."""

import threading
from collections import defaultdict, deque
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from harness.clock import Deadline
from harness.errors import LabError
from harness.lab.docker.engine import TROUBLE
from harness.lab.values import Link

if TYPE_CHECKING:
    from docker.models.containers import Container

PROBE_S = 2.0
"""A probe that was not accepted by then never reached its proxy."""


class OwnByLink:
    """Knows the harness's own probes by the link that they ask and when.

    The engine's port publishing stands between, so the proxy sees another port than the probe has.
    The next connection that a link accepts is taken for the probe: a client that comes at the same
    moment may be left out of the count instead, never the other way round.
    """

    def __init__(self) -> None:
        self._expected: dict[str, deque[Deadline]] = defaultdict(deque)

    def add(self, link: Link, _local_port: int) -> None:
        """Take in that a probe is about to connect."""
        self._expected[str(link)].append(Deadline(PROBE_S))

    def took(self, proxy: str, _local_port: int) -> bool:
        """Tell whether an accepted connection was a probe, once for each."""
        expected = self._expected[proxy]
        while expected:
            if not expected.popleft().passed():
                return True
        return False


class LogFollower:
    """Writes what a container says into a file, as long as it runs."""

    def __init__(self, file: Path) -> None:
        self.file = file
        file.touch()
        self._thread: threading.Thread | None = None

    def follow(self, container: "Container") -> None:
        """Begin with everything that it said so far."""
        self._thread = threading.Thread(
            target=self._copy, args=(container,), name="docker-log", daemon=True
        )
        self._thread.start()

    def close(self, *, within_s: float = 5.0) -> None:
        """Wait until the last line is written: the container has ended."""
        if self._thread is not None:
            self._thread.join(within_s)

    def _copy(self, container: "Container") -> None:
        # What ends the stream is the end of the container; that it died unasked is told elsewhere.
        with suppress(*TROUBLE, LabError, OSError):
            copy_log(container, self.file)


def copy_log(container: "Container", file: Path) -> None:
    """Add what a container said and says to a file; returns when it has ended."""
    with file.open("ab", buffering=0) as copy:
        for chunk in container.logs(stream=True, follow=True):
            copy.write(chunk)
