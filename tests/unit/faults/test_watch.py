"""The witness of the cluster keeps changes, in order, and is not fooled by stale views."""

from harness.errors import LabError
from harness.faults.watch import Change, ClusterWatch
from harness.lab.values import PartitionState

from .standing_in import cluster_of


def state(leader: int, epoch: int, isr: tuple[int, ...]) -> PartitionState:
    """Return a state of orders/0."""
    return PartitionState(
        topic="orders", partition=0, leader=leader, leader_epoch=epoch, replicas=(1, 2, 3), isr=isr
    )


class FakeCluster:
    """Shows one prepared view after another."""

    def __init__(self, views: list[PartitionState | None]) -> None:
        self.views = views

    def partitions(self) -> tuple[PartitionState, ...]:
        """Return the next view; None stands for a cluster that does not answer."""
        view = self.views.pop(0)
        if view is None:
            raise LabError("nobody answers")
        return (view,)


def watch(views: list[PartitionState | None]) -> tuple[ClusterWatch, list[Change]]:
    """Sample every view once; return the watch and what it told."""
    told: list[Change] = []
    watching = ClusterWatch(cluster_of(FakeCluster(list(views))), on_change=told.append)
    for _ in views:
        watching.refresh()
    return watching, told


def test_a_change_of_leader_and_replicas_is_told_once_in_words() -> None:
    """A view that repeats is no change; a new epoch or replica set is."""
    before, after = state(1, 4, (1, 2, 3)), state(2, 5, (2, 3))
    _, told = watch([before, before, after, after])
    assert [change.after for change in told] == [before, after]
    assert told[1].sentences() == (
        "leader of orders/0: 1 → 2 (epoch 4 → 5)",
        "in-sync replicas of orders/0: [1, 2, 3] → [2, 3]",
    )


def test_a_change_concerns_the_nodes_that_moved_and_no_other() -> None:
    """Node 3 neither led nor left."""
    _, told = watch([state(1, 4, (1, 2, 3)), state(2, 5, (2, 3))])
    assert [told[1].concerns(node) for node in (1, 2, 3)] == [True, True, False]


def test_a_stale_view_never_replaces_a_newer_one() -> None:
    """An isolated node that still calls itself leader of an old epoch is not believed."""
    watching, told = watch([state(2, 5, (2, 3)), state(1, 4, (1,))])
    assert watching.state("orders", 0) == state(2, 5, (2, 3))
    assert len(told) == 1


def test_a_topic_made_anew_is_believed_once_the_old_one_is_forgotten() -> None:
    """Its epochs begin at the lowest again, which is not stale then; others stay as they were."""
    watching, told = watch([state(2, 5, (2, 3))])
    watching.forget("payments")
    assert watching.state("orders", 0) == state(2, 5, (2, 3))
    watching.forget("orders")
    assert watching.partitions() == ()
    assert len(told) == 1


def test_silence_of_the_whole_cluster_is_survived() -> None:
    """All nodes down is a legal fault: the next answer tells."""
    watching, _ = watch([state(1, 4, (1, 2, 3)), None, state(1, 4, (1, 2, 3))])
    assert watching.state("orders", 0) == state(1, 4, (1, 2, 3))
