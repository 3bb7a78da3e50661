"""The lock services of a lab of containers: each started when it is first asked for, and kept."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from harness.clock import wait_until
from harness.errors import LabError
from harness.lab.docker.container import Conduct, ContainerProcess
from harness.lab.local import link_probe
from harness.lab.local.layout import Layout
from harness.lab.lock_spaces import REDIS_SETTINGS, ZOOKEEPER_SETTINGS, Chroots, RedisSpaces
from harness.lab.values import Link
from harness.schedule.targets import LockServiceName

if TYPE_CHECKING:
    from docker.models.containers import Container

START_S = 30.0
_SETTINGS: Mapping[str, Mapping[str, str]] = {
    "redis": REDIS_SETTINGS,
    "zookeeper": ZOOKEEPER_SETTINGS,
}


class DockerRedis(ContainerProcess, RedisSpaces):
    """`LockServer` over a container with Redis."""

    def __init__(
        self, password: str, *, layout: Layout, make: "Callable[[], Container] | Container"
    ) -> None:
        port = layout.lock_service("redis")
        RedisSpaces.__init__(self, port, password=password)
        conduct = Conduct(ports=(port,), answers=lambda: link_probe.speaks(port, "redis"))
        ContainerProcess.__init__(self, "Redis", conduct, make=make)


class DockerZooKeeper(ContainerProcess, Chroots):
    """`LockServer` over a container with ZooKeeper."""

    def __init__(self, *, layout: Layout, make: "Callable[[], Container] | Container") -> None:
        port = layout.lock_service("zookeeper")
        Chroots.__init__(self, port)
        conduct = Conduct(ports=(port,), answers=lambda: link_probe.speaks(port, "zookeeper"))
        ContainerProcess.__init__(self, "ZooKeeper", conduct, make=make)


DockerLockServer = DockerRedis | DockerZooKeeper


class DockerLockServices:
    """Which lock services of one lab run, and how roles reach them."""

    def __init__(
        self, make: Callable[[LockServiceName], DockerLockServer], *, layout: Layout
    ) -> None:
        self._make = make
        self._layout = layout
        self._servers: dict[LockServiceName, DockerLockServer] = {}

    def get(self, name: LockServiceName) -> DockerLockServer:
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

    def all(self) -> tuple[DockerLockServer, ...]:
        """Return those that were asked for so far."""
        return tuple(self._servers.values())

    def address(self, name: LockServiceName, *, slot: int, space: str) -> str:
        """Return where a client slot reaches a run's space: a proxied address."""
        link = Link(plane="coordination", source=f"slot{slot}", target=name)
        return self.get(name).address(space, port=self._layout.proxy(link))

    def describe(self) -> dict[str, object]:
        """Return image and configuration of those that run, as JSON values."""
        return {
            name: {"version": server.container.attrs["Config"]["Image"], **_SETTINGS[name]}
            for name, server in self._servers.items()
        }


def _alive(server: DockerLockServer) -> bool:
    """Return True, or raise at once if it died instead of waiting out the deadline."""
    dead = server.trouble()
    if dead is not None:
        raise LabError(f"{dead}\n{server.log_tail(12)}")
    return True
