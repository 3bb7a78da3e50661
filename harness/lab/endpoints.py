"""What a person connects to by hand, the same list for every backend."""

from collections.abc import Iterable
from typing import Protocol

from harness.errors import LabError
from harness.lab.protocol import Lab
from harness.lab.values import SLOTS, Endpoint


class Direct(Protocol):
    """A lock service that has an address which is never cut."""

    name: str

    def direct(self) -> str:
        """Return that address."""
        ...


def endpoints_of(lab: Lab, *, services: Iterable[Direct], api_port: int) -> tuple[Endpoint, ...]:
    """Return every address of a lab."""
    return (
        *(
            Endpoint(name=f"Kafka, client slot {slot}", address=lab.bootstrap(slot))
            for slot in SLOTS
        ),
        Endpoint(name="Kafka, audit (never cut)", address=lab.cluster.bootstrap),
        *(
            Endpoint(
                name=f"PostgreSQL, client slot {slot}", address=lab.database_url(slot, "postgres")
            )
            for slot in SLOTS
        ),
        Endpoint(name="PostgreSQL, direct", address=lab.database.url("postgres")),
        *(Endpoint(name=f"{each.name}, direct", address=each.direct()) for each in services),
        Endpoint(name="Toxiproxy API", address=f"127.0.0.1:{api_port}"),
        Endpoint(name="Logs and data", address=str(lab.folder)),
    )


def require_slot(slot: int) -> None:
    """Raise LabError for a client slot that no lab has."""
    if slot not in SLOTS:
        raise LabError(f"There is no client slot {slot}; a lab has {SLOTS[0]} to {SLOTS[-1]}")
