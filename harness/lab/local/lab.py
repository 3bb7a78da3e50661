"""A running local lab: its servers, what they are asked for, and their end. `boot.py` makes one."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from harness.errors import LabError
from harness.lab.keeping import warden
from harness.lab.keeping.claims import Claim
from harness.lab.keeping.guardian import Guardian
from harness.lab.layout import Layout
from harness.lab.links import proxies
from harness.lab.links.detours import FrameDetours
from harness.lab.links.proxied import ProxiedLinks
from harness.lab.links.toxiproxy import ToxiproxyApi
from harness.lab.local.lock_services import LocalLockServer, LocalLockServices
from harness.lab.local.postgres import LOOPBACK_SETTINGS, LocalPostgres
from harness.lab.local.recipe import Recipe
from harness.lab.nodes.disk import NodeDisk
from harness.lab.process import ServerProcess
from harness.lab.profile import Profile
from harness.lab.reached import ReachedLab
from harness.provision.checkpoint import levels
from harness.role_life import ContainerOrder, RoleLife, without_engine


class LocalLab(ReachedLab[LocalLockServer]):
    """`Lab` of processes on this machine."""

    database: LocalPostgres

    def __init__(  # noqa: PLR0913  # the sum of its parts, put together in one place only
        self,
        *,
        folder: Path,
        layout: Layout,
        recipe: Recipe,
        profile: Profile,
        claims: list[Claim],
        guardian: Guardian,
        settings: Mapping[int, Mapping[str, str]],
        nodes: Mapping[int, ServerProcess],
        toxiproxy: ServerProcess,
        api: ToxiproxyApi,
        links: ProxiedLinks,
        frames: FrameDetours,
        database: LocalPostgres,
        lock_services: LocalLockServices,
    ) -> None:
        super().__init__(folder, layout=layout, services=lock_services)
        self.nodes = nodes
        self.links = links
        self.frames = frames
        self.database = database
        self.toxiproxy = toxiproxy
        self._recipe = recipe
        self.profile = profile
        self._claims = claims
        self._guardian = guardian
        self._settings = settings
        self._api = api

    def disk(self, node: int) -> NodeDisk:
        """Return the disk of a node."""
        return NodeDisk(Path(self._settings[node]["log.dirs"]), process=self.nodes[node])

    def start_role(self, order: ContainerOrder) -> RoleLife:
        """Raise UsageError: there is no engine here that a container could run in."""
        raise without_engine(order.image)

    def describe(self) -> dict[str, object]:
        """Return backend, versions, profile and every configuration in force, as JSON values."""
        return {
            "backend": "local",
            "name": self.name,
            "boot_s": round(self.boot_s, 3),
            "profile": self.profile.name,
            "kafka": self._recipe.kafka_version,
            "features": " ".join(levels(self._recipe.features)),
            "versions": dict(self._recipe.described),
            "nodes": {str(node): dict(settings) for node, settings in self._settings.items()},
            "java": [word for word in self._recipe.java if word.startswith("-X")],
            "database": dict(LOOPBACK_SETTINGS),
            "lock_services": self._lock_services.describe(),
            "links": self._link_addresses(),
        }

    def check_alive(self) -> tuple[str, ...]:
        """Return one sentence for each server that died or wedged without being asked to."""
        sentences = [server.trouble() for server in self._servers()]
        if self.toxiproxy.pid() is not None:
            sentences.append(proxies.wedged(self._api))
        if not self._guardian.alive():
            sentences.append("the warden that clears this lab after a crash is gone")
        return tuple(sentence for sentence in sentences if sentence is not None)

    def memory_bytes(self) -> int:
        """Return the resident memory of all the lab's servers; shared pages count once."""
        return sum(server.memory_bytes() for server in self._servers())

    def close(self) -> None:
        """End every process and remove every file of the lab; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        survivors = end(self.folder, servers=self._servers(), guardian=self._guardian)
        self.frames.close()
        self.links.close()
        release(self._claims)
        if survivors:
            raise LabError(
                f"Processes {survivors} of {self.name} would not end",
                remedy="the next start tries again; or end them by hand",
            )

    def _servers(self) -> tuple[ServerProcess, ...]:
        beside = (self.toxiproxy, self.frames.server, self.database)
        return (*self.nodes.values(), *beside, *self._lock_services.all())


def end(folder: Path, *, servers: tuple[ServerProcess, ...], guardian: Guardian) -> list[int]:
    """Clear a lab's folder and processes, collect its children, dismiss its warden."""
    survivors = warden.clear(folder, name=folder.name)
    for server in servers:
        with suppress(LabError):
            server.reap()
    guardian.dismiss()
    return survivors


def release(claims: list[Claim]) -> None:
    """Give back a lab's name and its ports."""
    for claim in claims:
        claim.release(unlink=claim.path.name.startswith("lab-"))
