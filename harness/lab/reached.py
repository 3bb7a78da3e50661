"""How roles and people reach the servers of a lab, whatever runs them."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Generic, Protocol, Self

from harness.errors import LabError
from harness.lab.cluster import AuditCluster
from harness.lab.keeping import warden
from harness.lab.kept_services import KeptServices, Server
from harness.lab.layout import LINKS, LOOPBACK, Layout
from harness.lab.protocol import DatabaseServer
from harness.lab.values import NODES, SLOTS, Endpoint, Link
from harness.schedule.targets import LockServiceName


class RoleDatabase(DatabaseServer, Protocol):
    """A database server with an account for roles."""

    def role_url(self, name: str, *, port: int) -> str:
        """Return the URL of a database for a role, through a port of 127.0.0.1."""
        ...


class ReachedLab(ABC, Generic[Server]):
    """What every lab has in common; also a context manager that closes it."""

    database: RoleDatabase

    def __init__(self, folder: Path, *, layout: Layout, services: KeptServices[Server]) -> None:
        self.name = folder.name
        self.folder = folder
        self.layout = layout
        self.cluster = AuditCluster({node: layout.listener(node, "AUDIT") for node in NODES})
        self.boot_s = 0.0
        self._lock_services = services
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """End every server and remove every file of the lab; safe to call twice."""

    def bootstrap(self, slot: int) -> str:
        """Return KAFKA_BOOTSTRAP_SERVERS for a client slot: three proxied addresses."""
        _require_slot(slot)
        return self.layout.bootstrap(slot)

    def database_url(self, slot: int, name: str) -> str:
        """Return the proxied URL of database `name` for a client slot."""
        _require_slot(slot)
        link = Link(plane="database", source=f"slot{slot}", target="database")
        return self.database.role_url(name, port=self.layout.proxy(link))

    def lock_service(self, name: LockServiceName) -> Server:
        """Return a lock service; it is started at the first call, and stays as long as the lab."""
        return self._lock_services.get(name)

    def lock_address(self, slot: int, name: LockServiceName, space: str) -> str:
        """Return where a client slot reaches a space: a proxied URL, or a connect string."""
        _require_slot(slot)
        return self._lock_services.address(name, slot=slot, space=space)

    def role_environment(self) -> Mapping[str, str]:
        """Return what every process of this lab carries, so that a later start can find it."""
        return {warden.MARKER: self.name}

    def adopt(self, pid: int) -> None:
        """Note a process that leads a session of its own: all of that session ends with the lab."""
        warden.adopt(self.folder, pid)

    def orphan(self, pid: int) -> None:
        """Note that it has ended: what begins from now on is not of that session."""
        warden.orphan(self.folder, pid)

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Return what a person needs to connect by hand."""
        kafka = {f"Kafka, client slot {slot}": self.bootstrap(slot) for slot in SLOTS}
        databases = {
            f"PostgreSQL, client slot {slot}": self.database_url(slot, "postgres") for slot in SLOTS
        }
        addresses = {
            **kafka,
            "Kafka, audit (never cut)": self.cluster.bootstrap,
            **databases,
            "PostgreSQL, direct": self.database.url("postgres"),
            **{f"{each.name}, direct": each.direct() for each in self._lock_services.all()},
            "Toxiproxy API": f"{LOOPBACK}:{self.layout.api}",
            "Logs and data": str(self.folder),
        }
        return tuple(Endpoint(name=name, address=at) for name, at in addresses.items())

    def _link_addresses(self) -> dict[str, object]:
        return {
            str(link): {
                "listen": self.layout.listen_address(link),
                "upstream": self.layout.upstream_address(link),
            }
            for link in LINKS
        }


def _require_slot(slot: int) -> None:
    """Raise LabError for a client slot that no lab has."""
    if slot not in SLOTS:
        raise LabError(f"There is no client slot {slot}; a lab has {SLOTS[0]} to {SLOTS[-1]}")
