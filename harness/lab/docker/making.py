"""Makes containers with testcontainers: a network of the lab's own, and servers in it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from docker.models.containers import Container
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network

from harness.errors import LabError
from harness.lab.docker import marks
from harness.lab.docker.engine import CLIENT, account, told
from harness.lab.docker.servers import Server
from harness.lab.docker.sight import TABLES
from harness.lab.layout import LOOPBACK, TOXIPROXY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def make_network(lab: str) -> Network:
    """Make a lab's own network, a bridge of the engine with names for its containers."""
    with told("make a network"):
        network = Network(
            docker_client_kw=CLIENT,
            docker_network_kw={"driver": "bridge", "labels": marks.of_lab(lab)},
        )
        network.name = f"zero-loss-harness-{lab}"
        return network.create()


def run(server: Server, *, folder: Path, network: Network) -> Container:
    """Make a server's container and start it; what it needs of the lab's folder is there."""
    container = DockerContainer(
        server.image,
        docker_client_kw=CLIENT,
        network=network,
        network_aliases=[server.name, *server.aliases],
        name=f"zero-loss-harness-{folder.name}-{server.name}",
        env=dict(server.environment),
        volumes=[
            (str(folder / name), inside, "ro,z" if Path(name).is_absolute() else "rw,z")
            for name, inside in server.files.items()
        ],
        **_options(server, lab=folder.name),
    ).with_command(cast("list[str]", list(server.command)))
    container.ports = _on_loopback(server.ports)
    return container.start().get_wrapped_container()


def _options(server: Server, *, lab: str) -> dict[str, Any]:
    return {
        "entrypoint": list(server.entrypoint),
        "hostname": server.name,
        "user": server.user or account(),
        "labels": {**marks.of_lab(lab), marks.SERVER: server.name},
        # Nothing in a lab is to be asked of the name servers of the world outside.
        "dns": [LOOPBACK],
        "dns_search": ["."],
    }


def _on_loopback(ports: "Sequence[int]") -> "dict[str, int | None]":
    """Return ports as the engine publishes them on 127.0.0.1.

    `with_bind_ports` cannot say at which address: it would publish them to the whole network.
    """
    published: Mapping[str, tuple[str, int]] = {f"{port}/tcp": (LOOPBACK, port) for port in ports}
    return cast("dict[str, int | None]", published)


class TableReader:
    """Reads the table of connections of the proxies' network, in a container that shares it.

    It is made at the first reading; most labs never need one (`sight.py`).
    """

    def __init__(self, image: str, *, lab: str) -> None:
        self._image = image
        self._lab = lab
        self._container: Container | None = None

    def read(self) -> str:
        """Return the tables as the proxies have them."""
        with told("read the table of connections"):
            if self._container is None:
                self._container = self._made()
            status, said = self._container.exec_run(
                ["cat", *(f"/proc/net/{table}" for table in TABLES)]
            )
        if status != 0:
            raise LabError(f"The table of connections could not be read: {said!r}")
        return str(said.decode("ascii"))

    def _made(self) -> Container:
        client = DockerContainer(self._image, docker_client_kw=CLIENT).with_kwargs(
            entrypoint=["sleep"],
            labels=marks.of_lab(self._lab),
            network_mode=f"container:zero-loss-harness-{self._lab}-{TOXIPROXY}",
        )
        return client.with_command(["infinity"]).start().get_wrapped_container()
