"""A witness of the quorum: which node is the active controller, and when that changed."""

from collections.abc import Callable

from harness.background import Background
from harness.errors import LabError
from harness.lab.protocol import Cluster

SAMPLE_S = 0.4
"""Rarer than partitions are sampled: nodes have to pass this question on to the controller."""


class ControllerWatch:
    """Asks in a thread of its own until it is stopped.

    `on_change` is called from that thread with the first controller seen and with each other one.
    While nobody knows of any, the last one stands: an election looks the same as a busy machine.
    """

    def __init__(self, cluster: Cluster, *, on_change: Callable[[int], None]) -> None:
        self._cluster = cluster
        self._on_change = on_change
        self._node: int | None = None
        self.background = Background("controller-watch", self.look, period_s=SAMPLE_S)

    def start(self) -> None:
        """Begin to ask."""
        self.background.start()

    def stop(self) -> None:
        """Stop asking; returns when the thread has ended."""
        self.background.stop()

    def look(self) -> None:
        """Ask once."""
        try:
            node = self._cluster.controller()
        except LabError:
            return
        if node is not None and node != self._node:
            self._node = node
            self._on_change(node)
