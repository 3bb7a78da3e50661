"""Processes that end or stop themselves at the nth pass of a named crash point."""

import signal

from harness.clock import monotonic_s
from harness.faults.driver import Evidence, Surroundings
from harness.faults.instances import Rebalances, Who, are_back, named, resolution


class KillAtPoint:
    """A process that kills itself at the nth pass of a crash point; started again on healing."""

    def __init__(self, one: Who, *, point: str, passes: int, around: Surroundings) -> None:
        self.what = f"kill {named((one,))} at pass {passes} of {point}"
        self.resolved = {**resolution((one,)), "point": point, "passes": passes}
        self._one = one
        self._point = point
        self._passes = passes
        self._supervisor = around.supervisor
        self._tell = around.tell
        self._counters = around.supervisor.counters(*one)
        self._passed_before = 0
        self._code: int | None = None

    def apply(self) -> None:
        """Arm the crash point; it takes hold when the process passes it for the nth time."""
        self._passed_before = self.passed()
        self._supervisor.hold_at(*self._one, point=self._point)
        self._counters.arm(self._point, passes=self._passes)

    def held(self) -> bool:
        """Tell whether the crash point fired and the process is gone."""
        self._code = self._supervisor.ended_at(*self._one, point=self._point)
        return self._code is not None

    def heal(self) -> None:
        """Disarm, and start it again."""
        self._counters.disarm(self._point)
        self._tell(self._supervisor.start(*self._one, owner=self._point))

    def healed(self) -> bool:
        """Tell whether it runs."""
        return are_back((self._one,), self._supervisor)

    def passed(self) -> int:
        """Return how often the point was passed so far."""
        return self._counters.read().get(self._point, 0)

    def evidence(self) -> Evidence:
        """Return the crash point's own pass count and the exit status."""
        fired = self._counters.fired(self._point)
        passed = self.passed() - self._passed_before
        return Evidence(
            bit=fired > 0 and self._code == -signal.SIGKILL,
            sentences=(
                f"{self._point} was passed {passed} times since it was armed, "
                + (f"and fired at pass {fired}" if fired else "and never fired"),
                f"{named((self._one,))} ended with status {self._code}",
            ),
        )


class PauseAtPoint:
    """A process that stops itself at the nth pass of a crash point; SIGCONT on healing.

    It goes on from that very statement, with whatever it had in its hands.
    """

    def __init__(self, one: Who, *, point: str, passes: int, around: Surroundings) -> None:
        self.what = f"pause {named((one,))} at pass {passes} of {point}"
        self.resolved = {**resolution((one,)), "point": point, "passes": passes}
        self._one = one
        self._point = point
        self._passes = passes
        self._supervisor = around.supervisor
        self._counters = around.supervisor.counters(*one)
        self._rebalances = Rebalances(one[0], around.supervisor)
        self._pid: int | None = None
        self._stopped: tuple[int, ...] = ()
        self._held_s = 0.0
        self._slept_s = 0.0
        self._passes_at_hold = 0
        self._still = False

    def apply(self) -> None:
        """Arm the crash point; it takes hold when the process passes it for the nth time."""
        self._counters.arm(self._point, passes=self._passes, stop=True)

    def held(self) -> bool:
        """Tell whether the crash point fired and the kernel says that the process is stopped.

        What else is in its process group is stopped then, too.
        """
        if self._stopped:
            return True
        if not self._counters.fired(self._point):
            return False
        self._stopped = self._supervisor.stopped(*self._one)
        if not self._stopped:
            return False  # between the two: its last word is written, the signal on its way
        self._pid = self._supervisor.pid(*self._one)
        self._supervisor.pause(*self._one)
        self._held_s, self._passes_at_hold = monotonic_s(), self.passed()
        return True

    def heal(self) -> None:
        """Disarm, and continue it, unless another fault ended it meanwhile."""
        self._counters.disarm(self._point)
        same = self._supervisor.pid(*self._one) == self._pid
        asleep = set(self._stopped) <= set(self._supervisor.stopped(*self._one))
        self._still = same and asleep and self.passed() == self._passes_at_hold
        self._slept_s = monotonic_s() - self._held_s
        if same:
            self._supervisor.resume(*self._one)

    def healed(self) -> bool:
        """Tell whether it runs, and the kernel does not call it stopped."""
        if not self._stopped and self._supervisor.stopped(*self._one):
            self._supervisor.resume(*self._one)  # it fired in the moment it was disarmed
            return False
        return are_back((self._one,), self._supervisor) and not self._supervisor.stopped(*self._one)

    def evidence(self) -> Evidence:
        """Return the pass at which it stopped, and for how long the kernel held it there."""
        fired = self._counters.fired(self._point)
        if not self._stopped:
            return Evidence(bit=False, sentences=(f"{self._point} never fired",))
        slept = f"process {self._stopped[0]} was stopped there for {self._slept_s:.2f} s"
        return Evidence(
            bit=self._still,
            sentences=(
                f"{self._point} fired at pass {fired}",
                slept if self._still else f"{slept}, but not all the time",
                *self._rebalances.sentences(),
            ),
        )

    def passed(self) -> int:
        """Return how often the point was passed so far."""
        return self._counters.read().get(self._point, 0)
