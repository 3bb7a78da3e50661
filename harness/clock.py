"""The one place that reads time and waits.

Stamps are wall-clock microseconds since the epoch, because several processes of one machine write
them; deadlines are monotonic, because a stepped wall clock must not shorten a wait.
"""

import time
from collections.abc import Callable
from typing import TypeVar

from harness.errors import LabError

T = TypeVar("T")


def now_us() -> int:
    """Return the wall-clock time in microseconds since the epoch."""
    return time.time_ns() // 1000


def monotonic_s() -> float:
    """Return monotonic seconds, for measuring durations within this process."""
    return time.monotonic()


def sleep(seconds: float) -> None:
    """Wait; the only call of its kind in the project."""
    time.sleep(seconds)


class Deadline:
    """A point in monotonic time that every wait below it shares."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def remaining_s(self) -> float:
        """Return the seconds left, never below zero."""
        return max(0.0, self._end - time.monotonic())

    def passed(self) -> bool:
        """Tell whether no time is left."""
        return self.remaining_s() <= 0.0


def wait_until(
    probe: Callable[[], T | None],
    *,
    deadline_s: float,
    describe: str,
    last_seen: Callable[[], object] | None = None,
    poll_s: float = 0.02,
) -> T:
    """Return the first truthy answer of `probe`, or raise LabError saying what was last seen."""
    deadline = Deadline(deadline_s)
    while True:
        answer = probe()
        if answer:
            return answer
        if deadline.passed():
            seen = f"; last seen: {last_seen()}" if last_seen is not None else ""
            raise LabError(f"Waited {deadline_s:g} s for {describe}, in vain{seen}")
        sleep(min(poll_s, deadline.remaining_s()))
