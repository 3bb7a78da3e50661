"""The lock services of a lab: each started when it is first asked for, and kept as long as it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Generic, Protocol, TypeVar

from harness.clock import wait_until
from harness.errors import LabError
from harness.lab.layout import Layout
from harness.lab.protocol import LockServer
from harness.lab.values import Link
from harness.schedule.targets import LockServiceName

START_S = 30.0


class KeptServer(LockServer, Protocol):
    """A lock service with addresses."""

    settings: Mapping[str, str]

    @property
    def version(self) -> str:
        """Return what it was started from: a release, or an image."""
        ...

    def trouble(self) -> str | None:
        """Return a sentence if it died or wedged without being asked to."""
        ...

    def address(self, space: str, *, port: int) -> str:
        """Return where a run's space is reached through a port of 127.0.0.1."""
        ...

    def direct(self) -> str:
        """Return the address that is never cut."""
        ...


Server = TypeVar("Server", bound=KeptServer)


class KeptServices(ABC, Generic[Server]):
    """Which lock services of one lab run, and how roles reach them."""

    def __init__(self, *, layout: Layout) -> None:
        self._layout = layout
        self._servers: dict[LockServiceName, Server] = {}

    def get(self, name: LockServiceName) -> Server:
        """Return a server, started at the first call; LabError if it does not come up."""
        if name not in self._servers:
            server = self._servers[name] = self._make(name)
            if server.pid() is None:
                server.start()
            wait_until(
                lambda: _alive(server) and server.serves(),
                deadline_s=START_S,
                describe=f"{server.name} to answer",
                last_seen=lambda: server.log_tail(3),
            )
        return self._servers[name]

    def all(self) -> tuple[Server, ...]:
        """Return those that were asked for so far."""
        return tuple(self._servers.values())

    def address(self, name: LockServiceName, *, slot: int, space: str) -> str:
        """Return where a client slot reaches a run's space: a proxied address."""
        link = Link(plane="coordination", source=f"slot{slot}", target=name)
        return self.get(name).address(space, port=self._layout.proxy(link))

    def describe(self) -> dict[str, object]:
        """Return version and configuration of those that run, as JSON values."""
        return {
            name: {"version": server.version, **server.settings}
            for name, server in self._servers.items()
        }

    @abstractmethod
    def _make(self, name: LockServiceName) -> Server:
        """Return the server of that name; one that runs already is taken as it is."""


def _alive(server: KeptServer) -> bool:
    """Return True, or raise at once if it died instead of waiting out the deadline."""
    dead = server.trouble()
    if dead is not None:
        raise LabError(f"{dead}\n{server.log_tail(12)}")
    return True
