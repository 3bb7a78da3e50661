"""Starts a lab of containers: everything at once, each step bounded, all removed if one fails."""

import secrets
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from testcontainers.core.network import Network

from harness.clock import Deadline, monotonic_s, wait_until
from harness.errors import HarnessError, LabError
from harness.lab import awaiting
from harness.lab.docker import (
    classdata,
    database_template,
    engine,
    formatting,
    leftovers,
    making,
)
from harness.lab.docker.database_template import Template
from harness.lab.docker.ending import Holding
from harness.lab.docker.lab import DockerLab
from harness.lab.docker.lock_services import DockerLockServer, DockerRedis, DockerZooKeeper
from harness.lab.docker.origin import Origin, write_files, write_lock_files
from harness.lab.docker.parts import Parts, put_together
from harness.lab.keeping import folders, turns
from harness.lab.layout import Layout
from harness.lab.links import proxies
from harness.lab.profile import FAST, Profile
from harness.provision.checkpoint import AS_RELEASED
from harness.provision.images.names import Images
from harness.provision.kafka import KAFKA_VERSION
from harness.schedule.targets import LockServiceName


@dataclass(frozen=True, slots=True, kw_only=True)
class _MadeOnce:
    """What containers of these images made for the first lab, and is kept for all later ones."""

    checkpoint: Path
    archive: Path | None
    template: Template


def _silent(_line: str) -> None:
    """Show a line of progress to nobody."""


def start_docker_lab(
    *,
    images: Images,
    kafka_version: str = KAFKA_VERSION,
    features: Mapping[str, int] = AS_RELEASED,
    profile: Profile = FAST,
    progress: Callable[[str], None] = _silent,
) -> DockerLab:
    """Return a running lab: three nodes registered, internal topics in sync, the database open.

    `kafka_version` is the release in `images.kafka`. UsageError without an engine or an image;
    LabError if a server does not come up, and nothing is left then. Close it, or use it in a
    `with` statement.
    """
    client = engine.connect()
    origin = Origin(
        images=images,
        identities=engine.require(client, images.needed()),
        kafka_version=kafka_version,
        features=features,
    )
    engine.settle_reaper(client)
    with turns.turn():
        began = monotonic_s()
        for name in leftovers.clear_dead_labs(client):
            progress(f"cleared what the dead lab {name} left")
        holding = Holding.take(client)
        lab = _whole(holding, origin, profile=profile, progress=progress)
        lab.boot_s = monotonic_s() - began
    progress(f"lab {lab.name} is ready after {lab.boot_s:.1f} s")
    return lab


def _whole(
    holding: Holding, origin: Origin, *, profile: Profile, progress: Callable[[str], None]
) -> DockerLab:
    """Return the running lab, or raise after everything is removed again."""
    try:
        return _boot(holding, origin, profile=profile, progress=progress)
    except BaseException as error:
        tails = _last_words(holding.parts)
        with suppress(HarnessError):  # the first error is the one to tell
            holding.end()
        if isinstance(error, OSError):
            raise LabError(f"The lab could not be started: {error}{tails}") from error
        if isinstance(error, LabError):
            raise LabError(f"{error.message}{tails}", remedy=error.remedy) from error
        raise


def _boot(
    holding: Holding, origin: Origin, *, profile: Profile, progress: Callable[[str], None]
) -> DockerLab:
    deadline = Deadline(profile.patience.boot_s)
    folder, layout = holding.folder, holding.layout
    folders.make(folder)
    made = _made_once(origin, lab=folder.name, progress=progress)
    settings = write_files(
        folder, layout=layout, profile=profile, origin=origin, checkpoint=made.checkpoint
    )
    network = making.make_network(folder.name)
    parts = holding.parts = _put_together(holding, origin, made, network=network)
    lab = DockerLab(
        folder,
        profile=profile,
        parts=parts,
        described=origin.described(settings),
        watched=holding.watched,
        end=holding.end,
    )
    progress("starting three nodes behind their proxies, in containers")
    engine.in_parallel(server.start for server in parts.first())
    _await_all(lab, parts, deadline=deadline)
    return lab


def _made_once(origin: Origin, *, lab: str, progress: Callable[[str], None]) -> _MadeOnce:
    kafka, postgres = origin.images.kafka, origin.images.postgres
    checkpoint = formatting.provide(
        kafka,
        lab=lab,
        kafka_version=origin.kafka_version,
        features=origin.features,
        progress=progress,
    )
    archive = classdata.provide(
        kafka,
        identity=origin.identities[kafka],
        lab=lab,
        checkpoint=checkpoint,
        progress=progress,
    )
    template = database_template.provide(
        postgres, identity=origin.identities[postgres], lab=lab, progress=progress
    )
    return _MadeOnce(checkpoint=checkpoint, archive=archive, template=template)


def _put_together(holding: Holding, origin: Origin, made: _MadeOnce, *, network: Network) -> Parts:
    folder, layout = holding.folder, holding.layout
    servers = origin.servers(layout=layout, template=made.template, archive=made.archive)
    run = partial(making.run, folder=folder, network=network)
    return put_together(
        folder,
        layout=layout,
        source=lambda name: partial(run, servers[name]),
        accounts=made.template.accounts,
        lock_service=lambda name: lock_service_in(
            name, origin, folder=folder, layout=layout, network=network
        ),
        read_table=making.TableReader(origin.images.kafka, lab=folder.name).read,
    )


def lock_service_in(
    name: LockServiceName, origin: Origin, *, folder: Path, layout: Layout, network: Network
) -> DockerLockServer:
    """Return a lock service that is not started yet; UsageError if its image is not there."""
    server = origin.lock_service(name, layout=layout)
    with closing(engine.connect()) as client:
        engine.require(client, [server.image])
    password = secrets.token_hex(8)
    write_lock_files(folder, name, layout=layout, password=password)
    make = partial(making.run, server, folder=folder, network=network)
    if name == "redis":
        return DockerRedis(password, layout=layout, make=make)
    return DockerZooKeeper(layout=layout, make=make)


def _await_all(lab: DockerLab, parts: Parts, *, deadline: Deadline) -> None:
    """Return when the lab is ready; raise at once if a server dies meanwhile."""
    alive = partial(awaiting.all_alive, parts.first())
    parts.observe()
    wait_until(
        lambda: alive() and proxies.wedged(parts.api) is None,
        deadline_s=deadline.remaining_s(),
        describe="Toxiproxy to answer",
        last_seen=lambda: parts.toxiproxy.log_tail(3),
    )
    awaiting.nodes(lab.cluster, deadline=deadline, alive=alive)
    awaiting.internal_topics(lab.cluster, deadline=deadline, alive=alive)
    awaiting.database(lab.database, deadline=deadline, alive=alive)


def _last_words(parts: Parts | None) -> str:
    """Return the log tails of the servers that do not serve."""
    if parts is None:
        return ""
    said = []
    for server in parts.first():
        with suppress(LabError):
            if not server.serves():
                said.append(f"\n--- {server.name}:\n{server.log_tail(12)}")
    return "".join(said)
