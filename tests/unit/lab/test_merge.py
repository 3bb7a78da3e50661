"""One truth out of several nodes' views."""

from harness.lab.cluster import merge
from harness.lab.kafka_wire import MetadataView
from harness.lab.values import PartitionState


def state(*, leader: int, epoch: int, isr: tuple[int, ...], topic: str = "t") -> PartitionState:
    """Return partition 0 of a topic with three replicas."""
    return PartitionState(
        topic=topic,
        partition=0,
        leader=leader,
        leader_epoch=epoch,
        replicas=(1, 2, 3),
        isr=isr,
    )


def view(*partitions: PartitionState) -> MetadataView:
    """Return what one node believes."""
    return MetadataView(
        brokers=frozenset({1, 2, 3}), cluster_id="c", controller=1, partitions=partitions
    )


def test_the_highest_leader_epoch_wins_against_a_majority() -> None:
    """Two stale nodes do not outvote one that knows of the election."""
    old, new = state(leader=1, epoch=4, isr=(1, 2, 3)), state(leader=2, epoch=5, isr=(2, 3))
    assert merge({1: view(old), 2: view(old), 3: view(new)}) == (new,)


def test_within_an_epoch_the_view_of_most_nodes_wins() -> None:
    """A change of the in-sync replicas leaves the leader epoch alone."""
    old, new = state(leader=1, epoch=4, isr=(1, 2, 3)), state(leader=1, epoch=4, isr=(1, 2))
    assert merge({1: view(new), 2: view(new), 3: view(old)}) == (new,)


def test_a_tie_goes_to_the_leader() -> None:
    """The leader proposes changes of the in-sync replicas, so it learns of them first."""
    old, new = state(leader=2, epoch=4, isr=(1, 2, 3)), state(leader=2, epoch=4, isr=(2, 3))
    assert merge({1: view(old), 2: view(new)}) == (new,)


def test_the_order_of_in_sync_replicas_is_no_difference() -> None:
    """Votes are counted by set."""
    one, other = state(leader=3, epoch=4, isr=(1, 2)), state(leader=3, epoch=4, isr=(2, 1))
    third = state(leader=3, epoch=4, isr=(1, 2, 3))
    assert set(merge({1: view(one), 2: view(other), 3: view(third)})[0].isr) == {1, 2}


def test_a_topic_that_only_a_stale_node_knows_is_gone() -> None:
    """Two nodes have seen its deletion."""
    gone = state(leader=3, epoch=4, isr=(3,), topic="gone")
    assert merge({1: view(), 2: view(), 3: view(gone)}) == ()


def test_a_single_answer_is_believed() -> None:
    """There is nothing else."""
    only = state(leader=3, epoch=4, isr=(3,))
    assert merge({3: view(only)}) == (only,)
