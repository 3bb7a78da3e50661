"""Counts of outcomes in their order, and the strip of earlier reports. PURE."""

from dataclasses import dataclass

from harness.ledger.findings import Outcome
from harness.report.model import Headline, Report, RunLine
from harness.report.page.wording import cut, when
from harness.report.tables import Colour, HistoryPoint
from harness.report.words import plural

INCOMPLETE = "incomplete"
MOST_POINTS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """How many runs had one outcome, and their share of all."""

    name: str
    colour: Colour
    count: int
    share: float


def colour_of(outcome: str) -> Colour:
    """Return how a single outcome looks."""
    if outcome == Outcome.PASSED:
        return "passed"
    return "failed" if outcome == Outcome.FAILED else "inconclusive"


def played(run: RunLine) -> str:
    """Return what was broken in a run, in a few words."""
    if not run.faults:
        return "no fault"
    first = cut(run.faults[0].what or run.faults[0].words, 120)
    more = len(run.faults) - 1
    return f"{first} and {plural(more, 'other fault')}" if more else first


def outcomes(headline: Headline) -> tuple[Part, ...]:
    """Return the outcomes that occurred, worst first, PASSED last."""
    order = [str(outcome) for outcome in Outcome]
    order.insert(-1, INCOMPLETE)
    known = [name for name in order if headline.outcomes.get(name)]
    rest = sorted(set(headline.outcomes) - set(order))
    all_runs = sum(headline.outcomes.values()) or 1
    return tuple(
        Part(
            name=name,
            colour=colour_of(name),
            count=headline.outcomes[name],
            share=headline.outcomes[name] / all_runs,
        )
        for name in [*known, *rest]
    )


def strip_of(report: Report) -> tuple[HistoryPoint, ...]:
    """Return the newest earlier reports, oldest first, and this one as the last."""
    head = report.headline
    this = HistoryPoint(
        title=f"{head.title} (this report)",
        made=when(report.made),
        outcome=head.outcome,
        colour=head.colour,
        runs=head.runs,
        passed=head.outcomes.get(Outcome.PASSED, 0),
        messages=head.messages,
        lost=head.lost,
        processed_twice=head.processed_twice,
        faults_bit=head.faults_bit,
        run_median_s=head.run_median_s,
        digest=report.digest,
        file="",
    )
    return (*report.history[-MOST_POINTS:], this) if report.history else ()
