"""What a campaign has shown, in words: verdicts, faults that bit, the bound, what is missing."""

from collections import Counter
from collections.abc import Sequence
from math import ceil
from statistics import median

from harness.campaign.result import Result
from harness.ledger.findings import Outcome
from harness.schedule.coverage import Grid, Met, grid
from harness.schedule.statistics import Rate, clean_bound

MOST_VACUOUS = 0.05
"""A campaign of which more runs proved nothing is inconclusive."""
_SHOWN = 8
_INCONCLUSIVE = {Outcome.UNKNOWN, Outcome.HANG}


def exit_code(results: Sequence[Result]) -> int:
    """Return 1 after a failure, 4 after an error of the harness, 3 if too little was proven, or 0.

    A campaign over an unsafe variant is a success when it caught what the variant declares.
    """
    if results and results[0].expects is not None:
        return 0 if any(result.caught() for result in results) else 3
    outcomes = Counter(result.outcome for result in results)
    if outcomes[Outcome.FAILED]:
        return 1
    if outcomes[Outcome.HARNESS_ERROR]:
        return 4
    vacuous = outcomes[Outcome.VACUOUS] > MOST_VACUOUS * len(results)
    inconclusive = any(outcomes[each] for each in _INCONCLUSIVE)
    return 3 if vacuous or inconclusive or not outcomes[Outcome.PASSED] else 0


def coverage(results: Sequence[Result]) -> Grid:
    """Return how often each kind of fault met each class of target, in which phase."""
    return grid(
        (result.schedule, [Met(bit=hit.bit) for hit in result.faults]) for result in results
    )


def summary(results: Sequence[Result], *, wall_s: float | None = None) -> str:
    """Return the whole campaign in some twenty lines."""
    if not results:
        return "nothing was played"
    lines = [_verdicts(results), _pace(results, wall_s), _faults(results), *_claims(results)]
    met = coverage(results)
    lines.append(
        f"coverage: {len(met.cells) - len(met.empty)} of {len(met.cells)} combinations of fault, "
        "target and phase that were scheduled have bitten"
    )
    lines += [
        f"  never bit: {cell.fault} on {cell.target}, {cell.phase}" for cell in met.empty[:_SHOWN]
    ]
    lines += _stories(results)
    return "\n".join(lines)


def _verdicts(results: Sequence[Result]) -> str:
    outcomes = Counter(str(result.outcome) for result in results)
    said = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common())
    return f"{len(results)} runs: {said}"


def _pace(results: Sequence[Result], wall_s: float | None) -> str:
    took = sorted(result.took_s for result in results)
    hourly = f", {len(results) / wall_s * 3600:,.0f} runs an hour" if wall_s else ""
    late = took[ceil(0.95 * len(took)) - 1]
    spread = f"median; 95 %: {late:.1f} s, most {took[-1]:.1f} s"
    return f"a run took {median(took):.1f} s ({spread}){hourly}"


def _faults(results: Sequence[Result]) -> str:
    hits = [hit for result in results for hit in result.faults]
    messages = sum(result.messages for result in results)
    bit = sum(hit.bit for hit in hits)
    return f"{messages:,} messages were judged; {bit} of {len(hits)} faults met traffic"


def _claims(results: Sequence[Result]) -> list[str]:
    conclusive = [r for r in results if r.outcome in (Outcome.PASSED, Outcome.FAILED)]
    failed = sum(result.outcome is Outcome.FAILED for result in conclusive)
    if not conclusive:
        return ["nothing is proven: no run came to a conclusion"]
    if failed:
        return [
            f"share of schedules like these that fail: {Rate(hits=failed, runs=len(conclusive))}"
        ]
    bound = clean_bound(len(conclusive))
    said = f"no failure in {len(conclusive)} conclusive runs: with 95 % confidence fewer than "
    return [f"{said}{bound:.2%} of schedules like these fail"]


def _stories(results: Sequence[Result]) -> list[str]:
    """Return the first runs that did not pass, the worst outcome first."""
    order = list(Outcome)
    odd = [result for result in results if result.outcome is not Outcome.PASSED]
    odd.sort(key=lambda result: (order.index(result.outcome), result.index))
    lines = []
    for result in odd[:_SHOWN]:
        lines.append(f"{result.outcome}: {'; '.join(result.reasons)}")
        lines += [f"    {fault} (starts after {fault.trigger})" for fault in result.schedule.faults]
        lines.append(f"    {result.folder}")
    if len(odd) > _SHOWN:
        lines.append(f"… and {len(odd) - _SHOWN} more that did not pass")
    return lines
