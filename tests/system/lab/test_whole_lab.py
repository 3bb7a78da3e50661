"""A lab that was just started: what it holds, and where it listens."""

import json
from typing import get_args

import psutil
import psycopg
import pytest
from confluent_kafka import Consumer, Producer

from harness.clock import wait_until
from harness.lab.layout import CLIENT_LINKS, LISTENERS
from harness.lab.local import LocalLab
from harness.lab.values import NODES, Link
from harness.schedule.network import Damage
from harness.schedule.targets import LockServiceName

TOPIC = "lab-test"


def test_three_nodes_are_registered_and_the_internal_topics_in_sync(lab: LocalLab) -> None:
    """No run pays for their creation."""
    assert lab.cluster.registered() == frozenset(NODES)
    states = {
        (each.topic, each.partition): each
        for each in lab.cluster.partitions()
        if each.topic.startswith("__")
    }
    assert len(states) == 6
    assert {name for name, _ in states} == {"__consumer_offsets", "__transaction_state"}
    assert all(set(each.replicas) == set(NODES) for each in states.values())


def test_every_process_of_the_lab_lives_and_is_counted(lab: LocalLab) -> None:
    """Three nodes, a proxy server, a database and two lock services, within 1.5 gigabytes."""
    assert lab.check_alive() == ()
    assert 200e6 < lab.memory_bytes() < 1.5e9
    assert lab.boot_s < 30


def test_the_description_is_json_and_holds_what_is_in_force(lab: LocalLab) -> None:
    """Profile, versions, every node's settings, every link."""
    described = json.loads(json.dumps(lab.describe()))
    assert described["profile"] == "fast"
    assert described["nodes"]["1"]["min.insync.replicas"] == "2"
    assert described["nodes"]["3"]["broker.rack"] == "rack-3"
    assert described["versions"]["kafka"]
    assert len(described["links"]) == 60


@pytest.mark.usefixtures("processes")
def test_no_listener_of_the_lab_is_off_loopback(lab: LocalLab) -> None:
    """Asked of the operating system, for every process of the lab, all client links led."""
    lab.frames.lead(CLIENT_LINKS)
    listening = [
        (connection.laddr.ip, connection.laddr.port)
        for server in (
            *(*lab.nodes.values(), lab.toxiproxy, lab.frames.server, lab.database),
            *(lab.lock_service(name) for name in get_args(LockServiceName)),
        )
        for process in server.family()
        for connection in process.net_connections("inet")
        if connection.status in (psutil.CONN_LISTEN, psutil.CONN_NONE)
    ]
    lab.frames.lead_back()
    expected = set(lab.layout.all()) - {lab.layout.frames}  # open for one call only, and closed
    assert len(listening) >= len(expected)
    assert {ip for ip, _ in listening} <= {"127.0.0.1", "::ffff:127.0.0.1"}
    assert {port for _, port in listening} == expected


@pytest.mark.usefixtures("processes")
def test_nodes_talk_to_each_other_through_proxies_only(lab: LocalLab) -> None:
    """No node holds a connection to another node's own port: all lead to a proxy or to itself."""
    for number, node in lab.nodes.items():
        others = {
            lab.layout.listener(other, name)
            for other in NODES
            if other != number
            for name in ("AUDIT", *(f"{kind}_{n}" for kind in ("FROM", "CTRL") for n in NODES))
        }
        remote = {
            connection.raddr.port
            for connection in psutil.Process(node.pid()).net_connections("tcp")
            if connection.raddr and connection.status == psutil.CONN_ESTABLISHED
        }
        proxies = {
            lab.layout.proxy(Link(plane=plane, source=str(number), target=str(other)))
            for plane in ("replication", "quorum")
            for other in NODES
            if other != number
        }
        assert remote & others == set()
        assert remote & proxies


def accepted(lab: LocalLab, links: list[Link]) -> list[int]:
    """Return how many connections each link has taken so far."""
    return [seen.accepted for seen in lab.links.traffic(links).values()]


def test_a_slot_client_reaches_nodes_through_its_own_proxies_only(lab: LocalLab) -> None:
    """Produce and consume through slot 3 from this process, and look at its connections."""
    unused = [Link(plane="client", source="slot6", target=str(node)) for node in NODES]
    before = accepted(lab, unused)
    producer = Producer({"bootstrap.servers": lab.bootstrap(3), "acks": "all", "log_level": 0})
    for partition in range(3):
        producer.produce(TOPIC, b"through slot 3", partition=partition)
    assert producer.flush(10) == 0
    consumer = Consumer(
        {
            "bootstrap.servers": lab.bootstrap(3),
            "group.id": "slot-3",
            "log_level": 0,
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe([TOPIC])
    wait_until(lambda: consumer.poll(0.2), deadline_s=15, describe="a record through slot 3")
    remote = {
        connection.raddr.port
        for connection in psutil.Process().net_connections("tcp")
        if connection.raddr and connection.raddr.port in lab.layout.all()
    }
    consumer.close()
    links = [Link(plane="client", source="slot3", target=str(node)) for node in NODES]
    audit = {lab.layout.listener(node, "AUDIT") for node in NODES}
    direct = {lab.layout.listener(node, name) for node in NODES for name in LISTENERS} - audit
    assert remote & direct == set()  # clients of other tests may linger, behind proxies as well
    assert remote & {lab.layout.proxy(link) for link in links}
    assert any(seen.accepted for seen in lab.links.traffic(links).values())
    assert accepted(lab, unused) == before


def test_a_database_is_reached_through_the_slot_link(lab: LocalLab) -> None:
    """Cutting one slot's database link leaves the other's alone."""
    lab.database.create("linked")
    link = Link(plane="database", source="slot2", target="database")
    with (
        psycopg.connect(lab.database_url(2, "linked")) as cut_off,
        psycopg.connect(lab.database_url(4, "linked")) as other,
    ):
        cut_off.execute("SELECT 1")
        lab.links.cut([link], damage=Damage(flavour="refuse"))
        assert other.execute("SELECT 1").fetchone() == (1,)
        try:
            cut_off.execute("SELECT 1")
        except psycopg.OperationalError:
            lab.links.heal([link])
        else:
            raise AssertionError("a refused link carried a query")
    lab.database.drop("linked")
