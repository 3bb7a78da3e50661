"""Writes what a node needs on disk before its first start. Pure text and small files.

Formatting does what Kafka's StorageTool does (`meta.properties` version 1 and the bootstrap
checkpoint) without the 0.5 s of a JVM for each node; a test compares the two.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from harness.lab.layout import LISTENERS, LOOPBACK, TOXIPROXY, Layout, node_name
from harness.lab.profile import Profile
from harness.lab.values import NODES, Link
from harness.provision.kafka_uuid import kafka_uuid

if TYPE_CHECKING:
    from harness.schedule.network import Plane


def format_storage(data: Path, *, node: int, cluster_id: str, bootstrap_checkpoint: Path) -> None:
    """Make `data` a formatted log folder of `node`."""
    data.mkdir(parents=True)
    lines = ("version=1", f"cluster.id={cluster_id}", f"node.id={node}")
    text = "\n".join((*lines, f"directory.id={kafka_uuid()}", ""))
    (data / "meta.properties").write_text(text, encoding="ascii")
    shutil.copyfile(bootstrap_checkpoint, data / "bootstrap.checkpoint")


def properties(
    node: int, *, layout: Layout, data: Path, profile: Profile, kafka_version: str
) -> dict[str, str]:
    """Return every setting that this node is given."""
    controllers = [f"CTRL_{node}", *(f"CTRL_{other}" for other in NODES if other != node)]
    return {
        **profile.settings(kafka_version),
        "process.roles": "broker,controller",
        "node.id": str(node),
        "broker.rack": f"rack-{node}",
        "log.dirs": str(data),
        "listeners": ",".join(
            f"{name}://{layout.bind}:{layout.listener(node, name)}" for name in LISTENERS
        ),
        "advertised.listeners": ",".join(
            f"{name}://{advertised_at(node, name, layout=layout)}" for name in LISTENERS
        ),
        "listener.security.protocol.map": ",".join(f"{name}:PLAINTEXT" for name in LISTENERS),
        "inter.broker.listener.name": f"FROM_{node}",
        "controller.listener.names": ",".join(controllers),
        "controller.quorum.voters": ",".join(
            f"{voter}@{advertised_at(voter, f'CTRL_{node}', layout=layout)}" for voter in NODES
        ),
    }


def advertised_at(node: int, name: str, *, layout: Layout) -> str:
    """Return where others are told to find a listener of a node."""
    kind, _, source = name.partition("_")
    if kind == "AUDIT":
        return f"{LOOPBACK}:{layout.listener(node, name)}"
    if kind == "SLOT":
        link = Link(plane="client", source=f"slot{source}", target=str(node))
        return f"{LOOPBACK}:{layout.proxy(link)}"
    if int(source) == node:
        return f"{layout.host(node_name(node))}:{layout.listener(node, name)}"
    plane: Plane = "replication" if kind == "FROM" else "quorum"
    link = Link(plane=plane, source=source, target=str(node))
    return f"{layout.host(TOXIPROXY)}:{layout.proxy(link)}"


def render(settings: Mapping[str, str]) -> str:
    """Return a properties file; the values used here need no escaping but the backslash."""
    lines = (f"{key}={value}" for key, value in sorted(settings.items()))
    return "\n".join((*lines, "")).replace("\\", "\\\\")
