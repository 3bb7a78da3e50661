"""Speaks to the Docker engine: what is there and what is missing, in errors for people."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import docker
import requests
from docker.errors import DockerException, ImageNotFound
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import Reaper

from harness.errors import LabError, UsageError
from harness.provision.images import engine

if TYPE_CHECKING:
    from docker.models.containers import Container

CALL_S = 30
_HERE = ("localhost", "localnpipe", "127.0.0.1", "::1")
"""Hosts of this machine, as the SDK writes them: a socket, a pipe, a port of loopback."""
CLIENT: dict[str, Any] = {"timeout": CALL_S}
"""How testcontainers makes each of its clients."""
TROUBLE = (DockerException, requests.RequestException)
"""What the SDK raises: its own errors, and those of its transport."""


def connect() -> docker.DockerClient:
    """Return a client of the engine that this environment names; UsageError if none answers."""
    client = engine.connect(deadline_s=CALL_S)
    _require_here(str(client.api.base_url))
    return client


@cache
def account() -> str:
    """Return the account inside of a container that owns what this user owns outside.

    An engine that runs without root gives this user the number of root inside.
    """
    client = connect()
    with told("tell how it is set up"), closing(client):
        options = client.info().get("SecurityOptions") or ()
    if any("rootless" in each for each in options):
        return "0:0"
    return f"{os.geteuid()}:{os.getegid()}"


def require(client: docker.DockerClient, images: Iterable[str]) -> dict[str, str]:
    """Return what each image is, by its reference; UsageError for one that is not there.

    Nothing is ever pulled: a lab that starts in seconds must not begin with minutes of it.
    """
    found = {}
    for reference in images:
        try:
            image = client.images.get(reference)
        except ImageNotFound as error:
            raise UsageError(
                f"The Docker engine has no image {reference}",
                remedy=f"docker pull {reference}, or build the project's own: make lab-images",
            ) from error
        digests = image.attrs.get("RepoDigests") or ()
        found[reference] = " ".join((str(image.id), *digests))
    return found


def settle_reaper(client: docker.DockerClient) -> None:
    """Let testcontainers' own reaper (Ryuk) guard what is started from now on, if it is at hand.

    It is used when its image is there and it was not switched off; otherwise this process goes
    without it, because its image must never be pulled in the middle of a start. With it or without,
    the warden of a lab and the next start clear what a dead harness left.
    """
    if testcontainers_config.ryuk_disabled:
        return
    if engine.holds(client, testcontainers_config.ryuk_image):
        Reaper.get_instance()  # here, because containers are started in several threads
    else:
        testcontainers_config.ryuk_disabled = True


@contextmanager
def told(doing: str) -> Iterator[None]:
    """Turn an error of the engine into a LabError that says what was not done."""
    try:
        yield
    except TROUBLE as error:
        raise LabError(
            f"The Docker engine did not {doing}: {error}",
            remedy="`docker ps -a` and the engine's log say more",
        ) from error


def in_parallel(actions: Iterable[Callable[[], object]]) -> None:
    """Do all of it side by side; raise the first error after all were tried."""
    wanted = list(actions)
    with ThreadPoolExecutor(max(1, len(wanted))) as pool:
        futures = [pool.submit(action) for action in wanted]
    for future in futures:
        future.result()


def by_server(client: docker.DockerClient, label: str, *, server: str) -> "dict[str, Container]":
    """Return the containers that bear a label, by the value of another one."""
    found = client.containers.list(all=True, filters={"label": label})
    return {each.labels[server]: each for each in found if server in each.labels}


def _require_here(address: str) -> None:
    """Raise UsageError for an engine of another machine: it has neither our files nor our ports."""
    if urlsplit(address).hostname not in _HERE:
        raise UsageError(
            f"The Docker engine at {address} is not on this machine: it sees none of a lab's files",
            remedy="point DOCKER_HOST at an engine of this machine, or use --backend local",
        )
