"""What a report takes from one timeline: length, links that were met, recovery. PURE."""

import re
from collections.abc import Mapping, Sequence
from itertools import takewhile

from harness.ledger.timeline import TimelineEvent
from harness.report.facts import LinkName, Meeting, Recovered, TimelineFacts
from harness.schedule.reach import NODE_NUMBERS

_LINK = re.compile(r"(?P<plane>[a-z]+):(?P<source>.+)->(?P<target>.+)")
_SLOT = re.compile(r"slot(\d+)")


def timeline_facts(
    events: Sequence[TimelineEvent], *, roles_of_slots: Mapping[int, str], faults: int
) -> TimelineFacts:
    """Return what `events` say; `roles_of_slots`: who held which client slot."""
    stamps = [at for event in events if (at := at_us(event))]
    phases = [str(event.get("phase")) for event in events if event.get("event") == "phase"]
    return TimelineFacts(
        began_us=stamps[0] if stamps else 0,
        length_s=(stamps[-1] - stamps[0]) / 1e6 if stamps else None,
        last_phase=phases[-1] if phases else "",
        meetings=tuple(
            meeting
            for index in range(faults)
            for meeting in _meetings(_states(events, index), index, roles_of_slots)
        ),
        recovered=_recovered(events) if faults == 1 else Recovered(),
    )


def at_us(event: TimelineEvent) -> int:
    """Return an event's stamp; 0 where it has none."""
    value = event.get("at_us")
    return value if isinstance(value, int) else 0


def link_name(text: str, roles_of_slots: Mapping[int, str]) -> LinkName | None:
    """Read `client:slot3->1` as (client, consumer, 1); None for a slot that nobody held."""
    match = _LINK.fullmatch(text)
    if match is None:
        return None
    source = match["source"]
    if slot := _SLOT.fullmatch(source):
        source = roles_of_slots.get(int(slot[1]), "")
    return (match["plane"], source, match["target"]) if source else None


def _states(events: Sequence[TimelineEvent], index: int) -> list[TimelineEvent]:
    return [e for e in events if e.get("event") == "fault" and e.get("fault") == index]


def _meetings(
    states: list[TimelineEvent], index: int, roles_of_slots: Mapping[int, str]
) -> list[Meeting]:
    resolved = next((r for e in states if isinstance(r := e.get("resolved"), dict)), {})
    met = next((m for e in reversed(states) if isinstance(m := e.get("met"), dict)), None)
    return [
        _meeting(index, name, None if met is None else met.get(link, {}))
        for link in links_in(resolved)
        if (name := link_name(link, roles_of_slots)) is not None
    ]


def _meeting(index: int, link: LinkName, met: object) -> Meeting:
    """Return what met a fault on a link; `met` is what the timeline says of that link."""
    counts = met if isinstance(met, dict) else {}
    connections, sent, answered = (
        _count(counts, name) for name in ("connections", "bytes_sent", "bytes_answered")
    )
    return Meeting(
        fault=index,
        link=link,
        connections=connections,
        bytes_sent=sent,
        bytes_answered=answered,
        seen=met is None or bool(connections or sent or answered),
    )


def links_in(resolved: Mapping[str, object]) -> list[str]:
    """Return the links that a fault was resolved to; caught frames travel on a slot's links."""
    named = resolved.get("links")
    if isinstance(named, list):
        return [str(link) for link in named]
    if "slot" not in resolved:
        return []
    nodes = (resolved["node"],) if "node" in resolved else NODE_NUMBERS
    return [f"client:slot{resolved['slot']}->{node}" for node in nodes]


def _count(met: Mapping[str, object], name: str) -> int:
    value = met.get(name)
    return value if isinstance(value, int) else 0


def _recovered(events: Sequence[TimelineEvent]) -> Recovered:
    reached = {str(e.get("state")): at_us(e) for e in reversed(events) if e.get("event") == "fault"}
    held, healed = reached.get("held"), reached.get("healed")
    if held is None or healed is None:
        return Recovered()
    return Recovered(
        full_isr_s=_full_isr_s(events, held_us=held, healed_us=healed),
        zero_lag_s=_zero_lag_s(events, healed_us=healed),
    )


def _full_isr_s(events: Sequence[TimelineEvent], *, held_us: int, healed_us: int) -> float | None:
    """Return the time from the heal until no partition lacked a replica; None if none ever did."""
    whole: dict[object, int] = {}
    lacking: set[object] = set()
    shrank, full_at = False, healed_us
    for event in events:
        isr = event.get("isr")
        if event.get("event") != "partition" or not isinstance(isr, list):
            continue
        place = event.get("topic"), event.get("partition")
        whole[place] = max(whole.get(place, 0), len(isr))
        if len(isr) < whole[place]:
            lacking.add(place)
            shrank |= at_us(event) >= held_us
        elif place in lacking:
            lacking.discard(place)
            full_at = at_us(event)
    return max(0.0, (full_at - healed_us) / 1e6) if shrank and not lacking else None


def _zero_lag_s(events: Sequence[TimelineEvent], *, healed_us: int) -> float | None:
    """Return the time from the heal until what was committed by then had its effect.

    Progress is told twice a second, so it is right to half a second.
    """
    progress = [e for e in events if e.get("event") == "progress"]
    before = list(takewhile(lambda e: at_us(e) <= healed_us, progress))
    committed = number(before[-1], "committed") if before else 0
    for event in progress[len(before) - 1 :] if before else progress:
        if number(event, "processed") >= committed:
            return max(0.0, (at_us(event) - healed_us) / 1e6)
    return None


def number(event: TimelineEvent, name: str) -> int:
    """Return a count of an event; 0 where it has none."""
    value = event.get(name)
    return value if isinstance(value, int) else 0
