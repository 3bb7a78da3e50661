"""Another number of instances of a role while the load goes on."""

from harness.clock import Deadline, monotonic_s
from harness.faults.driver import Evidence, Surroundings
from harness.faults.evidence import connections_met
from harness.faults.instances import Rebalances, Who, are_back, named, passed
from harness.faults.resolve import FaultError
from harness.faults.roles import Ends
from harness.lab.values import Link

ARRIVAL_S = 15.0
"""An added process that has met nobody after this is not waited for any longer."""
LOOK_EVERY_S = 0.1


class ScaleOut:
    """Instances added, each with its own links, journal and counters; ended on healing."""

    def __init__(self, role: str, *, to: int, around: Surroundings) -> None:
        self.what = f"scale {role} out to {to}"
        self.resolved: dict[str, object] = {"role": role, "to": to}
        self._role = role
        self._to = to
        self._around = around
        self._supervisor = around.supervisor
        self._rebalances = Rebalances(role, around.supervisor)
        self._added: dict[Who, int] = {}
        self._counted: dict[Who, int] = {}
        self._met: dict[Who, int] = {}
        self._ends = Ends(around=around)
        self._patience = Deadline(ARRIVAL_S)
        self._look_s = 0.0

    def apply(self) -> None:
        """Start as many as are lacking."""
        while len(self._supervisor.wanted(self._role)) < self._to:
            number, started = self._supervisor.add(self._role)
            self._around.tell(started)
            one = (self._role, number)
            self._added[one] = self._supervisor.pid(*one) or 0
            self._counted[one] = self._count(one)
        self.resolved["added"] = [number for _, number in self._added]

    def held(self) -> bool:
        """Tell whether all that were added run."""
        return all(self._supervisor.pid(*one) is not None for one in self._added)

    def pulse(self) -> None:
        """Look for the first sign of those that were added."""
        if monotonic_s() < self._look_s:
            return
        self._look_s = monotonic_s() + LOOK_EVERY_S
        for one in self._added:
            if not self._met.get(one):
                self._met[one] = self._connections(one)

    def finished(self) -> bool:
        """Tell whether each of them has done some work, or seems to have none.

        Of a role that counts nothing only its connections can be seen.
        """
        counts = any(self._count((self._role, n)) for n in self._supervisor.wanted(self._role))
        seen = self._at_work if counts else self._has_met
        return self._patience.passed() or all(seen(one) for one in self._added)

    def heal(self) -> None:
        """End those that were added in good order, the highest number first."""
        last_first = tuple(sorted(self._added, reverse=True))
        self._ends.ask(last_first)
        for one in last_first:
            self._supervisor.retire(*one)

    def healed(self) -> bool:
        """Tell whether all that were added are gone, and the others run."""
        others = tuple((self._role, number) for number in self._supervisor.wanted(self._role))
        return self._ends.come() and are_back(others, self._supervisor)

    def evidence(self) -> Evidence:
        """Return what each did while it was there, and how it ended."""
        said = [
            f"{named((one,))} ran as process {pid}, had {self._met.get(one, 0)} connections of its "
            f"own, and passed: {passed(self._supervisor.counters(*one).read())}"
            for one, pid in self._added.items()
        ]
        return Evidence(
            bit=bool(self._added)
            and all(self._at_work(one) or self._has_met(one) for one in self._added),
            sentences=(*said, *self._rebalances.sentences(), *self._ends.sentences()),
        )

    def _at_work(self, one: Who) -> bool:
        return self._count(one) > self._counted[one]

    def _has_met(self, one: Who) -> bool:
        return self._met.get(one, 0) > 0

    def _count(self, one: Who) -> int:
        return sum(self._supervisor.counters(*one).read().values())

    def _connections(self, one: Who) -> int:
        """Return the connections of its own links; 0 where another process shares them."""
        slots = self._around.slots
        if sum(slot == slots[one] for slot in slots.values()) > 1:
            return 0
        return connections_met(self._around.lab, slot_links(slots[one], self._around))


class ScaleIn:
    """Instances ended in good order, the highest number first; started again on healing."""

    def __init__(self, role: str, *, to: int, around: Surroundings) -> None:
        self.what = f"scale {role} in to {to}"
        numbers = sorted(around.supervisor.wanted(role))[to:]
        self._who: tuple[Who, ...] = tuple((role, number) for number in reversed(numbers))
        self.resolved: dict[str, object] = {"role": role, "to": to, "ended": numbers}
        self._around = around
        self._rebalances = Rebalances(role, around.supervisor)
        self._ends = Ends(around=around, owner=self)

    def apply(self) -> None:
        """Ask them to end; FaultError when there is none too many."""
        supervisor = self._around.supervisor
        if all(supervisor.pid(*one) is None for one in self._who):
            raise FaultError(f"{self.what}: no more than that were running when it was due")
        for one in self._who:
            supervisor.hold_down(*one, owner=self)
        self._ends.ask(tuple(one for one in self._who if supervisor.pid(*one) is not None))

    def held(self) -> bool:
        """Tell whether all of them have ended."""
        return self._ends.come()

    def heal(self) -> None:
        """Start them again."""
        for one in reversed(self._who):
            self._around.tell(self._around.supervisor.start(*one, owner=self))

    def healed(self) -> bool:
        """Tell whether they run."""
        return are_back(self._who, self._around.supervisor)

    def evidence(self) -> Evidence:
        """Return how each ended, and the rebalances that journals tell of."""
        return Evidence(
            bit=self._ends.come(),
            sentences=(*self._ends.sentences(), *self._rebalances.sentences()),
        )


def slot_links(slot: int, around: Surroundings) -> tuple[Link, ...]:
    """Return the links of a client slot: to every node and to the database."""
    return tuple(
        link
        for link in around.lab.links.all()
        if link.plane in ("client", "database", "coordination") and link.source == f"slot{slot}"
    )
