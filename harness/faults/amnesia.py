"""A node that dies and whose disk forgets: the unflushed tail of its logs, or its whole log."""

from collections.abc import Iterable
from typing import Literal

from harness.clock import now_us
from harness.faults.driver import Evidence, Surroundings
from harness.faults.evidence import cluster_sentences
from harness.faults.nodes import back_in_sync
from harness.faults.outages import Killing, take_all
from harness.lab.values import LogLoss

_MOST_LOGS = 6


class AmnesiaOfNode:
    """SIGKILL, a loss on disk, and a new start; healed when it is back in every ISR."""

    def __init__(
        self, node: int, *, loses: Literal["tail", "log"], keep: float, around: Surroundings
    ) -> None:
        lost = "its unflushed tail" if loses == "tail" else "its whole log"
        self.what = f"node {node} loses {lost}"
        self.resolved: dict[str, object] = {"node": node}
        self._node = node
        self._loses = loses
        self._keep = keep
        self._around = around
        self._killing = Killing(around.lab.nodes[node])
        self._losses: tuple[LogLoss, ...] = ()
        self._since_us = 0

    def apply(self) -> None:
        """Kill it, then let its disk forget; FaultError when it is not running."""
        self._since_us = now_us()
        take_all([self._killing])
        disk = self._around.lab.disk(self._node)
        losses = disk.forget_log() if self._loses == "log" else disk.forget_tail(keep=self._keep)
        mine = set(self._around.topics.values())
        self._losses = tuple(
            loss for loss in losses if loss.topic in mine or loss.topic.startswith("__")
        )

    def held(self) -> bool:
        """Tell whether the process is gone."""
        return self._killing.taken()

    def heal(self) -> None:
        """Start it again."""
        self._killing.give_back()

    def healed(self) -> bool:
        """Tell whether it serves, and has got back what it lost: it is in every ISR."""
        return back_in_sync([self._node], self._around)

    def evidence(self) -> Evidence:
        """Return its exit status, what each log really lost, and what the cluster did."""
        shown = self._killing.shown()
        changes = cluster_sentences(self._around.watch, node=self._node, since_us=self._since_us)
        return Evidence(
            bit=shown.bit and bool(self._losses),
            sentences=(*shown.sentences, *loss_sentences(self._losses), *changes),
        )


def loss_sentences(losses: Iterable[LogLoss]) -> tuple[str, ...]:
    """Say what each log lost, the greatest losses first."""
    ranked = sorted(losses, key=lambda loss: -loss.bytes)
    if not ranked:
        return ("its disk lost nothing: everything had been flushed",)
    said = [
        f"its log of {loss.topic}/{loss.partition} lost {loss.bytes} bytes"
        + (f", offsets {loss.begin} to {loss.end - 1}" if loss.records else "")
        for loss in ranked[:_MOST_LOGS]
    ]
    if len(ranked) > _MOST_LOGS:
        rest = ranked[_MOST_LOGS:]
        said.append(f"… and {sum(loss.bytes for loss in rest)} bytes of {len(rest)} more logs")
    return tuple(said)
