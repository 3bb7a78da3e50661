"""Which port of a lab's block belongs to whom. Pure: it binds nothing.

The per-source listener scheme: node k has a listener FROM_j for every node j, advertised at the
proxy "j → k", and looks its peers up under its own inter-broker listener FROM_k; so j reaches k
through the proxy "j → k" only. The same with CTRL_j for the quorum and SLOT_s for clients. AUDIT is
never behind a proxy.
"""

import itertools
from dataclasses import dataclass

from harness.lab.values import LOCK_SERVICES, NODES, SLOTS, Link

LISTENERS = (
    *(f"CTRL_{node}" for node in NODES),
    *(f"FROM_{node}" for node in NODES),
    *(f"SLOT_{slot}" for slot in SLOTS),
    "AUDIT",
)
LINKS: tuple[Link, ...] = (
    *(
        Link(plane=plane, source=str(source), target=str(target))
        for plane in ("replication", "quorum")
        for source, target in itertools.permutations(NODES, 2)
    ),
    *(
        Link(plane="client", source=f"slot{slot}", target=str(node))
        for slot in SLOTS
        for node in NODES
    ),
    *(Link(plane="database", source=f"slot{slot}", target="database") for slot in SLOTS),
    *(
        Link(plane="coordination", source=f"slot{slot}", target=service)
        for service in LOCK_SERVICES
        for slot in SLOTS
    ),
)

CLIENT_LINKS = tuple(link for link in LINKS if link.plane == "client")

_API, _POSTGRES, _FIRST_LOCK_SERVICE = 0, 1, 2
_FIRST_LISTENER = _FIRST_LOCK_SERVICE + len(LOCK_SERVICES)
_FIRST_PROXY = _FIRST_LISTENER + len(NODES) * len(LISTENERS)
_FRAMES = _FIRST_PROXY + len(LINKS)
_FIRST_DETOUR = _FRAMES + 1
PORTS = _FIRST_DETOUR + len(CLIENT_LINKS)
"""How many ports a lab takes, from its base on."""

_PROXY_OF = {link: _FIRST_PROXY + place for place, link in enumerate(LINKS)}
LOOPBACK = "127.0.0.1"
TOXIPROXY = "toxiproxy"
DATABASE = "database"


def node_name(node: int | str) -> str:
    """Return the host name of a node, where servers have names."""
    return f"node-{node}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The ports of one lab, and at which hosts they are found.

    On this machine all of them are on 127.0.0.1. In a network of containers each server has a host
    of its own, by its name, with the very same ports, and listens on every address it has there;
    clients outside of it find the ports that are published on 127.0.0.1.
    """

    base: int
    networked: bool = False

    @property
    def bind(self) -> str:
        """The address that servers listen on."""
        return "0.0.0.0" if self.networked else LOOPBACK  # noqa: S104  # of a container

    def host(self, server: str) -> str:
        """Return where other servers of the lab find this one."""
        return server if self.networked else LOOPBACK

    @property
    def api(self) -> int:
        """Toxiproxy's own."""
        return self.base + _API

    @property
    def postgres(self) -> int:
        """The database server's own."""
        return self.base + _POSTGRES

    def lock_service(self, name: str) -> int:
        """Return the port of a lock service's own."""
        return self.base + _FIRST_LOCK_SERVICE + LOCK_SERVICES.index(name)

    @property
    def frames(self) -> int:
        """Where the frame proxy, while there is one, is told what to do."""
        return self.base + _FRAMES

    def detour(self, link: Link) -> int:
        """Return the port where the frame proxy listens for a client link, if it is led there."""
        return self.base + _FIRST_DETOUR + CLIENT_LINKS.index(link)

    def listener(self, node: int, name: str) -> int:
        """Return the port where a node itself listens under a listener's name."""
        place = NODES.index(node) * len(LISTENERS) + LISTENERS.index(name)
        return self.base + _FIRST_LISTENER + place

    def proxy(self, link: Link) -> int:
        """Return the port where a link's proxy listens."""
        return self.base + _PROXY_OF[link]

    def upstream(self, link: Link) -> int:
        """Return the port of the server that a link leads to."""
        if link.plane == "database":
            return self.postgres
        if link.plane == "coordination":
            return self.lock_service(link.target)
        kind = {"replication": "FROM_", "quorum": "CTRL_", "client": "SLOT_"}[link.plane]
        return self.listener(int(link.target), kind + link.source.removeprefix("slot"))

    def listen_address(self, link: Link) -> str:
        """Return where a link's proxy listens."""
        return f"{self.bind}:{self.proxy(link)}"

    def upstream_address(self, link: Link) -> str:
        """Return where a link's proxy finds the server that the link leads to."""
        server = link.target if link.plane in ("database", "coordination") else None
        return f"{self.host(server or node_name(link.target))}:{self.upstream(link)}"

    def bootstrap(self, slot: int) -> str:
        """Return KAFKA_BOOTSTRAP_SERVERS for a client slot: three proxied addresses."""
        links = (Link(plane="client", source=f"slot{slot}", target=str(node)) for node in NODES)
        return ",".join(f"{LOOPBACK}:{self.proxy(link)}" for link in links)

    def all(self) -> range:
        """Return every port of the lab."""
        return range(self.base, self.base + PORTS)
