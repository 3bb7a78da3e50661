"""Which runs the report judges, and how each of them looks beside its claim. PURE."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.ledger.findings import Kind, Outcome, Total
from harness.report.cases import FindingTotal
from harness.report.facts import RunFacts
from harness.report.tables import Colour

DOUBLED = (Kind.DUPLICATE_EFFECT,)
LOST = (Kind.LOST,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """Runs that claim to be safe, and those of unsafe variants, which have to be caught."""

    safe: tuple[RunFacts, ...]
    unsafe: tuple[RunFacts, ...]

    @classmethod
    def of(cls, runs: Sequence[RunFacts]) -> "Claims":
        """Tell the two kinds apart."""
        return cls(
            safe=tuple(run for run in runs if run.setting.safe),
            unsafe=tuple(run for run in runs if not run.setting.safe),
        )

    @property
    def judged(self) -> tuple[RunFacts, ...]:
        """Return the runs that the headline is about: the safe ones, or all if there are none."""
        return self.safe or self.unsafe

    @property
    def uncaught(self) -> tuple[str, ...]:
        """Return the unsafe variants that were played and never caught, beside safe runs."""
        if not self.safe:
            return ()
        played = {run.setting.variant.name for run in self.unsafe if run.setting.variant}
        caught = {
            run.setting.variant.name for run in self.unsafe if run.setting.variant and run.caught
        }
        return tuple(sorted(played - caught))

    def colour(self, run: RunFacts) -> Colour:
        """Return how a run looks: an unsafe variant beside safe runs has to be caught."""
        if run.setting.safe or not self.safe:
            return colour_of(run.outcome)
        return "passed" if run.caught else "inconclusive"


def colour_of(outcome: Outcome | None) -> Colour:
    """Return how an outcome looks by itself."""
    if outcome is Outcome.PASSED:
        return "passed"
    return "failed" if outcome is Outcome.FAILED else "inconclusive"


def words_of(kind: str, hop: str | None) -> str:
    """Return a kind and hop as `lost, acked-not-in-log`."""
    return f"{kind}, {hop}" if hop else kind


def shown(totals: Sequence[Total]) -> tuple[FindingTotal, ...]:
    """Return totals as a report has them."""
    return tuple(
        FindingTotal(
            kind=str(total.kind),
            hop=None if total.hop is None else str(total.hop),
            count=total.count,
        )
        for total in totals
    )
