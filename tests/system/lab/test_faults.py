"""Faults on a real lab: what they do to the cluster, and that healing undoes it."""

import psycopg
import pytest

from harness.clock import wait_until
from harness.errors import LabError
from harness.lab.local import LocalLab
from harness.lab.values import Link, TopicSpec
from harness.schedule.network import Damage, Flavour

from .conftest import await_full_isr, await_state, state

FLAVOURS: tuple[Flavour, ...] = ("refuse", "drop", "hold")
pytestmark = pytest.mark.usefixtures("whole")


@pytest.mark.usefixtures("load")
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_a_follower_that_cannot_fetch_leaves_the_in_sync_replicas(
    lab: LocalLab, flavour: Flavour
) -> None:
    """One way only: the other links of both nodes stay, and so does the leader."""
    before = state(lab)
    follower = next(node for node in before.isr if node != before.leader)
    link = Link(plane="replication", source=str(follower), target=str(before.leader))
    lab.links.cut([link], damage=Damage(flavour=flavour))
    await_state(lab, lambda now: follower not in now.isr, describe="the ISR to shrink")
    assert (state(lab).leader, len(state(lab).isr)) == (before.leader, 2)
    lab.links.heal([link])
    await_full_isr(lab)


@pytest.mark.usefixtures("load")
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_isolating_a_leader_moves_its_leadership(lab: LocalLab, flavour: Flavour) -> None:
    """Eight links at once; the view with the highest epoch is believed."""
    before = state(lab)
    links = [
        link
        for link in lab.links.all()
        if link.plane in ("replication", "quorum")
        and str(before.leader) in (link.source, link.target)
    ]
    assert len(links) == 8
    lab.links.cut(links, damage=Damage(flavour=flavour))
    await_state(lab, lambda now: now.leader not in (before.leader, -1), describe="another leader")
    assert state(lab).leader_epoch > before.leader_epoch
    lab.links.heal(links)
    await_full_isr(lab)


@pytest.mark.usefixtures("load")
def test_a_killed_node_comes_back_into_every_isr(lab: LocalLab) -> None:
    """Killed at once, told apart from a death of its own, started again from its disk."""
    leader = state(lab).leader
    node = lab.nodes[leader]
    node.kill()
    assert (node.pid(), node.exit_code(), node.serves()) == (None, -9, False)
    assert lab.check_alive() == ()
    await_state(lab, lambda now: leader not in now.isr, describe="the dead node to leave the ISR")
    node.start()
    await_full_isr(lab)
    wait_until(node.serves, deadline_s=10, describe="the node to answer")


@pytest.mark.usefixtures("load")
def test_a_paused_node_is_silent_and_comes_back(lab: LocalLab) -> None:
    """It accepts connections, answers nothing, loses its leadership, and joins again."""
    leader = state(lab).leader
    node = lab.nodes[leader]
    node.pause()
    assert node.pid() is not None
    assert not node.serves()
    await_state(lab, lambda now: now.leader not in (leader, -1), describe="another leader")
    node.resume()
    wait_until(node.serves, deadline_s=5, describe="the node to answer")
    await_full_isr(lab)


def test_the_database_survives_a_kill_with_what_was_committed(lab: LocalLab) -> None:
    """Asked through a slot's link before and after."""
    lab.database.create("killed")
    with psycopg.connect(lab.database_url(1, "killed"), autocommit=True) as connection:
        connection.execute("CREATE TABLE t AS SELECT 42 AS answer")
    lab.database.kill()
    assert not lab.database.serves()
    lab.database.start()
    wait_until(lab.database.serves, deadline_s=15, describe="the database")
    with psycopg.connect(lab.database_url(1, "killed")) as connection:
        assert connection.execute("SELECT answer FROM t").fetchone() == (42,)
    lab.database.drop("killed")


@pytest.mark.usefixtures("processes")
def test_a_node_that_dies_unasked_is_told_of(lab: LocalLab) -> None:
    """Its name, its status and its last words; and it can be started again."""
    node = lab.nodes[3]
    node.family()[0].kill()
    wait_until(lambda: node.pid() is None, deadline_s=5, describe="its end")
    (sentence,) = lab.check_alive()
    assert sentence.startswith("node 3 died unasked with status -9; it last said: ")
    node.start()
    wait_until(node.serves, deadline_s=20, describe="the node to answer")


def test_topics_come_and_go(lab: LocalLab) -> None:
    """Full in-sync replicas on return; deleting twice is no error; a bad one is a LabError."""
    spec = TopicSpec(
        name="brief", partitions=2, replication_factor=3, config={"min.insync.replicas": "1"}
    )
    lab.cluster.create_topics([spec])
    states = [each for each in lab.cluster.partitions() if each.topic == "brief"]
    assert [set(each.isr) for each in states] == [{1, 2, 3}] * 2
    with pytest.raises(LabError, match="already exists"):
        lab.cluster.create_topics([spec])
    lab.cluster.delete_topics(["brief"])
    lab.cluster.delete_topics(["brief"])
    wait_until(
        lambda: all(each.topic != "brief" for each in lab.cluster.partitions()),
        deadline_s=5,
        describe="the topic to go",
    )
