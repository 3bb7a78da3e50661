"""What is played and what came of it, as values that travel as one line of JSON each."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from harness.errors import UsageError
from harness.ledger.findings import Outcome, Total, Verdict
from harness.schedule.targets import STRICT
from harness.schedule.values import Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One schedule to be played, and its place in whatever is played."""

    __pydantic_config__ = STRICT
    index: int
    schedule: Schedule
    phase: str = "run"
    """Which part of a campaign it belongs to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One fault of the run: its name, how far it came, and whether it bit."""

    __pydantic_config__ = STRICT
    what: str
    state: str
    bit: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A job that was played and judged; a line of `results.jsonl`."""

    __pydantic_config__ = STRICT
    index: int
    phase: str
    fingerprint: str
    schedule: Schedule
    outcome: Outcome
    reasons: tuple[str, ...]
    totals: tuple[Total, ...]
    """How many findings of each kind and hop."""
    faults: tuple[Hit, ...]
    messages: int
    """Committed messages that were judged."""
    took_s: float
    folder: str
    expects: tuple[str, str | None] | None = None
    """The finding and hop that its variant must lead to; None: nothing may be found."""
    format: Literal[1] = field(default=1)

    def caught(self) -> bool:
        """Tell whether it FAILED with what its variant declares, or at all if it declares none."""
        if self.outcome is not Outcome.FAILED:
            return False
        if self.expects is None:
            return True
        kind, hop = self.expects
        return any(total.kind == kind and hop in (None, total.hop) for total in self.totals)

    def signature(self) -> frozenset[tuple[str, str | None]]:
        """Return the kinds and hops of its findings: what makes two failures the same failure."""
        return frozenset((str(total.kind), total.hop) for total in self.totals)


_JOB = TypeAdapter(Job)
_RESULT = TypeAdapter(Result)


def job_line(job: Job) -> str:
    """Return a job as one line."""
    return _JOB.dump_json(job).decode()


def job_of(line: str) -> Job:
    """Read what `job_line` wrote."""
    return _JOB.validate_json(line)


def result_line(result: Result) -> str:
    """Return a result as one line."""
    return _RESULT.dump_json(result).decode()


def result_of(line: str | bytes, *, source: str) -> Result:
    """Read what `result_line` wrote; UsageError that names `source` if it is something else."""
    try:
        return _RESULT.validate_json(line)
    except ValueError as error:
        raise UsageError(f"{source}: not a result of a run: {error}") from error


def result_from(
    job: Job,
    verdict: Verdict,
    *,
    folder: Path,
    took_s: float,
    fingerprint: str,
    expects: tuple[str, str | None] | None,
) -> Result:
    """Sum up one judged run."""
    return Result(
        index=job.index,
        phase=job.phase,
        fingerprint=fingerprint,
        schedule=job.schedule,
        outcome=verdict.outcome,
        reasons=verdict.reasons,
        totals=verdict.totals,
        faults=tuple(
            Hit(what=fault.what, state=fault.state, bit=fault.bit) for fault in verdict.faults
        ),
        messages=int(verdict.figures.get("messages_committed", 0)),
        took_s=round(took_s, 3),
        folder=str(folder),
        expects=expects,
    )
