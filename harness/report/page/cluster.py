"""Lanes of the cluster: who led, who was in sync, who was the active controller. PURE."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from harness.report.axis import PartitionState, RunStory
from harness.report.page.lanes import Bar, Group, Row
from harness.report.page.wording import moment

MOST_ROWS = 12
"""Partitions that are drawn; they are those with changes, the pipeline's own topics first."""


def cluster_lanes(story: RunStory) -> Group:
    """Return the lane of the controller and those of the partitions in which anything changed."""
    histories = _histories(story.partitions)
    changed = [name for name, states in histories.items() if len(states) > 1]
    changed.sort(key=lambda name: (name.startswith("_"), name))
    rows = [_partition(name, histories[name], story.length_s) for name in changed[:MOST_ROWS]]
    return Group(
        title="Leaders and in-sync replicas",
        rows=(*_controller(story), *rows),
        note=_note(histories, changed),
    )


def _note(histories: dict[str, list[PartitionState]], changed: list[str]) -> str:
    """Say what is not drawn."""
    calm = [name for name, states in histories.items() if len(states) == 1]
    said = []
    if len(changed) > MOST_ROWS:
        said.append(f"not drawn: {', '.join(changed[MOST_ROWS:])}")
    if calm:
        said.append(f"without any change: {', '.join(calm)}")
    return "; ".join(said)


def _histories(states: Sequence[PartitionState]) -> dict[str, list[PartitionState]]:
    histories: dict[str, list[PartitionState]] = {}
    for state in sorted(states, key=lambda each: each.at_s):
        histories.setdefault(f"{state.topic}/{state.partition}", []).append(state)
    return histories


def _partition(name: str, states: list[PartitionState], length_s: float) -> Row:
    widest = max(len(state.isr) for state in states)
    ends = [*(state.at_s for state in states[1:]), length_s]
    bars = tuple(
        _state(name, state, to_s, widest) for state, to_s in zip(states, ends, strict=True)
    )
    return Row(name=name, bars=bars)


def _state(name: str, state: PartitionState, to_s: float, widest: int) -> Bar:
    in_sync = " ".join(map(str, state.isr)) or "none"
    led = f"led by node {state.leader}" if state.leader >= 0 else "without a leader"
    looks = "shrunk" if len(state.isr) < widest else "whole"
    return Bar(
        from_s=state.at_s,
        to_s=max(to_s, state.at_s),
        looks=f"{looks} led-{state.leader if state.leader >= 0 else 'none'}",
        label=f"{state.leader if state.leader >= 0 else 'none'} · {in_sync}",
        detail=f"{name} from {moment(state.at_s)} s: {led} (epoch {state.epoch}); "
        f"in sync: {in_sync}",
    )


def _controller(story: RunStory) -> Iterator[Row]:
    seen = sorted(story.controllers, key=lambda each: each.at_s)
    if not seen:
        return
    ends = [after.at_s for _, after in pairwise(seen)] + [story.length_s]
    yield Row(
        name="controller",
        bars=tuple(
            Bar(
                from_s=state.at_s,
                to_s=max(to_s, state.at_s),
                looks=f"whole led-{state.node if state.node >= 0 else 'none'}",
                label=str(state.node) if state.node >= 0 else "none",
                detail=f"active controller from {moment(state.at_s)} s: node {state.node}",
            )
            for state, to_s in zip(seen, ends, strict=True)
        ),
    )
