"""The lock services of a local lab: each started when it is first asked for, and kept."""

from collections.abc import Mapping
from pathlib import Path

from harness.clock import wait_until
from harness.errors import LabError
from harness.lab.local.layout import Layout
from harness.lab.local.recipe import Recipe
from harness.lab.local.redis import LocalRedis
from harness.lab.local.zookeeper import LocalZooKeeper
from harness.lab.values import Link
from harness.provision import lock_services
from harness.schedule.targets import LockServiceName

START_S = 30.0
LocalLockServer = LocalRedis | LocalZooKeeper


class LocalLockServices:
    """Which lock services of one lab run, and how roles reach them."""

    def __init__(
        self, folder: Path, *, layout: Layout, recipe: Recipe, mark: Mapping[str, str]
    ) -> None:
        self._folder = folder
        self._layout = layout
        self._recipe = recipe
        self._mark = mark
        self._servers: dict[LockServiceName, LocalLockServer] = {}

    def get(self, name: LockServiceName) -> LocalLockServer:
        """Return a server, started at the first call; LabError if it does not come up."""
        if name not in self._servers:
            server = self._servers[name] = self._make(name)
            server.start()
            wait_until(
                lambda: _alive(server) and server.serves(),
                deadline_s=START_S,
                describe=f"{server.name} to answer",
                last_seen=lambda: server.log_tail(3),
            )
        return self._servers[name]

    def all(self) -> tuple[LocalLockServer, ...]:
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

    def _make(self, name: LockServiceName) -> LocalLockServer:
        found = lock_services.provide(name)
        if name == "redis":
            return LocalRedis(self._folder, layout=self._layout, program=found, mark=self._mark)
        return LocalZooKeeper(
            self._folder,
            layout=self._layout,
            jars=found,
            java=Path(self._recipe.java[0]),
            mark=self._mark,
        )


def _alive(server: LocalLockServer) -> bool:
    """Return True, or raise at once if it died instead of waiting out the deadline."""
    dead = server.trouble()
    if dead is not None:
        raise LabError(f"{dead}\n{server.log_tail(12)}")
    return True
