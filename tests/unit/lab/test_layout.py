"""Ports and addresses of the per-source listener scheme."""

from pathlib import Path
from typing import get_args

import pytest

from harness.lab.keeping.ports import STEP
from harness.lab.layout import CLIENT_LINKS, LINKS, LISTENERS, PORTS, Layout
from harness.lab.nodes.node_config import (
    advertised_at,
    format_storage,
    properties,
    render,
)
from harness.lab.profile import FAST
from harness.lab.values import LOCK_SERVICES, NODES, Link
from harness.provision.kafka import KAFKA_VERSION
from harness.schedule.network import Plane

LAYOUT = Layout(base=20_000)
NETWORKED = Layout(base=20_000, networked=True)


def settings(node: int) -> dict[str, str]:
    """Return the settings of one node."""
    return properties(
        node, layout=LAYOUT, data=Path("data"), profile=FAST, kafka_version=KAFKA_VERSION
    )


def test_no_port_is_given_twice_and_none_lies_outside_of_the_block() -> None:
    """Proxies, listeners, detours, APIs, the database and lock services share one block."""
    given = [
        LAYOUT.api,
        LAYOUT.postgres,
        *(LAYOUT.lock_service(name) for name in LOCK_SERVICES),
        *(LAYOUT.listener(node, name) for node in NODES for name in LISTENERS),
        *(LAYOUT.proxy(link) for link in LINKS),
        LAYOUT.frames,
        *(LAYOUT.detour(link) for link in CLIENT_LINKS),
    ]
    assert sorted(given) == list(LAYOUT.all())
    assert len(given) == PORTS <= STEP


def test_every_pair_of_nodes_and_every_slot_has_its_links() -> None:
    """Six links on each plane between nodes; three, one and two for each of eight slots."""
    counts = {plane: sum(link.plane == plane for link in LINKS) for plane in get_args(Plane)}
    assert counts == {
        "replication": 6,
        "quorum": 6,
        "client": 24,
        "database": 8,
        "coordination": 16,
    }


@pytest.mark.parametrize("source", NODES)
@pytest.mark.parametrize("target", NODES)
def test_a_node_is_sent_to_its_peer_through_their_proxy_only(source: int, target: int) -> None:
    """A looks up B under FROM_A and CTRL_A: the proxy "A → B", or itself directly."""
    kinds: dict[Plane, str] = {"replication": "FROM", "quorum": "CTRL"}
    for plane, kind in kinds.items():
        link = Link(plane=plane, source=str(source), target=str(target))
        own = LAYOUT.listener(target, f"{kind}_{source}")
        expected = own if source == target else LAYOUT.proxy(link)
        name = f"{kind}_{source}"
        assert advertised_at(target, name, layout=LAYOUT) == f"127.0.0.1:{expected}"
        if source != target:
            assert LAYOUT.upstream(link) == own


@pytest.mark.parametrize("node", NODES)
def test_a_node_looks_peers_up_under_its_own_names(node: int) -> None:
    """Its inter-broker listener and the first of its controller listeners bear its number."""
    assert settings(node)["inter.broker.listener.name"] == f"FROM_{node}"
    assert settings(node)["controller.listener.names"].split(",")[0] == f"CTRL_{node}"


@pytest.mark.parametrize("node", NODES)
def test_voters_are_reached_through_the_quorum_proxies(node: int) -> None:
    """A node names itself directly and each other voter by the proxy towards it."""
    voters = dict(
        voter.split("@") for voter in settings(node)["controller.quorum.voters"].split(",")
    )
    for other in NODES:
        link = Link(plane="quorum", source=str(node), target=str(other))
        port = LAYOUT.listener(node, f"CTRL_{node}") if other == node else LAYOUT.proxy(link)
        assert voters[str(other)] == f"127.0.0.1:{port}"


@pytest.mark.parametrize("node", NODES)
def test_every_address_is_loopback(node: int) -> None:
    """Nothing is bound to or advertised at another address."""
    for key in ("listeners", "advertised.listeners"):
        assert all("://127.0.0.1:" in address for address in settings(node)[key].split(","))


@pytest.mark.parametrize("node", NODES)
def test_the_audit_listener_is_never_behind_a_proxy(node: int) -> None:
    """The harness reads the truth through it."""
    for layout in (LAYOUT, NETWORKED):
        own = layout.listener(node, "AUDIT")
        assert advertised_at(node, "AUDIT", layout=layout) == f"127.0.0.1:{own}"


@pytest.mark.parametrize("node", NODES)
def test_in_a_network_nodes_are_told_names_and_clients_loopback(node: int) -> None:
    """Peers go by the proxies' host, the node itself by its own, clients by published ports."""
    for other in NODES:
        at = advertised_at(node, f"FROM_{other}", layout=NETWORKED)
        assert at.partition(":")[0] == (f"node-{node}" if other == node else "toxiproxy")
    link = Link(plane="client", source="slot1", target=str(node))
    at = advertised_at(node, "SLOT_1", layout=NETWORKED)
    assert at == f"127.0.0.1:{NETWORKED.proxy(link)}"


def test_in_a_network_a_proxy_leads_to_a_host_by_name() -> None:
    """Each server is a host of its own there, and a proxy listens on every address it has."""
    ends = {link: NETWORKED.upstream_address(link).partition(":")[0] for link in LINKS}
    for link, host in ends.items():
        assert host == (f"node-{link.target}" if link.target.isdigit() else link.target)
        assert NETWORKED.listen_address(link) == f"0.0.0.0:{NETWORKED.proxy(link)}"


def test_formatting_writes_an_id_of_its_own_into_each_folder(tmp_path: Path) -> None:
    """Directory ids are unique, or a broker refuses to start (KIP-858)."""
    checkpoint = tmp_path / "bootstrap.checkpoint"
    checkpoint.write_bytes(b"records")
    texts = set()
    for node in NODES:
        data = tmp_path / str(node) / "data"
        format_storage(data, node=node, cluster_id="c", bootstrap_checkpoint=checkpoint)
        assert (data / "bootstrap.checkpoint").read_bytes() == b"records"
        texts.add((data / "meta.properties").read_text().split("directory.id=")[1])
    assert len(texts) == 3


def test_a_backslash_survives_a_properties_file() -> None:
    """It is the one character of a path that the format would eat."""
    assert render({"b": "x\\y", "a": "1"}) == "a=1\nb=x\\\\y\n"
