"""Writes the three Kafka nodes of a lab to disk, and tells whether one answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.lab import kafka_wire
from harness.lab.audit import ask_all
from harness.lab.layout import Layout
from harness.lab.nodes import node_config
from harness.lab.profile import Profile
from harness.lab.values import NODES
from harness.provision.kafka_uuid import kafka_uuid

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
    cluster_id = kafka_uuid()
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


def answers(audit_port: int) -> bool:
    """Tell whether a node answers on its audit port."""
    return bool(ask_all({0: audit_port}, kafka_wire.metadata_request(1)))
