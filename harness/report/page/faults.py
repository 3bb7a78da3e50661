"""Lanes of faults: asked, took hold, healed, verified, by node, link, role and topic. PURE."""

from collections.abc import Iterator

from harness.report.axis import Lane, RunStory, Span
from harness.report.page.lanes import Bar, Group, Row
from harness.report.page.wording import duration, moment

MOST_ROWS = 24
_NAMES = 3


def fault_lanes(story: RunStory) -> Group:
    """Return the lanes of a run's faults; lanes that show the same are one lane."""
    rows = tuple(_row(lanes, story.length_s) for lanes in _alike(story.lanes))
    left_out = len(rows) - MOST_ROWS
    note = f"{left_out} more lanes are in report.json" if left_out > 0 else ""
    return Group(title="Faults", rows=rows[:MOST_ROWS], note=note)


def _alike(lanes: tuple[Lane, ...]) -> list[list[Lane]]:
    """Gather the lanes of one group in which the same was done at the same moments."""
    found: dict[object, list[Lane]] = {}
    for lane in lanes:
        key = (lane.group, tuple((span.fault, span.asked_s, span.held_s) for span in lane.spans))
        found.setdefault(key, []).append(lane)
    return list(found.values())


def _row(lanes: list[Lane], length_s: float) -> Row:
    first = lanes[0]
    names = [lane.name for lane in lanes]
    where = f"on {', '.join(names)}"
    bars = tuple(bar for span in first.spans for bar in _bars(span, where, length_s))
    if len(lanes) == 1:
        return Row(name=first.name, bars=bars)
    shown = ", ".join(names[:_NAMES]) + (" …" if len(names) > _NAMES else "")
    return Row(name=f"{len(lanes)} {first.group}s", note=shown, bars=bars)


def _bars(span: Span, where: str, length_s: float) -> Iterator[Bar]:
    """Yield a fault's stages, one after the other."""
    end_s = length_s if span.healed_s is None else span.healed_s
    held_s = end_s if span.held_s is None else span.held_s
    detail = "\n".join([f"fault {span.fault}: {span.what}", where, *told(span)])
    if held_s > span.asked_s:
        yield Bar(from_s=span.asked_s, to_s=held_s, looks="asked", fault=span.fault)
    yield Bar(
        from_s=held_s,
        to_s=max(end_s, held_s),
        looks="held" if span.bit else "held idle",
        label=f"{span.fault} {span.what}",
        detail=detail,
        fault=span.fault,
    )
    if span.verified_s is not None and span.verified_s > end_s:
        yield Bar(from_s=end_s, to_s=span.verified_s, looks="healing", fault=span.fault)


def told(span: Span) -> list[str]:
    """Return a fault's stages and what shows that it bit, a line each."""
    stages = {
        "asked": span.asked_s,
        "took hold": span.held_s,
        "healed": span.healed_s,
        "verified healed": span.verified_s,
    }
    said = [f"{name} {moment(at)} s" for name, at in stages.items() if at is not None]
    if span.state == "failed":
        said.append("and failed")
    lasted = ""
    if span.held_s is not None and span.healed_s is not None:
        lasted = f" (in force for {duration(span.healed_s - span.held_s)})"
    bit = "it bit:" if span.bit else "nothing shows that it bit"
    return [", ".join(said) + lasted, bit, *(f"· {line}" for line in span.evidence)]
