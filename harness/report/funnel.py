"""The balance of messages: how many came how far, and who fell out where. PURE.

It rests on verdicts alone, so it holds for runs of which nothing else was kept: a message falls out
at the hop at which it is accused, and whoever is accused of nothing came through.
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Literal

from harness.ledger.findings import Hop, Kind
from harness.report.claims import words_of
from harness.report.facts import RunFacts
from harness.report.model import Funnel, Gap, MessageRef, Stage

LINKED_AT_MOST = 200
_LEAVING = (Kind.LOST, Kind.STUCK)
_STAGES: tuple[tuple[str, str, tuple[Hop, ...]], ...] = (
    ("committed", "a row that its producer's transaction committed", ()),
    ("relayed", "it was in the outbox, or needed none", (Hop.NEVER_IN_OUTBOX,)),
    ("acknowledged", "it was published and acknowledged", (Hop.NEVER_PUBLISHED,)),
    ("in the log", "a fresh reader found its record after the storm", (Hop.ACKED_NOT_IN_LOG,)),
    ("delivered ≥ 1", "a consumer received it at least once", (Hop.NEVER_DELIVERED,)),
)
_LAST = ("effect = 1", "exactly one effect of each consumer", (Hop.NO_EFFECT,))
_UNPROMISED = "not finished, where progress was not promised"


def funnel(runs: Sequence[RunFacts], *, of: Literal["safe", "unsafe"]) -> Funnel:
    """Return the balance over the runs that came to a conclusion."""
    judged = [run for run in runs if run.conclusive]
    left = sum(run.messages for run in judged)
    stages = []
    for name, meaning, hops in _STAGES:
        gaps = tuple(_gaps(judged, hops))
        left -= sum(gap.count for gap in gaps)
        stages.append(Stage(name=name, meaning=meaning, count=max(0, left), gaps=gaps))
    name, meaning, hops = _LAST
    last = (*_gaps(judged, hops), *_unpromised(judged), *_doubled(judged))
    left -= sum(gap.count for gap in last)
    stages.append(Stage(name=name, meaning=meaning, count=max(0, left), gaps=last))
    return Funnel(of=of, runs=len(judged), stages=tuple(stages), beside=tuple(_beside(judged)))


def _gaps(runs: list[RunFacts], hops: Iterable[Hop]) -> Iterable[Gap]:
    for hop in hops:
        for kind in _LEAVING:
            yield from _gap(runs, kind, hop)


def _doubled(runs: list[RunFacts]) -> Iterable[Gap]:
    return _gap(runs, Kind.DUPLICATE_EFFECT, None)


def _unpromised(runs: list[RunFacts]) -> Iterable[Gap]:
    """Return who is unfinished in runs that promised no progress: the verdict accuses nobody."""
    if count := sum(run.unpromised for run in runs):
        yield Gap(what=_UNPROMISED, kind=str(Kind.STUCK), hop=None, count=count, messages=())


def _beside(runs: list[RunFacts]) -> Iterable[Gap]:
    """Return the findings that take no message out of the funnel."""
    accused = {(total.kind, total.hop) for run in runs for total in run.totals}
    order = list(Kind)
    for kind, hop in sorted(accused, key=lambda one: (order.index(one[0]), str(one[1]))):
        if kind not in (*_LEAVING, Kind.DUPLICATE_EFFECT):
            yield from _gap(runs, kind, hop)


def _gap(runs: list[RunFacts], kind: Kind, hop: Hop | None) -> Iterable[Gap]:
    count = sum(
        total.count
        for run in runs
        for total in run.totals
        if (total.kind, total.hop) == (kind, hop)
    )
    if not count:
        return
    messages = (
        MessageRef(run=run.key, message=message)
        for run in runs
        for message in run.accused.get((kind, hop), ())
    )
    yield Gap(
        what=words_of(str(kind), None if hop is None else str(hop)),
        kind=str(kind),
        hop=None if hop is None else str(hop),
        count=count,
        messages=tuple(islice(messages, LINKED_AT_MOST)),
    )
