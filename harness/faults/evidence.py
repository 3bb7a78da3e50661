"""Observations that show that a fault met traffic."""

from collections.abc import Iterable

from harness.faults.watch import Change, ClusterWatch
from harness.lab.protocol import Lab
from harness.lab.values import Link

_MOST_SENTENCES = 6


def connections_met(lab: Lab, links: Iterable[Link]) -> int:
    """Return how many connections are open on `links` now, as the operating system sees them."""
    return sum(traffic.established for traffic in lab.links.traffic(links).values())


def node_links(lab: Lab, node: int) -> tuple[Link, ...]:
    """Return every link that ends or begins at a node."""
    me = str(node)
    return tuple(
        link
        for link in lab.links.all()
        if link.plane != "database" and me in (link.source, link.target)
    )


def cluster_sentences(watch: ClusterWatch, *, node: int, since_us: int) -> tuple[str, ...]:
    """Say how leadership and in-sync replicas moved around a node since a moment."""
    changes = watch.changes_since(since_us)
    return _sentences(change for change in changes if change.concerns(node))


def partition_sentences(
    watch: ClusterWatch, *, place: tuple[str, int], since_us: int
) -> tuple[str, ...]:
    """Say how leadership and in-sync replicas of one partition moved since a moment."""
    changes = watch.changes_since(since_us)
    return _sentences(
        change for change in changes if (change.after.topic, change.after.partition) == place
    )


def _sentences(changes: Iterable[Change]) -> tuple[str, ...]:
    said = [sentence for change in changes for sentence in change.sentences()]
    if len(said) <= _MOST_SENTENCES:
        return tuple(said)
    return (*said[:_MOST_SENTENCES], f"… and {len(said) - _MOST_SENTENCES} more changes")
