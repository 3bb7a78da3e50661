"""Asks the Docker engine who it is and which images it has; it starts nothing and pulls nothing."""

import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from harness.errors import UsageError

if TYPE_CHECKING:
    import docker

DEFAULT_SOCKET = Path("/var/run/docker.sock")
DEADLINE_S = 10.0
OTHER = "or use --backend local"
JOIN = "join the group that owns it (usermod -aG docker $USER) and log in again"
INSTALL = "install Docker and start it (Debian and Ubuntu: apt-get install docker.io)"


class EngineError(UsageError):
    """No engine can be used here; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A Docker engine that answered."""

    version: str
    memory_bytes: int
    """What it may use altogether, by its own word."""
    address: str
    images: frozenset[str]
    """The full reference of every image that it has."""

    def lacks(self, references: Iterable[str]) -> tuple[str, ...]:
        """Return those of these images that it does not have."""
        return tuple(each for each in references if each not in self.images)

    def __str__(self) -> str:
        return f"Docker {self.version} at {self.address}"


def connect(*, deadline_s: float = DEADLINE_S) -> "docker.DockerClient":
    """Return a client of the engine that testcontainers would use; the caller closes it.

    `deadline_s` is for each answer. EngineError where none answers, or where this user may not ask.
    """
    address = _address()
    _check_socket(address)
    import docker  # noqa: PLC0415  # half a second that a machine without an engine need not pay

    with _answers_of(address):
        client = docker.from_env(  # which knows the variables of TLS
            timeout=deadline_s,
            use_ssh_client=address.startswith("ssh://"),
            environment={**os.environ, "DOCKER_HOST": address},
        )
        try:
            client.ping()
        except BaseException:
            client.close()
            raise
        return client


def ask() -> Engine:
    """Return who the engine is and what it has; EngineError as `connect`."""
    client, address = connect(), _address()
    try:
        with _answers_of(address):
            told = client.info()
            images = frozenset(tag for image in client.images.list() for tag in image.tags)
    finally:
        client.close()
    return Engine(
        version=told["ServerVersion"],
        memory_bytes=told["MemTotal"],
        address=address,
        images=images,
    )


def has(reference: str) -> bool:
    """Tell whether the engine has an image, by a tag, a digest or its id; EngineError as `ask`."""
    client, address = connect(), _address()
    try:
        with _answers_of(address):
            return holds(client, reference)
    finally:
        client.close()


def holds(client: "docker.DockerClient", reference: str) -> bool:
    """Tell the same of an engine that is connected already; raises what the SDK raises."""
    from docker.errors import ImageNotFound  # noqa: PLC0415  # see connect

    try:
        client.images.get(reference)
    except ImageNotFound:
        return False
    return True


@contextmanager
def _answers_of(address: str) -> Iterator[None]:
    """Turn what the client's libraries raise inside the block into EngineError."""
    from docker.errors import DockerException  # noqa: PLC0415  # see connect
    from requests import RequestException  # noqa: PLC0415

    try:
        yield
    except (DockerException, RequestException, OSError) as error:
        raise EngineError(
            f"The Docker engine at {address} does not answer: {error}", remedy=f"start it, {OTHER}"
        ) from error


def _address() -> str:
    """Return where the engine is: by testcontainers' settings, DOCKER_HOST, or Docker's context."""
    if not _is_configured():
        return f"unix://{DEFAULT_SOCKET}"
    from testcontainers.core.docker_client import get_docker_host  # noqa: PLC0415  # see connect

    return get_docker_host() or f"unix://{DEFAULT_SOCKET}"


def _is_configured() -> bool:
    """Tell whether anything could name another address than the default."""
    settings = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker", "config.json")
    return bool(
        os.environ.get("DOCKER_HOST")
        or os.environ.get("DOCKER_CONTEXT")
        or settings.exists()
        or Path.home().joinpath(".testcontainers.properties").exists()
    )


def _check_socket(address: str) -> None:
    """Raise EngineError where the socket itself already tells that nobody can be asked."""
    parts = urlsplit(address)
    if parts.scheme != "unix":
        return
    try:
        with socket.socket(socket.AF_UNIX) as wire:
            wire.settimeout(DEADLINE_S)
            wire.connect(parts.path)
    except PermissionError as error:
        raise EngineError(
            f"This user may not use the Docker engine: no permission for {parts.path}",
            remedy=f"{JOIN}, {OTHER}",
        ) from error
    except FileNotFoundError as error:
        raise EngineError(
            f"No Docker engine answers: there is no socket {parts.path}",
            remedy=f"{INSTALL}, {OTHER}",
        ) from error
    except OSError as error:
        raise EngineError(
            f"No Docker engine answers at {parts.path}: {error.strerror or error}",
            remedy=f"{INSTALL}, {OTHER}",
        ) from error
