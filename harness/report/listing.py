"""The list of runs: each in a line, unexpected failures first. PURE."""

from collections.abc import Collection
from datetime import UTC, datetime

from harness.report.claims import Claims, shown, words_of
from harness.report.counterexamples import named
from harness.report.facts import RunFacts
from harness.report.merging import in_time, severity
from harness.report.model import RunLine
from harness.report.words import fault_lines

_COLOURS = ("failed", "inconclusive", "passed")


def listing(claims: Claims, *, stories: Collection[str]) -> tuple[RunLine, ...]:
    """Return every run; `stories`: the keys of those that have a time axis."""
    runs = sorted((*claims.safe, *claims.unsafe), key=lambda run: _rank(run, claims))
    return tuple(_line(run, claims, story=run.key in stories) for run in runs)


def _rank(run: RunFacts, claims: Claims) -> tuple[object, ...]:
    return _COLOURS.index(claims.colour(run)), severity(run.outcome), *in_time(run)


def _line(run: RunFacts, claims: Claims, *, story: bool) -> RunLine:
    variant, origin = run.setting.variant, run.origin
    expects = variant.expects if variant else None
    return RunLine(
        key=run.key,
        name=run.name,
        folder="" if run.path is None else named(run.path),
        outcome=run.outcome,
        colour=claims.colour(run),
        incomplete=run.incomplete,
        reasons=run.reasons,
        totals=shown(run.totals),
        pipeline=run.setting.pipeline,
        variant=None if variant is None else variant.name,
        expects=words_of(*expects) if expects else None,
        caught=run.caught,
        faults=fault_lines(run, evidence=False),
        messages=run.messages,
        took_s=None if run.took_s is None else round(run.took_s, 1),
        began=iso(run.timeline.began_us),
        campaign=origin.campaign,
        number=origin.number,
        phase=origin.phase,
        budget="" if run.schedule is None else run.schedule.budget,
        fingerprint=run.fingerprint,
        story=story,
    )


def iso(at_us: int) -> str:
    """Return a moment as ISO 8601 in UTC, to the second; empty for 0."""
    return datetime.fromtimestamp(at_us // 1_000_000, tz=UTC).isoformat() if at_us else ""
