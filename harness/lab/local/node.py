"""Makes the three Kafka nodes of a lab: their files and the processes that run them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.lab import kafka_wire
from harness.lab.audit import ask_all
from harness.lab.local import node_config
from harness.lab.local.layout import LISTENERS, Layout
from harness.lab.local.process import Command, ServerProcess
from harness.lab.local.recipe import Recipe
from harness.lab.profile import Profile
from harness.lab.values import NODES

LOGGING = (
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
    # Hundreds of lines that `describe` has in a better form.
    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config.AbstractConfig=warn",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFiles:
    """One node on disk."""

    number: int
    folder: Path
    settings: Mapping[str, str]


def prepare(
    folder: Path,
    *,
    layout: Layout,
    profile: Profile,
    kafka_version: str,
    checkpoint: Path,
    seen_as: Path | None = None,
) -> list[NodeFiles]:
    """Write configuration and formatted storage of every node below `folder`.

    `seen_as` is where a node itself finds its folder, if that is somewhere else than here.
    """
    cluster_id = node_config.kafka_uuid()
    prepared = []
    for number in NODES:
        home = folder / f"node-{number}"
        (home / "tmp").mkdir(parents=True)
        node_config.format_storage(
            home / "data", node=number, cluster_id=cluster_id, bootstrap_checkpoint=checkpoint
        )
        settings = node_config.properties(
            number,
            layout=layout,
            data=(seen_as or home) / "data",
            profile=profile,
            kafka_version=kafka_version,
        )
        (home / "node.properties").write_text(node_config.render(settings), encoding="utf-8")
        prepared.append(NodeFiles(number=number, folder=home, settings=settings))
    return prepared


def process(
    files: NodeFiles, *, layout: Layout, recipe: Recipe, mark: Mapping[str, str]
) -> ServerProcess:
    """Return the process of a node, not yet started."""
    audit = layout.listener(files.number, "AUDIT")
    command = Command(
        argv=(
            *recipe.java,
            # Native libraries of the codecs are unpacked there, and go with the lab.
            f"-Djava.io.tmpdir={files.folder / 'tmp'}",
            *LOGGING,
            "kafka.Kafka",
            str(files.folder / "node.properties"),
        ),
        folder=files.folder,
        log=files.folder / "server.log",
        environment={**plain_environment(), **mark},
        ports=tuple(layout.listener(files.number, name) for name in LISTENERS),
    )
    return ServerProcess(f"node {files.number}", command, answers=lambda: answers(audit))


def plain_environment() -> dict[str, str]:
    """Return what a server needs of this environment: no JAVA_*, PG* or proxy settings."""
    kept = ("PATH", "LD_LIBRARY_PATH", "TZ")
    found = {name: os.environ[name] for name in kept if name in os.environ}
    return {"LC_ALL": "C", **found}


def answers(audit_port: int) -> bool:
    """Tell whether a node answers on its audit port."""
    return bool(ask_all({0: audit_port}, kafka_wire.metadata_request(1)))
