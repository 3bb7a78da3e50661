"""Counted plays of schedules, and when they suffice to call one failing or not. PURE.

A failure is never false, so one is enough to say that a schedule can fail; how many runs without
one say that it cannot is a matter of how often the schedule fails that is being minimised.
"""

from math import ceil, log

from harness.schedule.statistics import Rate
from harness.schedule.values import Schedule

MISSED = 0.02
"""How likely a schedule that does fail as often as the known ones may be called clean."""
MOST_MISSES = 30
_NEVER = Rate(hits=0, runs=0)


class Trials:
    """What was played so far, by schedule."""

    def __init__(self) -> None:
        self.runs = 0
        self._counts: dict[str, Rate] = {}
        self._known: set[str] = set()
        self._keys: dict[int, tuple[Schedule, str]] = {}

    def count(self, schedule: Schedule, *, failed: bool) -> None:
        """Add one run."""
        before = self.rate(schedule)
        after = Rate(hits=before.hits + failed, runs=before.runs + 1)
        self._counts[self._key(schedule)] = after
        self.runs += 1

    def rate(self, schedule: Schedule) -> Rate:
        """Return how often a schedule failed so far."""
        return self._counts.get(self._key(schedule), _NEVER)

    def know(self, schedule: Schedule) -> None:
        """Take a schedule into those whose rate says what to expect of the next ones."""
        self._known.add(self._key(schedule))

    def expected(self) -> float:
        """Return how often a schedule with the whole cause in it is expected to fail.

        By all runs of the known ones; half a run more each way keeps it away from 0 and from 1.
        """
        rates = [self._counts.get(known, _NEVER) for known in self._known]
        hits, runs = sum(rate.hits for rate in rates), sum(rate.runs for rate in rates)
        return (hits + 0.5) / (runs + 1)

    def patience(self) -> int:
        """Return how many runs without a failure call a schedule clean."""
        misses = ceil(log(MISSED) / log(1.0 - self.expected()))
        return max(1, min(MOST_MISSES, misses))

    def fails(self, schedule: Schedule, *, hits: int = 1) -> bool | None:
        """Return whether a schedule fails as often as expected; None: play it again.

        True after so many failures; False after as many misses as patience asks for each of them.
        """
        rate = self.rate(schedule)
        if rate.hits >= hits:
            return True
        return False if rate.runs - rate.hits >= hits * self.patience() else None

    def _key(self, schedule: Schedule) -> str:
        """Return what equal schedules share: not every fault can be hashed, and each can be said.

        The schedule is kept beside its key, so that no other one can get the same id.
        """
        known = self._keys.get(id(schedule))
        if known is None:
            known = self._keys[id(schedule)] = (schedule, repr(schedule))
        return known[1]
