"""The lanes of a run's time axis: what was broken where, and the lives of the roles. PURE."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from harness.ledger.timeline import TimelineEvent
from harness.report.axis import Lane, LaneGroup, PhaseSpan, RoleLife, Span
from harness.report.timeline_facts import at_us, link_name, links_in

Place = tuple[LaneGroup, str]
Clock = Callable[[TimelineEvent], float]
"""Gives the seconds since the run began."""
_GROUPS: tuple[LaneGroup, ...] = ("node", "link", "database", "role", "topic")


def clock_of(events: Sequence[TimelineEvent]) -> Clock:
    """Return what tells an event's time since the first one."""
    began_us = next((at for event in events if (at := at_us(event))), 0)
    return lambda event: round((at_us(event) - began_us) / 1e6, 3)


def lanes(
    events: Sequence[TimelineEvent], *, who_of_slots: Mapping[int, str], clock: Clock
) -> tuple[Lane, ...]:
    """Return a lane for everything that was broken, nodes first; faults share lanes."""
    spans: dict[Place, list[Span]] = {}
    for index in sorted({_index(event) for event in events if event.get("event") == "fault"}):
        states = [e for e in events if e.get("event") == "fault" and _index(e) == index]
        span = _span(index, states, clock=clock)
        for place in _places(states, who_of_slots):
            spans.setdefault(place, []).append(span)
    order = sorted(spans, key=lambda place: (_GROUPS.index(place[0]), place[1]))
    return tuple(
        Lane(group=group, name=name, spans=tuple(spans[group, name])) for group, name in order
    )


def _index(event: TimelineEvent) -> int:
    value = event.get("fault")
    return value if isinstance(value, int) else -1


def _span(index: int, states: list[TimelineEvent], *, clock: Clock) -> Span:
    reached = {str(event.get("state")): clock(event) for event in reversed(states)}
    evidence = [said for event in states if isinstance(said := event.get("evidence"), list)]
    return Span(
        fault=index,
        what=next((str(event["what"]) for event in states if event.get("what")), f"fault {index}"),
        asked_s=clock(states[0]),
        held_s=reached.get("held"),
        healed_s=reached.get("healed"),
        verified_s=reached.get("verified"),
        state=str(states[-1].get("state")),
        bit=any(event.get("bit") is True for event in states),
        evidence=tuple(map(str, evidence[-1])) if evidence else (),
    )


def _places(states: list[TimelineEvent], who_of_slots: Mapping[int, str]) -> Iterable[Place]:
    """Return where a fault is drawn: its nodes or processes, and each link that it damaged."""
    resolved = next((r for e in states if isinstance(r := e.get("resolved"), dict)), {})
    links = links_in(resolved)
    found: dict[Place, None] = dict.fromkeys(_links(links, who_of_slots))
    found |= dict.fromkeys(_processes(resolved))
    if not links or "processes" not in resolved:
        found |= dict.fromkeys(_servers(resolved))
    if not found:
        found[("topic", str(resolved["topic"])) if "topic" in resolved else ("node", "cluster")] = (
            None
        )
    return found


def _links(links: Iterable[str], who_of_slots: Mapping[int, str]) -> Iterable[Place]:
    for link in links:
        name = link_name(link, who_of_slots)
        if name is not None:
            yield "link", f"{name[0]} {name[1]} → {name[2]}"


def _servers(resolved: Mapping[str, object]) -> Iterable[Place]:
    nodes = resolved.get("nodes")
    for node in (*(nodes if isinstance(nodes, list) else ()), resolved.get("node")):
        if isinstance(node, int):
            yield "node", f"node {node}"
    if resolved.get("database"):
        yield "database", "database"


def _processes(resolved: Mapping[str, object]) -> Iterable[Place]:
    named = resolved.get("processes")
    for process in named if isinstance(named, list) else ():
        yield "role", str(process).replace(" ", "-")
    role, instances = resolved.get("role"), resolved.get("instances")
    numbers = instances if isinstance(instances, list) else [resolved.get("instance")]
    if role is not None:
        for number in numbers:
            yield "role", str(role) if number is None else f"{role}-{number}"


def phases(events: Sequence[TimelineEvent], *, clock: Clock) -> tuple[PhaseSpan, ...]:
    """Return the phases of the run; the last one ends with the timeline."""
    begun = [event for event in events if event.get("event") == "phase"]
    ends = [*(clock(event) for event in begun[1:]), clock(events[-1]) if events else 0.0]
    return tuple(
        PhaseSpan(name=str(event.get("phase")), from_s=clock(event), to_s=end)
        for event, end in zip(begun, ends, strict=False)
        if event.get("phase") != "done"
    )


def role_lives(events: Sequence[TimelineEvent], *, clock: Clock) -> tuple[RoleLife, ...]:
    """Return every process of the pipeline, in order of its start."""
    lives: list[RoleLife] = []
    started: dict[str, TimelineEvent] = {}
    for event in events:
        who = f"{event.get('role')}-{event.get('instance')}"
        if event.get("event") != "role":
            continue
        if event.get("state") == "started":
            started[who] = event
        elif event.get("state") == "exited" and who in started:
            lives.append(_life(started.pop(who), event, clock=clock))
    lives += [_life(event, None, clock=clock) for event in started.values()]
    return tuple(sorted(lives, key=lambda life: (life.from_s, life.role, life.instance)))


def _life(start: TimelineEvent, end: TimelineEvent | None, *, clock: Clock) -> RoleLife:
    ended = end or {}
    code, instance = ended.get("code"), start.get("instance")
    asked = ended.get("asked") is True
    return RoleLife(
        role=str(start.get("role")),
        instance=instance if isinstance(instance, int) else 0,
        from_s=clock(start),
        to_s=None if end is None else clock(end),
        code=code if isinstance(code, int) else None,
        asked=asked,
        point=str(ended["point"]) if ended.get("point") else None,
        output="" if asked else str(ended.get("output") or ""),
    )
