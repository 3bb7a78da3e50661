"""Stand-ins for what drivers and watches work on: as much of it as a test needs."""

from types import SimpleNamespace
from typing import cast

from harness.faults.driver import Surroundings
from harness.lab.protocol import Cluster


def surroundings_of(**parts: object) -> Surroundings:
    """Return surroundings that have these parts; to ask for any other is an AttributeError."""
    return cast("Surroundings", SimpleNamespace(**parts))


def cluster_of(fake: object) -> Cluster:
    """Return a fake that answers only some of a cluster's questions as if it answered all."""
    return cast("Cluster", fake)
