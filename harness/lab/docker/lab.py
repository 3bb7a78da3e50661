"""A running lab of containers: its servers, what they are asked for, and their end.

`boot.py` makes one, `standing.py` finds one that stands already.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from harness.errors import LabError
from harness.lab.databases import SETTINGS
from harness.lab.docker import role
from harness.lab.docker.database import DockerPostgres
from harness.lab.docker.lock_services import DockerLockServer
from harness.lab.docker.parts import Parts
from harness.lab.layout import node_name
from harness.lab.links import proxies
from harness.lab.nodes.disk import NodeDisk
from harness.lab.profile import Profile
from harness.lab.reached import ReachedLab
from harness.role_life import ContainerOrder, RoleLife


class DockerLab(ReachedLab[DockerLockServer]):
    """`Lab` of containers."""

    database: DockerPostgres

    def __init__(
        self,
        folder: Path,
        *,
        profile: Profile,
        parts: Parts,
        described: Mapping[str, object],
        watched: Callable[[], bool],
        end: Callable[[], None],
    ) -> None:
        """Take over what was put together.

        `described` says what it was made from, `watched` whether the warden lives, and `end` takes
        it down.
        """
        super().__init__(folder, layout=parts.layout, services=parts.lock_services)
        self.profile = profile
        self.nodes = parts.nodes
        self.links = parts.links
        self.frames = parts.frames
        self.database = parts.database
        self.toxiproxy = parts.toxiproxy
        self._parts = parts
        self._described = described
        self._watched = watched
        self._end = end

    def disk(self, node: int) -> NodeDisk:
        """Return the disk of a node: a folder of this machine that its container has mounted.

        LabError where a standing lab keeps it inside of the container.
        """
        data = self.folder / node_name(node) / "data"
        if not data.is_dir():
            raise LabError(
                f"The disk of node {node} is inside its container and cannot be made to forget",
                remedy="leave --lab out: the disks of a lab of your own can",
            )
        return NodeDisk(data, process=self.nodes[node])

    def start_role(self, order: ContainerOrder) -> RoleLife:
        """Start a role as a container that shares the network of the proxies."""
        return role.start(order, lab=self.name, proxies=self.toxiproxy.container)

    def describe(self) -> dict[str, object]:
        """Return backend, images, profile and every configuration in force, as JSON values."""
        return {
            "backend": "docker",
            "name": self.name,
            "boot_s": round(self.boot_s, 3),
            "profile": self.profile.name,
            **self._described,
            "database": dict(SETTINGS),
            "lock_services": self._lock_services.describe(),
            "links": self._link_addresses(),
        }

    def check_alive(self) -> tuple[str, ...]:
        """Return one sentence for each server that died or wedged without being asked to."""
        sentences = [server.trouble() for server in self._parts.all()]
        sentences.append(self.frames.server.trouble())
        if sentences[0] is None:
            sentences.append(proxies.wedged(self._parts.api))
        if not self._watched():
            sentences.append("the warden that clears this lab after a crash is gone")
        return tuple(sentence for sentence in sentences if sentence is not None)

    def memory_bytes(self) -> int:
        """Return the memory that the lab's servers use, without files that are only cached."""
        own = self.frames.server.memory_bytes()
        return own + sum(server.memory_bytes() for server in self._parts.all())

    def close(self) -> None:
        """End and remove all of it; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        self._end()
