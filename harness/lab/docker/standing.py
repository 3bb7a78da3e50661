"""Finds the lab that `docker compose up` has standing, and makes it usable by runs.

It was there before and stays afterwards: a run heals it and takes its topics and databases away,
nothing more. One process at a time may use it.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import docker

from harness.clock import Deadline, monotonic_s
from harness.errors import LabError, UsageError
from harness.lab import awaiting
from harness.lab.docker import compose, engine, marks
from harness.lab.docker.lab import DockerLab
from harness.lab.docker.lock_services import DockerLockServer, DockerRedis, DockerZooKeeper
from harness.lab.docker.making import TableReader
from harness.lab.docker.parts import Parts, put_together
from harness.lab.keeping import folders, ports, warden
from harness.lab.keeping.claims import Claim, try_claim
from harness.lab.keeping.guardian import Guardian
from harness.lab.layout import DATABASE, TOXIPROXY, node_name
from harness.lab.profile import Profile, profile_named
from harness.lab.values import NODES, Link
from harness.provision.kafka import KAFKA_VERSION
from harness.schedule.targets import LockServiceName

if TYPE_CHECKING:
    from docker.models.containers import Container

UP = "docker compose up -d --wait"
NEEDED = (TOXIPROXY, *map(node_name, NODES), DATABASE)


def _silent(_line: str) -> None:
    """Show a line of progress to nobody."""


def attach_standing_lab(
    *,
    profile: str = compose.PROFILE.name,
    kafka_version: str = KAFKA_VERSION,
    progress: Callable[[str], None] = _silent,
) -> DockerLab:
    """Return the standing lab, whole: everything runs, every link is as new, all is in sync.

    UsageError if none stands, or one with another profile or release; LabError if another process
    uses it or it does not become whole. Closing it leaves it standing.
    """
    began = monotonic_s()
    client = engine.connect()
    containers = _find(client)
    _check(containers, profile=profile, kafka_version=kafka_version)
    engine.settle_reaper(client)
    claim = try_claim(ports.state_folder() / f"{compose.BASE}.lock")
    if claim is None:
        raise LabError(
            "Another run uses the standing lab",
            remedy="wait for its end, or leave --lab out for a lab of your own",
        )
    try:
        lab = _attach(containers, claim=claim, progress=progress)
    except BaseException:
        claim.release()
        raise
    lab.boot_s = monotonic_s() - began
    progress(f"attached to the standing lab after {lab.boot_s:.1f} s")
    return lab


def _find(client: docker.DockerClient) -> "dict[str, Container]":
    """Return its containers by server; UsageError if one that every lab has is not there."""
    label = f"{compose.STANDING}={compose.KIND}"
    with engine.told("list containers"):
        found = engine.by_server(client, label, server=marks.SERVER)
    missing = [name for name in NEEDED if name not in found]
    if missing:
        raise UsageError(
            f"No whole lab stands: there is no container for {', '.join(missing)}", remedy=UP
        )
    return found


def _check(containers: "dict[str, Container]", *, profile: str, kafka_version: str) -> None:
    """Raise UsageError if the standing lab is not what is asked for."""
    labels = containers[node_name(NODES[0])].labels
    stands = (labels[marks.PROFILE], labels[marks.KAFKA])
    if stands != (profile, kafka_version):
        raise UsageError(
            f"The standing lab has profile {stands[0]} and Kafka {stands[1]}, "
            f"not {profile} and {kafka_version}",
            remedy="leave --lab out: a lab is started with what you ask for",
        )


def _attach(
    containers: "dict[str, Container]", *, claim: Claim, progress: Callable[[str], None]
) -> DockerLab:
    labels = containers[node_name(NODES[0])].labels
    profile = profile_named(labels[marks.PROFILE])
    folder, name_claim = folders.claim_name()
    guardian = Guardian(folder, claims=[name_claim, claim], label=marks.label(folder.name))
    folders.make(folder)
    (folder / TOXIPROXY).mkdir()
    parts = _parts(containers, folder=folder)

    def end() -> None:
        try:
            _make_whole(parts)
        finally:
            parts.hang_up()
            with engine.told("remove what runs on the standing lab had in it"):
                warden.clear_engine(marks.label(folder.name))
            warden.clear(folder, name=folder.name)
            guardian.dismiss()
            for each in (name_claim, claim):
                each.release(unlink=each is name_claim)

    lab = DockerLab(
        folder,
        profile=profile,
        parts=parts,
        described=_described(containers, kafka_version=labels[marks.KAFKA]),
        watched=guardian.alive,
        end=end,
    )
    try:
        _ready(lab, parts, profile=profile, progress=progress)
    except BaseException:
        lab.close()
        raise
    return lab


def _parts(containers: "dict[str, Container]", *, folder: Path) -> Parts:
    image = str(containers[node_name(NODES[0])].attrs["Config"]["Image"])
    return put_together(
        folder,
        layout=compose.LAYOUT,
        source=containers.__getitem__,
        accounts=compose.ACCOUNTS,
        lock_service=partial(_lock_service, containers),
        read_table=TableReader(image, lab=folder.name).read,
    )


def _ready(
    lab: DockerLab, parts: Parts, *, profile: Profile, progress: Callable[[str], None]
) -> None:
    deadline = Deadline(profile.patience.boot_s)
    mended = _make_whole(parts)
    parts.observe()
    if mended:
        progress(f"{len(mended)} links were not as a new lab has them, and were made anew")
    alive = partial(awaiting.all_alive, parts.first(), remedy=UP)
    awaiting.nodes(lab.cluster, deadline=deadline, alive=alive)
    awaiting.internal_topics(lab.cluster, deadline=deadline, alive=alive)
    awaiting.database(lab.database, deadline=deadline, alive=alive)


def _make_whole(parts: Parts) -> tuple[Link, ...]:
    """Have every server run and every link as new; return the links that were not."""
    for server in parts.all():
        if server.pid() is None:
            server.start()
        else:
            server.resume()
    return parts.links.restore()


def _lock_service(containers: "dict[str, Container]", name: LockServiceName) -> DockerLockServer:
    if name not in containers:
        raise UsageError(
            f"The standing lab has no {name}",
            remedy=f"docker compose --profile {name} up -d --wait",
        )
    if name == "redis":
        return DockerRedis(compose.REDIS_PASSWORD, layout=compose.LAYOUT, make=containers[name])
    return DockerZooKeeper(layout=compose.LAYOUT, make=containers[name])


def _described(containers: "dict[str, Container]", *, kafka_version: str) -> dict[str, object]:
    return {
        "standing": compose.KIND,
        "kafka": kafka_version,
        "features": "",
        "versions": {
            name: f"{each.attrs['Config']['Image']} {each.attrs['Image']}"
            for name, each in sorted(containers.items())
        },
        "nodes": {str(number): compose.node_settings(number) for number in NODES},
        "java": [],
    }
