"""Puts the parts of a lab of containers together; it starts none of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import LabError
from harness.lab.databases import Account
from harness.lab.docker.container import Conduct, ContainerProcess
from harness.lab.docker.database import DockerPostgres
from harness.lab.docker.lock_services import DockerLockServer, DockerLockServices
from harness.lab.docker.servers import published
from harness.lab.docker.sight import NetworkSight
from harness.lab.docker.traffic import LogFollower, OwnByLink
from harness.lab.keeping import warden
from harness.lab.layout import DATABASE, LOOPBACK, TOXIPROXY, Layout, node_name
from harness.lab.links import proxies
from harness.lab.links.detours import FrameDetours
from harness.lab.links.proxied import ProxiedLinks
from harness.lab.links.toxiproxy import ToxiproxyApi
from harness.lab.links.traffic import TrafficGauge
from harness.lab.nodes import node_files
from harness.lab.values import NODES
from harness.schedule.targets import LockServiceName

if TYPE_CHECKING:
    from docker.models.containers import Container

DESKTOP_HOST = "host.docker.internal"
"""The name that engines in a virtual machine of their own have for the machine around it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The servers of one lab, and what watches over them."""

    layout: Layout
    nodes: Mapping[int, ContainerProcess]
    toxiproxy: ContainerProcess
    database: DockerPostgres
    lock_services: DockerLockServices
    api: ToxiproxyApi
    links: ProxiedLinks
    frames: FrameDetours
    log: LogFollower
    sight: NetworkSight

    def first(self) -> tuple[ContainerProcess, ...]:
        """Return the servers that every lab has."""
        return (self.toxiproxy, *self.nodes.values(), self.database)

    def all(self) -> tuple[ContainerProcess, ...]:
        """Return every server that was asked for so far."""
        return (*self.first(), *self.lock_services.all())

    def observe(self) -> None:
        """Begin to watch the proxies, once they run."""
        container = self.toxiproxy.container
        self.log.follow(container)
        self.sight.look_at(str(container.id), pid=self.toxiproxy.pid())

    def hang_up(self) -> None:
        """Close what this process has open towards the servers."""
        self.frames.close()
        self.links.close()
        self.sight.close()
        self.log.close()


def put_together(
    folder: Path,
    *,
    layout: Layout,
    source: "Callable[[str], Callable[[], Container] | Container]",
    accounts: Mapping[str, Account],
    lock_service: Callable[[LockServiceName], DockerLockServer],
    read_table: Callable[[], str],
) -> Parts:
    """Return the parts of a lab; `source` gives the container of a server, or what makes it."""
    api = ToxiproxyApi(layout.api)
    log = LogFollower(folder / TOXIPROXY / "server.log")
    sight = NetworkSight(read_table=read_table)
    links = ProxiedLinks(api, layout=layout, gauge=_gauge(log, sight, layout=layout))
    toxiproxy = ContainerProcess(
        "Toxiproxy",
        Conduct(ports=(layout.api,), answers=lambda: proxies.wedged(api) is None),
        make=source(TOXIPROXY),
    )
    return Parts(
        layout=layout,
        nodes={number: _node(number, layout=layout, make=source) for number in NODES},
        toxiproxy=toxiproxy,
        database=DockerPostgres(dict(accounts), layout=layout, make=source(DATABASE)),
        lock_services=DockerLockServices(lock_service, layout=layout),
        api=api,
        links=links,
        frames=FrameDetours(
            folder,
            layout=layout,
            links=links,
            mark={warden.MARKER: folder.name},
            listen_at=lambda: _gateway(toxiproxy) if sight.is_here else LOOPBACK,
            found_at=lambda: _gateway(toxiproxy) if sight.is_here else DESKTOP_HOST,
        ),
        log=log,
        sight=sight,
    )


def _gauge(log: LogFollower, sight: NetworkSight, *, layout: Layout) -> TrafficGauge:
    return TrafficGauge(
        log.file,
        layout=layout,
        open_ports=sight.open_ports,
        ask_at=sight.ask_at,
        own=OwnByLink(),
    )


def _node(
    number: int,
    *,
    layout: Layout,
    make: "Callable[[str], Callable[[], Container] | Container]",
) -> ContainerProcess:
    conduct = Conduct(
        ports=published(number, layout=layout),
        answers=partial(node_files.answers, layout.listener(number, "AUDIT")),
    )
    return ContainerProcess(f"node {number}", conduct, make=make(node_name(number)))


def _gateway(server: ContainerProcess) -> str:
    """Return this machine's own address in the lab's network, where the frame proxy listens.

    A container cannot reach this machine's loopback, so this is the nearest that there is. The
    address belongs to a bridge that exists on this machine only, for this lab only, and leads to no
    cable; nothing listens there but while links are led through the frame proxy.
    """
    networks = server.container.attrs["NetworkSettings"]["Networks"].values()
    for network in networks:
        if network["Gateway"]:
            return str(network["Gateway"])
    raise LabError(
        f"The network of {server.name} has no gateway, so no link can be led through this machine",
        remedy="leave faults of kind frames out, or use --backend local",
    )
