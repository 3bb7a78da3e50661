"""Operations that are no failures: what an operator does on a good day loses nothing.

Safe: planned moves of leaders, restarts one after the other, copies of replicas, more partitions,
changed settings, all under load. More partitions move keys: order per key is not promised then.
"""

import pytest

from harness.scenario import (
    LabSession,
    configure_nodes,
    configure_topic,
    move_leader,
    pipeline,
    reassign,
    rolling_restart,
)


def test_a_planned_move_of_a_leader_loses_nothing(lab: LabSession) -> None:
    """A follower in sync is made the preferred leader, and elected."""
    run = lab.run(pipeline("outbox"), move_leader("orders", 0).after(acked=300).for_seconds(1))
    run.assert_exactly_once()


@pytest.mark.thorough
def test_a_rolling_restart_loses_nothing(lab: LabSession) -> None:
    """Every node ends in good order and starts again, each once the last one is in sync."""
    run = lab.run(pipeline("outbox"), rolling_restart().after(acked=300))
    run.assert_exactly_once()


@pytest.mark.thorough
def test_a_reassigned_replica_is_copied_without_loss(lab: LabSession) -> None:
    """A follower's replica is taken away, and its node copies the partition again."""
    run = lab.run(pipeline("outbox"), reassign("orders", 0).after(acked=300).for_seconds(1))
    run.assert_exactly_once()


@pytest.mark.thorough
def test_changed_settings_of_a_topic_lose_nothing(lab: LabSession) -> None:
    """All three replicas must confirm for two seconds, then two are enough again."""
    fault = configure_topic("orders", {"min.insync.replicas": "3"})
    lab.run(pipeline("outbox"), fault.after(acked=300).for_seconds(2)).assert_exactly_once()


@pytest.mark.thorough
def test_changed_settings_of_every_node_lose_nothing(lab: LabSession) -> None:
    """The threads that copy between nodes are restarted, node after node."""
    fault = configure_nodes({"num.replica.fetchers": "2"})
    lab.run(pipeline("outbox"), fault.after(acked=300).for_seconds(1)).assert_exactly_once()
