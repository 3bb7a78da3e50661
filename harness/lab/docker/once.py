"""A container that does one thing for an entry of the cache and is gone."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from testcontainers.core.docker_client import DockerClient

from harness.lab.docker import marks
from harness.lab.docker.engine import CLIENT, account
from harness.lab.docker.servers import POSTGRES_USER
from harness.provision.images.names import KAFKA_LIBS

if TYPE_CHECKING:
    from docker.models.containers import Container

CLASS_PATH = ("-cp", f"{KAFKA_LIBS}/*")


def short(identity: str) -> str:
    """Return an image's identity as the name of what was made once for it ends."""
    return identity.partition(" ")[0].replace(":", "-")[:23]


def java(
    image: str, words: Sequence[str], *, folder: Path, lab: str
) -> "AbstractContextManager[Container]":
    """Run Java of Kafka's image with these words; `folder` has the same name inside."""
    options = {
        "command": list(words),
        "entrypoint": "java",
        "user": account(),
        "volumes": {str(folder): {"bind": str(folder), "mode": "rw,z"}},
    }
    return _container(image, options, lab=lab)


def database(
    image: str, script: str, *, environment: Mapping[str, str], lab: str
) -> "AbstractContextManager[Container]":
    """Run a shell script as the account that the database server of an image has."""
    options = {
        "command": [],
        "entrypoint": ["/bin/sh", "-c", script],
        "user": POSTGRES_USER,
        "environment": dict(environment),
    }
    return _container(image, options, lab=lab)


@contextmanager
def _container(image: str, options: Mapping[str, Any], *, lab: str) -> "Iterator[Container]":
    """Start a container without a network.

    It, and whatever volumes its image has, are gone after the block. It bears the lab's label:
    should this process die in the middle, it goes with the lab.
    """
    container = DockerClient(**CLIENT).run(
        image, detach=True, network_mode="none", labels=marks.of_lab(lab), **options
    )
    try:
        yield container
    finally:
        container.remove(force=True, v=True)
