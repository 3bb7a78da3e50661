"""The marks on a run's time axis: partitions, controllers, rebalances, crashes, trouble. PURE."""

from collections.abc import Iterable

from harness.ledger.journal import Journal, events_of
from harness.ledger.timeline import TimelineEvent
from harness.report.axis import ControllerState, Crash, PartitionState, Rebalance, Trouble
from harness.report.lanes import Clock


def partitions(events: Iterable[TimelineEvent], *, clock: Clock) -> Iterable[PartitionState]:
    """Yield each state of each partition."""
    for event in events:
        isr = event.get("isr")
        if event.get("event") == "partition":
            yield PartitionState(
                at_s=clock(event),
                topic=str(event.get("topic")),
                partition=_int(event.get("partition")),
                leader=_int(event.get("leader")),
                epoch=_int(event.get("epoch")),
                isr=tuple(map(_int, isr)) if isinstance(isr, list) else (),
            )


def controllers(events: Iterable[TimelineEvent], *, clock: Clock) -> Iterable[ControllerState]:
    """Yield each active controller."""
    for event in events:
        if event.get("event") == "controller":
            yield ControllerState(at_s=clock(event), node=_int(event.get("node")))


def rebalances(journals: Iterable[Journal], *, began_us: int) -> list[Rebalance]:
    """Return what consumers were given and lost, in order of time."""
    found = [
        Rebalance(
            at_s=round((event.at_us - began_us) / 1e6, 3),
            who=event.journal,
            change="assigned" if event.event == "assigned" else "revoked",
            topic=str(event.fields.get("topic") or ""),
            partitions=tuple(map(_int, partitions)) if isinstance(partitions, list) else (),
        )
        for event in events_of(journals)
        if event.event in ("assigned", "revoked")
        for partitions in (event.fields.get("partitions"),)
    ]
    return sorted(found, key=lambda one: one.at_s)


def crashes(events: Iterable[TimelineEvent], *, clock: Clock) -> Iterable[Crash]:
    """Yield each process that killed itself at a crash point."""
    for event in events:
        if event.get("event") == "role" and event.get("state") == "exited" and event.get("point"):
            yield Crash(
                at_s=clock(event),
                who=f"{event.get('role')}-{event.get('instance')}",
                point=str(event["point"]),
            )


def troubles(events: Iterable[TimelineEvent], *, clock: Clock) -> Iterable[Trouble]:
    """Yield what went wrong without being scheduled."""
    for event in events:
        if event.get("event") == "trouble":
            yield Trouble(
                at_s=clock(event), kind=str(event.get("kind")), message=str(event.get("message"))
            )


def _int(value: object) -> int:
    return value if isinstance(value, int) else -1
