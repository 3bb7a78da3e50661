"""Faults of the pipeline's own processes: killed, ended in good order, paused."""

import signal

from harness.clock import monotonic_s
from harness.faults.driver import Evidence, Surroundings
from harness.faults.instances import (
    Rebalances,
    Who,
    are_back,
    named,
    passed,
    resolution,
    running,
)
from harness.faults.resolve import FaultError


class KillRoles:
    """SIGKILL processes of a role; they are started again on healing."""

    def __init__(self, who: tuple[Who, ...], *, around: Surroundings) -> None:
        self.what = f"kill {named(who)}"
        self.resolved = resolution(who)
        self._who = who
        self._around = around
        self._supervisor = around.supervisor
        self._work: dict[Who, str] = {}
        self._codes: dict[Who, int] = {}

    def apply(self) -> None:
        """Kill them; FaultError when none is running."""
        alive = running(self._who, self._around, due="kill")
        for one in self._who:
            self._supervisor.hold_down(*one, owner=self)
        for one in alive:
            self._work[one] = passed(self._supervisor.counters(*one).read())
            self._around.tell(self._supervisor.kill(*one))
            self._codes[one] = self._supervisor.exit_codes(*one)[-1]

    def held(self) -> bool:
        """Tell whether every process is gone."""
        return all(self._supervisor.pid(*one) is None for one in self._who)

    def heal(self) -> None:
        """Start them again."""
        for one in self._who:
            self._around.tell(self._supervisor.start(*one, owner=self))

    def healed(self) -> bool:
        """Tell whether they run."""
        return are_back(self._who, self._supervisor)

    def evidence(self) -> Evidence:
        """Return their exit status, and the work they had done before."""
        said = [
            sentence
            for one, code in self._codes.items()
            for sentence in (
                f"{named((one,))} ended with status {code}",
                f"it had passed: {self._work[one]}",
            )
        ]
        killed = [code == -signal.SIGKILL for code in self._codes.values()]
        return Evidence(bit=bool(killed) and all(killed), sentences=tuple(said))


class StopRoles:
    """SIGTERM to processes of a role, after their grace SIGKILL; started again on healing."""

    def __init__(self, who: tuple[Who, ...], *, around: Surroundings) -> None:
        self.what = f"stop {named(who)}"
        self.resolved = resolution(who)
        self._who = who
        self._around = around
        self._ends = Ends(around=around, owner=self)

    def apply(self) -> None:
        """Ask them to end; FaultError when none is running."""
        alive = running(self._who, self._around, due="stop")
        for one in self._who:
            self._around.supervisor.hold_down(*one, owner=self)
        self._ends.ask(alive)

    def held(self) -> bool:
        """Tell whether every process has ended, by itself or after its grace."""
        return self._ends.come()

    def heal(self) -> None:
        """Start them again."""
        for one in self._who:
            self._around.tell(self._around.supervisor.start(*one, owner=self))

    def healed(self) -> bool:
        """Tell whether they run."""
        return are_back(self._who, self._around.supervisor)

    def evidence(self) -> Evidence:
        """Return how each ended, and how long it took."""
        return Evidence(bit=self._ends.come(), sentences=self._ends.sentences())


class Ends:
    """Processes that were asked to end, and how they did."""

    def __init__(self, *, around: Surroundings, owner: object = None) -> None:
        """`owner` is whom they are held down for."""
        self._owner = owner
        self._supervisor = around.supervisor
        self._asked: dict[Who, tuple[float, int]] = {}
        self._took: dict[Who, tuple[float, int]] = {}

    def ask(self, who: tuple[Who, ...]) -> None:
        """Send SIGTERM to all of them, in this order; the supervisor sees to their grace."""
        for one in who:
            self._asked[one] = monotonic_s(), len(self._supervisor.exit_codes(*one))
            self._supervisor.terminate(*one, owner=self._owner)

    def come(self) -> bool:
        """Tell whether all of them have ended, and keep how."""
        for one, (since_s, lives) in self._asked.items():
            codes = self._supervisor.exit_codes(*one)
            if one not in self._took and len(codes) > lives:
                self._took[one] = monotonic_s() - since_s, codes[lives]
        return bool(self._asked) and len(self._took) == len(self._asked)

    def sentences(self) -> tuple[str, ...]:
        """Say how each ended."""
        return tuple(
            f"{named((one,))} did not hear SIGTERM and was killed after {took_s:.2f} s"
            if code == -signal.SIGKILL
            else f"{named((one,))} ended with status {code}, {took_s:.2f} s after SIGTERM"
            for one, (took_s, code) in self._took.items()
        )


class PauseRoles:
    """SIGSTOP processes of a role; SIGCONT on healing."""

    def __init__(self, who: tuple[Who, ...], *, around: Surroundings) -> None:
        self.what = f"pause {named(who)}"
        self.resolved = resolution(who)
        self._who = who
        self._around = around
        self._supervisor = around.supervisor
        self._rebalances = Rebalances(who[0][0], around.supervisor)
        self._pids: dict[Who, int | None] = {}
        self._at_hold: dict[Who, dict[str, int]] = {}
        self._at_heal: dict[Who, dict[str, int]] = {}

    def apply(self) -> None:
        """Stop those that run; FaultError when none does."""
        for one in running(self._who, self._around, due="pause"):
            if self._supervisor.pause(*one):  # it may have ended since
                self._pids[one] = self._supervisor.pid(*one)
                self._at_hold[one] = self._supervisor.counters(*one).read()
        if not self._pids:
            raise FaultError(f"{named(self._who)} ended just before its pause")

    def held(self) -> bool:
        """`apply` returned after the kernel said that they are stopped."""
        return True

    def heal(self) -> None:
        """Continue them, but for those that another fault ended meanwhile."""
        for one, pid in self._pids.items():
            if self._supervisor.pid(*one) == pid:
                self._at_heal[one] = self._supervisor.counters(*one).read()
                self._supervisor.resume(*one)

    def healed(self) -> bool:
        """Tell whether they run, and the kernel calls none of them stopped."""
        return are_back(tuple(self._pids), self._supervisor) and not any(
            self._supervisor.stopped(*one) for one in self._pids
        )

    def evidence(self) -> Evidence:
        """Tell whether nothing moved in them while they were stopped."""
        said, still = [], []
        for one, pid in self._pids.items():
            still.append(self._at_heal.get(one, self._at_hold[one]) == self._at_hold[one])
            moved = "its counters stood still" if still[-1] else "its counters moved while stopped"
            said += [
                f"process {pid} of {named((one,))} was stopped",
                f"{moved} at: {passed(self._at_hold[one])}",
            ]
        return Evidence(
            bit=bool(still) and all(still), sentences=(*said, *self._rebalances.sentences())
        )
