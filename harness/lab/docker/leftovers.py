"""Removes from the engine what dead labs of this owner left, by label, and nothing else."""

from pathlib import Path

import docker

from harness.lab.docker import marks
from harness.lab.docker.engine import told
from harness.lab.keeping import folders, warden
from harness.lab.keeping.claims import try_claim


def clear_dead_labs(client: docker.DockerClient) -> tuple[str, ...]:
    """Clear every lab of this owner whose claim nobody holds any more; return their names."""
    cleared = []
    for name in sorted(_known(client)):
        folder = folders.root() / name
        claim = try_claim(Path(f"{folder}{folders.SUFFIX}"))
        if claim is None:
            continue  # its harness, or the warden that is clearing it, lives
        try:
            with told(f"remove what the dead lab {name} left"):
                warden.clear_engine(marks.label(name))
            warden.clear(folder, name=name)
        finally:
            claim.release(unlink=True)
        cleared.append(name)
    return tuple(cleared)


def _known(client: docker.DockerClient) -> set[str]:
    """Return the names of this owner's labs that anything in the engine bears."""
    wanted = {"label": f"{marks.OWNER}={marks.owner()}"}
    with told("list what earlier labs left"):
        bearers = [
            *client.containers.list(all=True, sparse=True, filters=wanted),
            *client.networks.list(filters=wanted),
            *client.volumes.list(filters=wanted),
        ]
    return {name for each in bearers if (name := _lab_of(each.attrs)) is not None}


def _lab_of(attributes: dict[str, dict[str, str] | None]) -> str | None:
    return (attributes.get("Labels") or {}).get(marks.LAB)
