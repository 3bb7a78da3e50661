"""Second copies on the way, and who absorbed them. PURE."""

from collections.abc import Sequence
from typing import Literal

from harness.report.claims import DOUBLED
from harness.report.facts import RunFacts
from harness.report.tables import Duplicates


def duplicates(runs: Sequence[RunFacts], *, of: Literal["safe", "unsafe"]) -> Duplicates:
    """Return what the runs that came to a conclusion say of second copies."""
    judged = [run for run in runs if run.conclusive]
    return Duplicates(
        of=of,
        in_log=sum(int(run.figures.get("log_duplicates", 0)) for run in judged),
        delivered_again=sum(_delivered_again(run) for run in judged),
        absorbed=sum(int(run.figures.get("redeliveries_absorbed", 0)) for run in judged),
        doubled=sum(run.total_of(*DOUBLED) for run in judged),
    )


def _delivered_again(run: RunFacts) -> int:
    """Return the deliveries beyond one for each message and consumer."""
    deliveries = int(run.figures.get("deliveries_journalled", 0))
    return max(0, deliveries - run.messages * int(run.figures.get("consumers", 1)))
