"""A restart storm: processes of a role killed and started again and again, each in its turn."""

import signal
from itertools import cycle

from harness.clock import monotonic_s
from harness.faults.driver import Evidence, Surroundings
from harness.faults.instances import (
    Rebalances,
    Who,
    are_back,
    named,
    resolution,
    running,
)

FEWEST = 2
"""Deaths that make a storm; one alone is only a kill."""


class Restarts:
    """SIGKILL and start at once, every so many seconds, until healed."""

    def __init__(self, who: tuple[Who, ...], *, every_s: float, around: Surroundings) -> None:
        self.what = f"kill {named(who)} again and again, every {every_s:g} s"
        self.resolved = {**resolution(who), "every_s": every_s}
        self._who = who
        self._every_s = every_s
        self._around = around
        self._supervisor = around.supervisor
        self._rebalances = Rebalances(who[0][0], around.supervisor)
        self._turns = cycle(who)
        self._due_s = 0.0
        self._deaths: dict[Who, int] = dict.fromkeys(who, 0)
        self._seen: dict[Who, int] = dict.fromkeys(who, 0)
        self._idle = 0

    def apply(self) -> None:
        """Take them over from the supervisor and kill the first; FaultError when none runs."""
        running(self._who, self._around, due="restart storm")
        for one in self._who:
            self._supervisor.hold_down(*one, owner=self)
        self._strike()

    def held(self) -> bool:
        """`apply` returned after the first was gone."""
        return True

    def pulse(self) -> None:
        """Kill the next one when it is time."""
        if monotonic_s() >= self._due_s:
            self._strike()

    def finished(self) -> bool:
        """Tell whether there were enough deaths to call it a storm."""
        return sum(self._deaths.values()) >= FEWEST

    def heal(self) -> None:
        """Give them back to the supervisor."""
        for one in self._who:
            self._around.tell(self._supervisor.start(*one, owner=self))

    def healed(self) -> bool:
        """Tell whether they run."""
        return are_back(self._who, self._supervisor)

    def evidence(self) -> Evidence:
        """Return how often each died by our hand, and the rebalances that journals tell of."""
        said = [f"{named((one,))} was killed {n} times" for one, n in self._deaths.items()]
        if self._idle:
            said.append(f"{self._idle} of these lives had counted nothing yet")
        return Evidence(bit=self.finished(), sentences=(*said, *self._rebalances.sentences()))

    def _strike(self) -> None:
        one = next(self._turns)
        self._due_s = monotonic_s() + self._every_s
        if self._supervisor.pid(*one) is not None:
            done = sum(self._supervisor.counters(*one).read().values())
            self._idle += done == self._seen[one]
            self._seen[one] = done
            self._around.tell(self._supervisor.kill(*one))
            self._deaths[one] += self._supervisor.exit_codes(*one)[-1] == -signal.SIGKILL
        self._around.tell(self._supervisor.start(*one, owner=self))
        self._supervisor.hold_down(*one, owner=self)
