"""Faults of the pipeline's own processes: killed, killed at a crash point, paused."""

import signal

from harness.faults.driver import Evidence, Surroundings
from harness.faults.resolve import FaultError


class KillRole:
    """SIGKILL one process of a role; it is started again on healing."""

    def __init__(self, role: str, instance: int, *, around: Surroundings) -> None:
        self.what = f"kill {role} {instance}"
        self.resolved = {"role": role, "instance": instance}
        self._who = (role, instance)
        self._supervisor = around.supervisor
        self._tell = around.tell
        self._work: dict[str, int] = {}
        self._code: int | None = None

    def apply(self) -> None:
        """Kill it; FaultError when it is not running."""
        if self._supervisor.pid(*self._who) is None:
            raise FaultError(f"{self._who[0]} {self._who[1]} was not running when its kill was due")
        self._work = self._supervisor.counters(*self._who).read()
        self._supervisor.hold_down(*self._who)
        self._tell(self._supervisor.kill(*self._who))
        self._code = self._supervisor.exit_codes(*self._who)[-1]

    def held(self) -> bool:
        """Tell whether the process is gone."""
        return self._supervisor.pid(*self._who) is None

    def heal(self) -> None:
        """Start it again."""
        self._tell(self._supervisor.start(*self._who))

    def healed(self) -> bool:
        """Tell whether it runs."""
        return self._supervisor.pid(*self._who) is not None

    def evidence(self) -> Evidence:
        """Return its exit status, and the work it had done before."""
        done = ", ".join(f"{name} {count}" for name, count in sorted(self._work.items()) if count)
        return Evidence(
            bit=self._code == -signal.SIGKILL,
            sentences=(
                f"{self._who[0]} {self._who[1]} ended with status {self._code}",
                f"it had passed: {done or 'nothing that it counts'}",
            ),
        )


class KillAtPoint:
    """A role that kills itself at the nth pass of a named crash point; started again on healing."""

    def __init__(
        self, role: str, instance: int, *, point: str, passes: int, around: Surroundings
    ) -> None:
        self.what = f"kill {role} {instance} at pass {passes} of {point}"
        self.resolved = {"role": role, "instance": instance, "point": point, "passes": passes}
        self._who = (role, instance)
        self._point = point
        self._passes = passes
        self._supervisor = around.supervisor
        self._tell = around.tell
        self._lives = len(around.supervisor.exit_codes(role, instance))
        self._counters = around.supervisor.counters(role, instance)
        self._passed_before = 0
        self._code: int | None = None

    def apply(self) -> None:
        """Arm the crash point; it takes hold when the process passes it for the nth time."""
        self._passed_before = self._counters.read().get(self._point, 0)
        self._supervisor.hold_down(*self._who)
        self._counters.arm(self._point, passes=self._passes)

    def held(self) -> bool:
        """Tell whether the crash point fired and the process is gone."""
        if not self._counters.fired(self._point):
            return False
        codes = self._supervisor.exit_codes(*self._who)
        if len(codes) <= self._lives:
            return False  # it fired, and its supervisor has yet to notice
        self._code = codes[-1]
        return True

    def heal(self) -> None:
        """Disarm, and start it again."""
        self._counters.disarm(self._point)
        self._tell(self._supervisor.start(*self._who))

    def healed(self) -> bool:
        """Tell whether it runs."""
        return self._supervisor.pid(*self._who) is not None

    def evidence(self) -> Evidence:
        """Return the crash point's own pass count and the exit status."""
        fired = self._counters.fired(self._point)
        passed = self._counters.read().get(self._point, 0) - self._passed_before
        return Evidence(
            bit=fired > 0 and self._code == -signal.SIGKILL,
            sentences=(
                f"{self._point} was passed {passed} times since it was armed, "
                + (f"and fired at pass {fired}" if fired else "and never fired"),
                f"{self._who[0]} {self._who[1]} ended with status {self._code}",
            ),
        )


class PauseRole:
    """SIGSTOP one process of a role; SIGCONT on healing."""

    def __init__(self, role: str, instance: int, *, around: Surroundings) -> None:
        self.what = f"pause {role} {instance}"
        self.resolved = {"role": role, "instance": instance}
        self._who = (role, instance)
        self._supervisor = around.supervisor
        self._pid: int | None = None
        self._at_hold: dict[str, int] = {}
        self._at_heal: dict[str, int] = {}

    def apply(self) -> None:
        """Stop it; FaultError when it is not running."""
        self._pid = self._supervisor.pid(*self._who)
        if self._pid is None:
            raise FaultError(
                f"{self._who[0]} {self._who[1]} was not running when its pause was due"
            )
        self._supervisor.pause(*self._who)
        self._at_hold = self._supervisor.counters(*self._who).read()

    def held(self) -> bool:
        """`apply` returned after the kernel said that it is stopped."""
        return True

    def heal(self) -> None:
        """Continue it, unless another fault ended it meanwhile."""
        self._at_heal = self._supervisor.counters(*self._who).read()
        if self._supervisor.pid(*self._who) == self._pid:
            self._supervisor.resume(*self._who)

    def healed(self) -> bool:
        """Tell whether it runs."""
        return self._supervisor.pid(*self._who) is not None

    def evidence(self) -> Evidence:
        """Tell whether nothing moved in it while it was stopped."""
        still = self._at_hold == self._at_heal
        passed = ", ".join(f"{name} {n}" for name, n in sorted(self._at_hold.items()) if n)
        return Evidence(
            bit=still,
            sentences=(
                f"process {self._pid} was stopped",
                ("its counters stood still" if still else "its counters moved while stopped")
                + f" at: {passed or 'none kept'}",
            ),
        )
