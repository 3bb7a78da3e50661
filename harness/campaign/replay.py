"""Plays one schedule again and again, and says how often it failed."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from harness.campaign.regression import Regression, Repeats, schedule_in
from harness.campaign.result import Job, Result
from harness.ledger.findings import EXIT_CODES, Outcome, Total
from harness.pipeline.variant import load_variant
from harness.run.plan import check_playable, spec_of
from harness.run.session import LabSession
from harness.schedule.statistics import Rate, repeats_for_detection


def replay_jobs(what: Path, *, times: int) -> tuple[Job, ...]:
    """Return so many jobs of the schedule in a file or a run folder; UsageError if it cannot be."""
    schedule = schedule_in(what)
    check_playable(schedule, on=spec_of(schedule.pipeline, schedule.variant))
    return tuple(Job(index=number, schedule=schedule, phase="replay") for number in range(times))


def worst(results: Sequence[Result]) -> int:
    """Return the exit code of the worst outcome."""
    outcomes = {result.outcome for result in results}
    return next((EXIT_CODES[each] for each in Outcome if each in outcomes), 3)


def replay_summary(results: Sequence[Result]) -> str:
    """Return how often it failed, with which findings, and how many repeats show it for sure."""
    if not results:
        return "nothing was played to its end"
    outcomes = Counter(str(result.outcome) for result in results)
    failed = [result for result in results if result.outcome is Outcome.FAILED]
    rate = Rate(hits=len(failed), runs=len(results))
    lines = [
        f"played {len(results)} times: "
        + ", ".join(f"{count} {name}" for name, count in outcomes.most_common()),
        f"failed {rate}: the interval is Wilson's, at 95 %",
    ]
    found = Counter(signature for result in failed for signature in result.signature())
    lines += [
        f"  {kind}{f' ({hop})' if hop else ''} in {count} of them"
        for (kind, hop), count in found.most_common()
    ]
    repeats = repeats_for_detection(rate.share)
    if repeats is not None:
        lines.append(f"at this rate {repeats} repeat(s) show it with 95 % certainty")
    return "\n".join(lines)


def play_regression(lab: LabSession, regression: Regression, *, name: str) -> Repeats:
    """Play a regression until it fails, or has been clean for as long as it takes to believe it."""
    schedule = regression.schedule
    spec = spec_of(schedule.pipeline, schedule.variant)
    repeats = repeats_of(regression, name=name)
    while not repeats.over():
        result = lab.play(spec, schedule, name="regression")
        repeats = with_run(repeats, result.verdict.outcome, result.verdict.totals)
    return repeats


def repeats_of(regression: Regression, *, name: str) -> Repeats:
    """Return a regression of which nothing was played yet; UsageError if nothing can be."""
    schedule = regression.schedule
    spec = spec_of(schedule.pipeline, schedule.variant)
    check_playable(schedule, on=spec)
    unsafe = spec.variant is not None and not load_variant(spec.variant, spec=spec).safe
    return Repeats(name=name, regression=regression, unsafe=unsafe)


def with_run(repeats: Repeats, outcome: Outcome, totals: Sequence[Total]) -> Repeats:
    """Return them with one more run."""
    showed = outcome is Outcome.FAILED and repeats.regression.shown_in(totals)
    return replace(
        repeats, outcomes=(*repeats.outcomes, outcome), shown=repeats.shown + int(showed)
    )
