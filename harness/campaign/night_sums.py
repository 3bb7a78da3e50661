"""What the results of a night's campaigns say: counts, failures by what they show, odd runs."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

from harness.campaign.campaign import sequence_of
from harness.campaign.folder import Asked, CampaignFolder
from harness.campaign.night_record import Campaigned, Failed
from harness.campaign.regression import Regression
from harness.campaign.result import Result
from harness.ledger.findings import Outcome

Groups = dict[tuple[str, ...], list[Result]]
MOST_OTHERS = 8


def campaigned(folder: CampaignFolder) -> Campaigned:
    """Return what a campaign has shown so far, as counts."""
    results = tuple(folder.results())
    hits = [hit for result in results for hit in result.faults]
    return Campaigned(
        budget=folder.asked.budget,
        outcomes=dict(Counter(str(result.outcome) for result in results)),
        parts=dict(Counter(result.phase for result in results)),
        asked_parts=_sizes(folder.asked),
        messages=sum(result.messages for result in results),
        faults=len(hits),
        bit=sum(hit.bit for hit in hits),
    )


@cache
def _sizes(asked: Asked) -> Mapping[str, int]:
    sequence = sequence_of(asked)
    return {"single": len(sequence.singles), "pairs": len(sequence.cover.schedules)}


def signature_of(result: Result) -> tuple[str, ...]:
    """Return what a run shows, in words: what makes two failures the same failure."""
    return tuple(sorted(f"{kind} ({hop})" if hop else kind for kind, hop in result.signature()))


def groups_of(results: Sequence[Result]) -> Groups:
    """Return the failing runs by what they show; within each, those of the fewest faults first."""
    groups: Groups = {}
    failed = [each for each in results if each.outcome is Outcome.FAILED]
    for each in sorted(failed, key=lambda one: (len(one.schedule.faults), one.took_s)):
        groups.setdefault(signature_of(each), []).append(each)
    return groups


def known(result: Result, pinned: Iterable[tuple[str, Regression]]) -> str | None:
    """Return the name of a regression of the same pipeline that shows one of its findings."""
    ours = (result.schedule.pipeline, result.schedule.variant)
    for name, regression in pinned:
        theirs = (regression.schedule.pipeline, regression.schedule.variant)
        if ours == theirs and regression.shown_in(result.totals):
            return name
    return None


def others(results: Sequence[Result], *, root: Path) -> tuple[Failed, ...]:
    """Return some of the runs that came to no conclusion, the worst outcome first."""
    order = list(Outcome)
    odd = [one for one in results if one.outcome not in (Outcome.PASSED, Outcome.FAILED)]
    odd.sort(key=lambda one: (order.index(one.outcome), one.index))
    return tuple(failed_as(each, runs=1, root=root) for each in odd[:MOST_OTHERS])


def failed_as(result: Result, *, runs: int, root: Path) -> Failed:
    """Return a run as the night tells it; its folder is named relative to `root`."""
    run = Path(result.folder)
    with suppress(ValueError):
        run = run.relative_to(root)
    return Failed(
        outcome=result.outcome,
        signature=signature_of(result),
        runs=runs,
        reasons=result.reasons,
        faults=result.schedule.in_words(),
        run=str(run),
        night=".",
    )
