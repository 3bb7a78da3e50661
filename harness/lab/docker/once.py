"""A container of Kafka's image that does one thing to a folder of the cache and is gone."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from testcontainers.core.docker_client import DockerClient

from harness.lab.docker import marks
from harness.lab.docker.engine import CLIENT, account
from harness.provision.images.names import KAFKA_LIBS

if TYPE_CHECKING:
    from docker.models.containers import Container

CLASS_PATH = ("-cp", f"{KAFKA_LIBS}/*")


@contextmanager
def java(image: str, words: Sequence[str], *, folder: Path, lab: str) -> "Iterator[Container]":
    """Run Java with these words; `folder` has the same name inside, and there is no network.

    The container, and whatever volumes its image has, are gone after the block. It bears the lab's
    label: should this process die in the middle, it goes with the lab.
    """
    container = DockerClient(**CLIENT).run(
        image,
        command=list(words),
        detach=True,
        entrypoint="java",
        user=account(),
        volumes={str(folder): {"bind": str(folder), "mode": "rw,z"}},
        network_mode="none",
        labels=marks.of_lab(lab),
    )
    try:
        yield container
    finally:
        container.remove(force=True, v=True)
