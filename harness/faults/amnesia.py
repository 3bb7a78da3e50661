"""Nodes that die and whose disks forget: the unflushed tail of their logs, or the whole log."""

from collections.abc import Iterable, Sequence
from typing import Literal

from harness.clock import now_us
from harness.faults.driver import Evidence, Surroundings
from harness.faults.evidence import cluster_sentences
from harness.faults.nodes import back_in_sync, named, resolution
from harness.faults.outages import Killing, take_all
from harness.lab.values import LogLoss

_MOST_LOGS = 6
_LOST = {"tail": "unflushed tail", "log": "whole log"}


class AmnesiaOfNodes:
    """SIGKILL at once, a loss on each disk, a new start; healed when all are in every ISR again."""

    def __init__(
        self,
        nodes: Sequence[int],
        *,
        loses: Literal["tail", "log"],
        keep: float,
        around: Surroundings,
    ) -> None:
        """`nodes` are different ones, at least one."""
        verb = "loses its" if len(nodes) == 1 else "lose their"
        self.what = f"{named(nodes)} {verb} {_LOST[loses]}"
        self.resolved = resolution(nodes)
        self._nodes = tuple(nodes)
        self._loses = loses
        self._keep = keep
        self._around = around
        self._killings = {node: Killing(around.lab.nodes[node]) for node in nodes}
        self._losses: dict[int, tuple[LogLoss, ...]] = {}
        self._since_us = 0

    def apply(self) -> None:
        """Kill them, then let their disks forget; FaultError when one is not running."""
        self._since_us = now_us()
        take_all(self._killings.values())
        mine = set(self._around.topics.values())
        for node in self._nodes:
            disk = self._around.lab.disk(node)
            losses = (
                disk.forget_log() if self._loses == "log" else disk.forget_tail(keep=self._keep)
            )
            self._losses[node] = tuple(
                loss for loss in losses if loss.topic in mine or loss.topic.startswith("__")
            )

    def held(self) -> bool:
        """Tell whether every process is gone."""
        return all(killing.taken() for killing in self._killings.values())

    def heal(self) -> None:
        """Start them again."""
        for killing in self._killings.values():
            killing.give_back()

    def healed(self) -> bool:
        """Tell whether they serve, and have got back what they lost: they are in every ISR."""
        return back_in_sync(self._nodes, self._around)

    def evidence(self) -> Evidence:
        """Return how each ended, what each log really lost, and what the cluster did."""
        bits, said = [], []
        for node, killing in self._killings.items():
            shown, losses = killing.shown(), self._losses.get(node, ())
            bits.append(shown.bit and bool(losses))
            said += [*shown.sentences, *loss_sentences(losses)]
        for node in self._nodes:
            said += cluster_sentences(self._around.watch, node=node, since_us=self._since_us)
        return Evidence(bit=all(bits), sentences=tuple(said))


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
