"""Waits for a lab that is just starting to be what a run may begin on."""

from collections.abc import Callable, Iterable
from typing import Literal, Protocol

from harness.clock import Deadline, wait_until
from harness.errors import LabError
from harness.lab.cluster import AuditCluster
from harness.lab.protocol import DatabaseServer
from harness.lab.values import NODES

_INTERNAL: dict[str, Literal["group", "transaction"]] = {
    "__consumer_offsets": "group",
    "__transaction_state": "transaction",
}


class Watched(Protocol):
    """A server that tells when it died without being asked to."""

    def trouble(self) -> str | None:
        """Return a sentence if it did."""
        ...


def all_alive(servers: Iterable[Watched], *, remedy: str | None = None) -> bool:
    """Return True, or raise at once if a server died instead of waiting out the deadline."""
    dead = [sentence for each in servers if (sentence := each.trouble()) is not None]
    if dead:
        raise LabError("; ".join(dead), remedy=remedy)
    return True


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


def database(server: DatabaseServer, *, deadline: Deadline, alive: Callable[[], bool]) -> None:
    """Return when the database takes queries."""
    wait_until(
        lambda: alive() and server.serves(),
        deadline_s=deadline.remaining_s(),
        describe="the database to accept queries",
        last_seen=lambda: server.log_tail(3),
    )
