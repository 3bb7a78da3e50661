"""A lock service killed, stopped or paused, and put back."""

from harness.faults.driver import Surroundings
from harness.faults.evidence import connections_met
from harness.faults.outages import How
from harness.faults.servers import ServerOutage
from harness.lab.values import Link
from harness.schedule.targets import LockServiceName


def lock_service_outage(how: How, name: LockServiceName, *, around: Surroundings) -> ServerOutage:
    """Return what takes it out: nobody gets a lock, and whoever holds one may lose it."""
    server = around.lab.lock_service(name)
    slots = sorted(set(around.slots.values()))
    links = [Link(plane="coordination", source=f"slot{slot}", target=name) for slot in slots]
    return ServerOutage(
        how,
        server,
        called=server.name,
        resolved={"lock_service": name},
        clients=lambda: connections_met(around.lab, links),
        clients_called="connections",
    )
