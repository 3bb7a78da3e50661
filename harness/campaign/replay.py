"""Plays one schedule again and again, and says how often it failed."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from harness.campaign.regression import Regression, schedule_in
from harness.campaign.result import Job, Result
from harness.ledger.findings import EXIT_CODES, Outcome
from harness.run.plan import spec_of
from harness.run.session import LabSession
from harness.schedule.statistics import Rate, repeats_for_detection


def replay_jobs(what: Path, *, times: int) -> tuple[Job, ...]:
    """Return so many jobs of the schedule in a file or a run folder."""
    schedule = schedule_in(what)
    return tuple(Job(index=number, schedule=schedule, phase="replay") for number in range(times))


def worst(results: Sequence[Result]) -> int:
    """Return the exit code of the worst outcome."""
    outcomes = {result.outcome for result in results}
    return next((EXIT_CODES[each] for each in Outcome if each in outcomes), 3)


def replay_summary(results: Sequence[Result]) -> str:
    """Return how often it failed, with which findings, and how many repeats show it for sure."""
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


def play_regression(lab: LabSession, regression: Regression) -> None:
    """Play a regression as often as it says.

    AssertionError if a pipeline that ought to be safe shows it again, or if an unsafe variant is
    not caught any more in so many runs: then the harness has lost an eye, or the cluster a bug.
    """
    schedule = regression.schedule
    spec = spec_of(schedule.pipeline, schedule.variant)
    results = []
    for _ in range(regression.repeats):
        result = lab.play(spec, schedule, name="regression")
        if result.expects is None:
            result.assert_exactly_once()
        elif result.verdict.total_of(regression.finding, regression.hop):
            return
        results.append(result)
    if results and results[0].expects is not None:
        named = f"{regression.finding}{f' ({regression.hop})' if regression.hop else ''}"
        raise AssertionError(
            f"{named} was not seen in {regression.repeats} run(s); when it was pinned it showed in "
            f"{regression.failed} of {regression.of}. The runs: "
            + ", ".join(str(result.folder) for result in results)
        )
