"""A lock service killed, stopped or paused, and put back."""

from harness.faults.driver import Evidence, Surroundings
from harness.faults.evidence import connections_met
from harness.faults.outages import How, outage, take_all
from harness.lab.values import Link
from harness.schedule.targets import LockServiceName


class LockServiceOutage:
    """A lock service out of service: nobody gets a lock, and whoever holds one may lose it."""

    def __init__(self, how: How, name: LockServiceName, *, around: Surroundings) -> None:
        self._server = around.lab.lock_service(name)
        self.what = f"{how} {self._server.name}"
        self.resolved: dict[str, object] = {"lock_service": name}
        self._how = how
        self._lab = around.lab
        self._outage = outage(how, self._server)
        slots = sorted(set(around.slots.values()))
        self._links = [
            Link(plane="coordination", source=f"slot{slot}", target=name) for slot in slots
        ]
        self._connections = 0

    def apply(self) -> None:
        """Count the pipeline's connections, then take it out."""
        if self._server.pid() is not None:
            self._connections = connections_met(self._lab, self._links)
        take_all([self._outage])

    def held(self) -> bool:
        """Tell whether the server is out."""
        return self._outage.taken()

    def heal(self) -> None:
        """Put it back."""
        self._outage.give_back()

    def healed(self) -> bool:
        """Tell whether it answers again."""
        return self._server.serves()

    def evidence(self) -> Evidence:
        """Return what shows that it was out, and the connections that felt it."""
        shown = self._outage.shown()
        felt = "hung while it was stopped" if self._how == "pause" else "ended with it"
        return Evidence(
            bit=shown.bit and self._connections > 0,
            sentences=(
                *shown.sentences,
                f"{self._connections} connections of the pipeline {felt}",
            ),
        )
