"""A run that was judged, as scenarios see it: verdicts become assertions here and nowhere else."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.ledger.findings import Outcome, Verdict
from harness.ledger.render import render_verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What `lab.run(...)` returns."""

    folder: Path
    verdict: Verdict
    took_s: float
    expects: tuple[str, str | None] | None = None
    """The finding and hop that the run's variant says it must lead to."""

    def assert_exactly_once(self) -> None:
        """Assert PASSED: every committed message delivered at least once, processed exactly once.

        Every other verdict raises AssertionError with the verdict, the findings, the run's folder
        and the command that plays the same schedule again.
        """
        if self.verdict.outcome is not Outcome.PASSED:
            raise AssertionError(self._explanation("expected PASSED"))

    def assert_found(self, kind: str, *, at: str | None = None) -> None:
        """Assert FAILED with a confirmed finding of this kind, at this hop if one is given."""
        wanted = f"{kind} at {at}" if at else kind
        if not self._found(kind, at):
            raise AssertionError(self._explanation(f"expected FAILED with {wanted}"))

    def assert_caught(self) -> None:
        """Assert that the run's unsafe variant was caught with the finding that it declares."""
        if self.expects is None:
            raise AssertionError("This run's variant is declared safe: there is nothing to catch")
        self.assert_found(self.expects[0], at=self.expects[1])

    def caught(self) -> bool:
        """Tell whether the run's unsafe variant was caught with the finding that it declares."""
        return self.expects is not None and self._found(*self.expects)

    def _found(self, kind: str, at: str | None) -> bool:
        return self.verdict.outcome is Outcome.FAILED and self.verdict.total_of(kind, at) > 0

    def _explanation(self, expectation: str) -> str:
        return (
            f"{self.verdict.outcome.value}, {expectation}\n"
            f"{render_verdict(self.verdict, width=100)}\n"
            f"run folder: {self.folder}\n"
            f"play it again: harness run --schedule {self.folder / 'schedule.json'}"
            f"{lab_options(self.verdict.conditions)}\n"
            f"one message's life: harness explain {self.folder} MESSAGE"
        )


def lab_options(conditions: Mapping[str, str]) -> str:
    """Return the options that start the same kind of lab again, each with a space before it."""
    options = {
        "backend": "backend",
        "profile": "profile",
        "kafka": "kafka",
        "features": "feature",
    }
    return "".join(
        f" --{options[name]} {value}"
        for name, values in conditions.items()
        for value in values.split()
    )
