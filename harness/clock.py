"""The one place that reads time and waits.

Stamps are wall-clock microseconds since the epoch, because several processes of one machine write
them; deadlines are monotonic, because a stepped wall clock must not shorten a wait.
"""

import re
import time
from collections.abc import Callable
from typing import TypeVar

from harness.errors import LabError

T = TypeVar("T")
_UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0}


def now_us() -> int:
    """Return the wall-clock time in microseconds since the epoch."""
    return time.time_ns() // 1000


def monotonic_s() -> float:
    """Return monotonic seconds, for measuring durations within this process."""
    return time.monotonic()


def duration_s(text: str) -> float:
    """Return the seconds of `90s`, `30m` or `2h`; ValueError, in a sentence, for anything else."""
    number, unit = text.strip()[:-1], text.strip()[-1:]
    if unit not in _UNITS_S or not re.fullmatch(r"\d+(\.\d+)?", number) or not float(number):
        raise ValueError(f"{text!r} is no length of time: write 90s, 30m or 2h")
    return float(number) * _UNITS_S[unit]


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
