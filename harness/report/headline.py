"""The verdict of the whole, in one sentence with its limits. PURE."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from statistics import median

from harness.campaign.summary import MOST_VACUOUS
from harness.ledger.findings import Kind, Outcome
from harness.report.cases import Fact, Share
from harness.report.claims import DOUBLED, LOST, Claims, colour_of
from harness.report.facts import RunFacts
from harness.report.merging import severity
from harness.report.model import Headline, UnsafeTally
from harness.schedule.statistics import clean_bound, wilson

INCOMPLETE = "incomplete"
_EMPTY = (Outcome.VACUOUS, None)


def headline(
    claims: Claims, *, title: str, not_tested: Sequence[str], warnings: Sequence[str]
) -> Headline:
    """Return the headline over the runs that are judged."""
    runs = claims.judged
    conclusive = [run for run in runs if run.conclusive]
    failed = sum(run.outcome is Outcome.FAILED for run in conclusive)
    outcome = whole(claims)
    faults = [fault for run in runs for fault in run.faults]
    took = sorted(run.took_s for run in runs if run.took_s is not None)
    bound = clean_bound(len(conclusive)) if conclusive and not failed else None
    lost, doubled = total(runs, *LOST), total(runs, *DOUBLED)
    made = Headline(
        title=title,
        outcome=outcome,
        colour=colour_of(outcome),
        sentence="",
        runs=len(runs),
        outcomes=dict(Counter(str(run.outcome or INCOMPLETE) for run in by_severity(runs))),
        messages=sum(run.messages for run in conclusive),
        lost=lost,
        processed_twice=doubled,
        other_findings=total(runs, *(kind for kind in Kind if kind not in (*LOST, *DOUBLED))),
        faults_scheduled=len(faults),
        faults_bit=sum(fault.bit for fault in faults),
        bound=bound,
        failing=share(failed, len(conclusive)) if failed else None,
        run_median_s=round(median(took), 3) if took else None,
        run_p95_s=round(took[int(0.95 * (len(took) - 1))], 3) if took else None,
        conditions=conditions(runs),
        unsafe=_unsafe(claims),
        not_tested=tuple(not_tested),
        warnings=tuple(warnings),
    )
    unpromised = sum(run.unpromised for run in conclusive)
    clauses = _clauses(made, conclusive=len(conclusive), unpromised=unpromised)
    return replace(made, sentence="; ".join(clauses))


def whole(claims: Claims) -> Outcome:
    """Return the verdict of the whole: the worst one, with what a campaign tolerates.

    Runs that proved nothing are tolerated up to `MOST_VACUOUS`. An unsafe variant that was played
    beside safe runs and never caught puts the harness's own eyesight in doubt: UNKNOWN.
    """
    runs = claims.judged
    seen = {run.outcome for run in runs if run.outcome not in _EMPTY}
    if sum(run.outcome in _EMPTY for run in runs) > MOST_VACUOUS * len(runs):
        seen.add(Outcome.VACUOUS)
    if claims.uncaught:
        seen.add(Outcome.UNKNOWN)
    return min((each for each in seen if each), key=severity, default=Outcome.VACUOUS)


def by_severity(runs: Iterable[RunFacts]) -> list[RunFacts]:
    """Return the runs, the worst outcome first."""
    return sorted(runs, key=lambda run: severity(run.outcome))


def total(runs: Iterable[RunFacts], *kinds: Kind) -> int:
    """Return how many findings of these kinds are held against the pipelines."""
    return sum(run.total_of(*kinds) for run in runs)


def share(hits: int, runs: int) -> Share:
    """Return a measured probability with its interval."""
    low, high = wilson(hits, runs)
    return Share(hits=hits, runs=runs, low=low, high=high)


def conditions(runs: Sequence[RunFacts]) -> tuple[Fact, ...]:
    """Return what the runs were played on, each fact with every value it had."""
    values: dict[str, dict[str, None]] = {}
    for setting in {id(run.setting): run.setting for run in runs}.values():
        for name, value in {**setting.versions, **setting.conditions}.items():
            values.setdefault(name, {})[value] = None
    return tuple(Fact(name=name, values=tuple(sorted(values[name]))) for name in sorted(values))


def _unsafe(claims: Claims) -> UnsafeTally | None:
    if not claims.unsafe:
        return None
    named = [(run.setting.variant.name, run.caught) for run in claims.unsafe if run.setting.variant]
    return UnsafeTally(
        runs=len(named),
        caught=sum(caught for _, caught in named),
        variants=len({name for name, _ in named}),
        variants_caught=len({name for name, caught in named if caught}),
    )


def _clauses(made: Headline, *, conclusive: int, unpromised: int) -> Iterable[str]:
    known = "" if conclusive == made.runs else f"{conclusive} of "
    yield (
        f"{made.lost:,} lost, {made.processed_twice:,} processed twice of {made.messages:,} "
        f"messages in {known}{made.runs} run" + ("" if made.runs == 1 else "s")
    )
    if unpromised:
        yield f"{unpromised:,} had not arrived where no progress was promised"
    if made.other_findings:
        yield f"{made.other_findings:,} other findings"
    if made.faults_scheduled:
        yield f"{made.faults_bit} of {made.faults_scheduled} faults met traffic"
    if made.failing is not None:
        low, high = made.failing.low, made.failing.high
        yield (
            f"{made.failing.hits} of {made.failing.runs} conclusive runs failed "
            f"(95 % interval {low:.0%} to {high:.0%})"
        )
    elif made.bound is not None:
        yield (
            f"with 95 % confidence fewer than {made.bound:.2%} of schedules like these fail "
            f"({conclusive} conclusive runs)"
        )
    else:
        yield "nothing is proven: no run came to a conclusion"
