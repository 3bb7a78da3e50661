"""Single frames of Kafka's protocol caught between one role and nodes."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from statistics import fmean

from harness.faults.driver import Driver, Evidence, Surroundings
from harness.faults.resolve import require_instance, resolve_node
from harness.lab.frames.rules import CaughtFrame, FrameRule, FrameSighting
from harness.lab.values import NODES, Link
from harness.schedule.network import ApiName, Frames
from harness.schedule.targets import EveryNode, Node
from harness.schedule.values import Fault

API_KEYS: Mapping[ApiName, int] = {
    "Produce": 0,
    "Fetch": 1,
    "Metadata": 3,
    "OffsetCommit": 8,
    "OffsetFetch": 9,
    "FindCoordinator": 10,
    "JoinGroup": 11,
    "Heartbeat": 12,
    "SyncGroup": 14,
    "InitProducerId": 22,
    "AddPartitionsToTxn": 24,
    "EndTxn": 26,
    "TxnOffsetCommit": 28,
    "ConsumerGroupHeartbeat": 68,
}
"""Numbers of Kafka's requests (`ApiKeys.java`)."""
_MOST_SENTENCES = 5


def make(fault: Fault, around: Surroundings) -> Driver | None:
    """Return the driver of a fault of frames, or None if it is none."""
    if not isinstance(fault, Frames):
        return None
    slot = around.slots[require_instance(fault.target, around)]
    nodes: tuple[int, ...] = NODES
    where: dict[str, int] = {}
    if not isinstance(fault.server, EveryNode):
        node = resolve_node(fault.server, around)
        fault = replace(fault, server=Node(number=node))
        nodes, where = (node,), {"node": node}
    rule = FrameRule(
        slot=slot,
        nodes=nodes,
        api_key=API_KEYS[fault.api],
        part=fault.part,
        nth=fault.nth,
        count=fault.count,
        act=fault.act,
        delay_ms=fault.delay_ms,
    )
    return CatchFrames(rule, fault=fault, resolved={"slot": slot, **where}, around=around)


def detoured_links(
    faults: Iterable[Fault], *, slots: Mapping[tuple[str, int], int]
) -> tuple[Link, ...]:
    """Return the client links that a schedule needs led through the frame proxy.

    All three of a role: which node a symbolic target stands for is known only when its time comes.
    """
    wanted = {
        slots[fault.target.role, fault.target.number]
        for fault in faults
        if isinstance(fault, Frames) and (fault.target.role, fault.target.number) in slots
    }
    return tuple(
        Link(plane="client", source=f"slot{slot}", target=str(node))
        for slot in sorted(wanted)
        for node in NODES
    )


class CatchFrames:
    """A rule in the frame proxy; it takes hold with the first frame that it catches."""

    def __init__(
        self,
        rule: FrameRule,
        *,
        fault: Frames,
        resolved: Mapping[str, object],
        around: Surroundings,
    ) -> None:
        self.what = str(fault)
        self.resolved = resolved
        self._rule = rule
        self._fault = fault
        self._frames = around.lab.frames
        self._number = -1

    def apply(self) -> None:
        """Arm the rule: frames are counted from now on."""
        self._number = self._frames.arm(self._rule)

    def held(self) -> bool:
        """Tell whether a frame was caught."""
        return self._look().caught_count > 0

    def heal(self) -> None:
        """Let everything go that was held, in order; catch nothing more."""
        self._frames.release(self._number)

    def healed(self) -> bool:
        """Tell whether the rule is out of force and nothing waits because of it any more."""
        sighting = self._look()
        return not sighting.in_force and sighting.waiting == 0

    def evidence(self) -> Evidence:
        """Return what was caught, where, and what became of it."""
        sighting = self._look()
        return Evidence(
            bit=sighting.caught_count > 0, sentences=tuple(sentences(self._fault, sighting))
        )

    def _look(self) -> FrameSighting:
        return self._frames.look(self._number)


def sentences(fault: Frames, sighting: FrameSighting) -> Iterable[str]:
    """Say what a rule saw and did."""
    kind = f"{fault.api} {fault.part}s"
    yield f"{sighting.seen} {kind} arrived while it was armed, {sighting.caught_count} caught"
    for caught in sighting.caught[:_MOST_SENTENCES]:
        yield _caught_sentence(fault, caught)
    if sighting.caught_count > _MOST_SENTENCES:
        waited = fmean(caught.waited_ms for caught in sighting.caught)
        yield (
            f"… and {sighting.caught_count - _MOST_SENTENCES} more; "
            f"the first {len(sighting.caught)} waited {waited:.0f} ms on average"
        )
    if sighting.behind:
        yield f"{sighting.behind} frames came to wait behind them on the same connections"
    if sighting.opaque:
        yield (
            f"on {len(sighting.opaque)} connections no frames can be seen, so they passed "
            f"untouched: {sighting.opaque[0]}"
        )


def _caught_sentence(fault: Frames, caught: CaughtFrame) -> str:
    became = {
        "waits": f"has waited for {caught.waited_ms:.0f} ms",
        "passed": f"was held for {caught.waited_ms:.0f} ms and passed",
        "gone": f"was held for {caught.waited_ms:.0f} ms, then its connection was gone",
        "dropped": "was dropped",
        "closed": "was never delivered: its connection was closed in its place",
    }[caught.fate]
    return (
        f"{fault.api} {fault.part} {caught.number}, correlation id {caught.correlation_id}, "
        f"{caught.size_bytes} bytes, node {caught.node}, connection {caught.connection}: {became}"
    )
