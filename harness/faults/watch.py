"""A witness of the cluster: samples partitions through the audit path and keeps every change."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from harness.background import Background
from harness.clock import now_us
from harness.errors import LabError
from harness.lab.protocol import Cluster
from harness.lab.values import PartitionState

SAMPLE_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One partition's state from `at_us` on, and what it was before (None: first seen)."""

    at_us: int
    before: PartitionState | None
    after: PartitionState

    def sentences(self) -> tuple[str, ...]:
        """Say the change in words; nothing for a first sight."""
        if self.before is None:
            return ()
        name = f"{self.after.topic}/{self.after.partition}"
        said = []
        if self.before.leader_epoch != self.after.leader_epoch:
            said.append(
                f"leader of {name}: {self.before.leader} → {self.after.leader} "
                f"(epoch {self.before.leader_epoch} → {self.after.leader_epoch})"
            )
        if set(self.before.isr) != set(self.after.isr):
            before, after = (sorted(state.isr) for state in (self.before, self.after))
            said.append(f"in-sync replicas of {name}: {before} → {after}")
        return tuple(said)

    def concerns(self, node: int) -> bool:
        """Tell whether the node led before or after, or left or joined the in-sync replicas."""
        if self.before is None:
            return False
        moved = set(self.before.isr) ^ set(self.after.isr)
        led = self.before.leader_epoch != self.after.leader_epoch and node in (
            self.before.leader,
            self.after.leader,
        )
        return led or node in moved


class ClusterWatch:
    """Samples the cluster in a thread of its own until it is stopped.

    `on_change` is called from that thread for every change, in order.
    """

    def __init__(self, cluster: Cluster, *, on_change: Callable[[Change], None]) -> None:
        self._cluster = cluster
        self._on_change = on_change
        self._latest: dict[tuple[str, int], PartitionState] = {}
        self._changes: list[Change] = []
        self._lock = threading.Lock()
        self.background = Background("cluster-watch", self._sample, period_s=SAMPLE_S)

    def start(self) -> None:
        """Take the first sample, then go on in the background."""
        self._sample()
        self.background.start()

    def stop(self) -> None:
        """Stop sampling; returns when the thread has ended."""
        self.background.stop()

    def state(self, topic: str, partition: int) -> PartitionState | None:
        """Return the newest state of a partition, by its physical topic name."""
        with self._lock:
            return self._latest.get((topic, partition))

    def partitions(self) -> tuple[PartitionState, ...]:
        """Return the newest state of every partition."""
        with self._lock:
            return tuple(self._latest.values())

    def changes_since(self, at_us: int) -> tuple[Change, ...]:
        """Return the changes seen at or after a moment, oldest first."""
        with self._lock:
            return tuple(change for change in self._changes if change.at_us >= at_us)

    def refresh(self) -> None:
        """Take a sample now: for a target that must be resolved by the newest truth."""
        self._sample()

    def forget(self, topic: str) -> None:
        """Take every partition of a topic, by its physical name, for one that was never seen.

        A topic that was deleted and made anew begins with the lowest epoch again.
        """
        with self._lock:
            for place in [place for place in self._latest if place[0] == topic]:
                del self._latest[place]

    def _sample(self) -> None:
        try:
            states = self._cluster.partitions()
        except LabError:
            return  # nobody answers now (all nodes down is a legal fault): the next sample tells
        at_us = now_us()
        with self._lock:
            fresh = [change for state in states if (change := self._changed(state, at_us))]
            self._changes.extend(fresh)
        for change in fresh:
            self._on_change(change)

    def _changed(self, state: PartitionState, at_us: int) -> Change | None:
        before = self._latest.get((state.topic, state.partition))
        if before is not None and state.leader_epoch < before.leader_epoch:
            return None  # a stale view never replaces a newer one
        self._latest[(state.topic, state.partition)] = state
        if before is not None and (
            before.leader_epoch == state.leader_epoch and set(before.isr) == set(state.isr)
        ):
            return None
        return Change(at_us=at_us, before=before, after=state)
