"""Waits for a cluster that is just starting to be what a run may begin on."""

from collections.abc import Callable
from typing import Literal

from harness.clock import Deadline, wait_until
from harness.lab.cluster import AuditCluster
from harness.lab.values import NODES

_INTERNAL: dict[str, Literal["group", "transaction"]] = {
    "__consumer_offsets": "group",
    "__transaction_state": "transaction",
}


def nodes(cluster: AuditCluster, *, deadline: Deadline, alive: Callable[[], bool]) -> None:
    """Return when every node is registered; `alive` raises if a server died instead."""
    wait_until(
        lambda: alive() and cluster.registered() == frozenset(NODES),
        deadline_s=deadline.remaining_s(),
        describe="three nodes to be registered",
        last_seen=lambda: sorted(cluster.registered()),
        poll_s=0.03,
    )


def internal_topics(
    cluster: AuditCluster, *, deadline: Deadline, alive: Callable[[], bool]
) -> None:
    """Have the topics of groups and transactions made now, so that no run pays for them."""

    def asked_for() -> bool:
        there = {state.topic for state in cluster.partitions()}
        missing = [kind for topic, kind in _INTERNAL.items() if topic not in there]
        for kind in missing:
            cluster.coordinator("boot", kind=kind)  # the question is what makes its topic
        return alive() and not missing

    wait_until(
        asked_for,
        deadline_s=deadline.remaining_s(),
        describe="the topics of groups and transactions",
        poll_s=0.05,
    )
    cluster.await_full_isr(dict.fromkeys(_INTERNAL, 3), deadline=deadline)
