"""The lock services of a lab of containers."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from harness.lab.docker.container import Conduct, ContainerProcess
from harness.lab.kept_services import KeptServices
from harness.lab.layout import Layout
from harness.lab.links import link_probe
from harness.lab.lock_spaces import REDIS_SETTINGS, ZOOKEEPER_SETTINGS, Chroots, RedisSpaces
from harness.schedule.targets import LockServiceName

if TYPE_CHECKING:
    from docker.models.containers import Container


class DockerRedis(ContainerProcess, RedisSpaces):
    """`LockServer` over a container with Redis."""

    settings = REDIS_SETTINGS

    def __init__(
        self, password: str, *, layout: Layout, make: "Callable[[], Container] | Container"
    ) -> None:
        port = layout.lock_service("redis")
        RedisSpaces.__init__(self, port, password=password)
        conduct = Conduct(ports=(port,), answers=lambda: link_probe.speaks(port, "redis"))
        ContainerProcess.__init__(self, "Redis", conduct, make=make)


class DockerZooKeeper(ContainerProcess, Chroots):
    """`LockServer` over a container with ZooKeeper."""

    settings = ZOOKEEPER_SETTINGS

    def __init__(self, *, layout: Layout, make: "Callable[[], Container] | Container") -> None:
        port = layout.lock_service("zookeeper")
        Chroots.__init__(self, port)
        conduct = Conduct(ports=(port,), answers=lambda: link_probe.speaks(port, "zookeeper"))
        ContainerProcess.__init__(self, "ZooKeeper", conduct, make=make)


DockerLockServer = DockerRedis | DockerZooKeeper


class DockerLockServices(KeptServices[DockerLockServer]):
    """Those of one lab of containers."""

    def __init__(
        self, make: Callable[[LockServiceName], DockerLockServer], *, layout: Layout
    ) -> None:
        super().__init__(layout=layout)
        self._from = make

    def _make(self, name: LockServiceName) -> DockerLockServer:
        return self._from(name)
