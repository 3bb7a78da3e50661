"""Everything that a time axis shows, as sentences in order of time. PURE.

It is what a reader has who cannot see the drawing, or looks for one word in it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from harness.report.axis import RunStory, Span
from harness.report.page.lives import by_message
from harness.report.page.wording import cut

MOST = 600


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Entry:
    """One thing that happened."""

    at_s: float
    sort: str
    """phase, fault, process, cluster, trouble or message."""
    words: str


def chronicle(story: RunStory) -> tuple[Entry, ...]:
    """Return the first `MOST` things that happened in a run."""
    every = chain(
        _phases(story),
        _faults(story),
        _processes(story),
        _cluster(story),
        _lives(story),
    )
    return tuple(sorted(every)[:MOST])


def _phases(story: RunStory) -> Iterator[Entry]:
    for phase in story.phases:
        yield Entry(at_s=phase.from_s, sort="phase", words=f"{phase.name} begins")
    for trouble in story.troubles:
        words = f"trouble of the {trouble.kind}: {cut(trouble.message)}"
        yield Entry(at_s=trouble.at_s, sort="trouble", words=words)


def _faults(story: RunStory) -> Iterator[Entry]:
    spans: dict[tuple[int, float], Span] = {
        (span.fault, span.asked_s): span for lane in story.lanes for span in lane.spans
    }
    for span in spans.values():
        stages = (
            ("is asked for", span.asked_s),
            ("takes hold", span.held_s),
            ("is healed", span.healed_s),
            ("is verified healed", span.verified_s),
        )
        for words, at in stages:
            if at is not None:
                said = f"fault {span.fault} {words}: {span.what}"
                yield Entry(at_s=at, sort="fault", words=said)


def _processes(story: RunStory) -> Iterator[Entry]:
    for life in story.roles:
        name = f"{life.role}-{life.instance}"
        yield Entry(at_s=life.from_s, sort="process", words=f"{name} starts")
        if life.to_s is not None:
            how = f"at its crash point {life.point}" if life.point else f"with {life.code}"
            by = "" if life.asked or life.point else " by itself"
            yield Entry(at_s=life.to_s, sort="process", words=f"{name} ends{by} {how}")
    for change in story.rebalances:
        which = ", ".join(map(str, change.partitions))
        got = "is given" if change.change == "assigned" else "loses"
        words = f"{change.who} {got} {change.topic}: {which}"
        yield Entry(at_s=change.at_s, sort="process", words=words)


def _cluster(story: RunStory) -> Iterator[Entry]:
    before: dict[tuple[str, int], object] = {}
    for state in sorted(story.partitions, key=lambda each: each.at_s):
        key = (state.topic, state.partition)
        if key in before:
            in_sync = ", ".join(map(str, state.isr)) or "none"
            words = f"{state.topic}/{state.partition}: leader {state.leader}, in sync {in_sync}"
            yield Entry(at_s=state.at_s, sort="cluster", words=words)
        before[key] = state
    for controller in story.controllers:
        words = f"node {controller.node} is the active controller"
        yield Entry(at_s=controller.at_s, sort="cluster", words=words)


def _lives(story: RunStory) -> Iterator[Entry]:
    for life in by_message(story.lives):
        for each in life.moments:
            words = f"message {life.message}: {each.who} {each.words}"
            yield Entry(at_s=each.at_s, sort="message", words=cut(words))
