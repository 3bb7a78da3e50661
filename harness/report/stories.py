"""Which runs are worth a time axis, and reading their folders once more for it."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from harness.ledger.clocks import set_right
from harness.ledger.findings import Outcome
from harness.ledger.journal import read_journals
from harness.ledger.timeline import Timeline
from harness.report.axis import RunStory
from harness.report.claims import Claims
from harness.report.curves import curves
from harness.report.facts import RunFacts
from harness.report.lanes import clock_of, lanes, phases, role_lives
from harness.report.lives import lives
from harness.report.marks import controllers, crashes, partitions, rebalances, troubles
from harness.report.reading import environment_of, events_of

FAILED_AT_MOST = 12
CAUGHT_AT_MOST = 12
INCONCLUSIVE_AT_MOST = 6
CHANGES_AT_MOST = 400


def worth_telling(claims: Claims, *, examples: Iterable[RunFacts]) -> dict[str, str]:
    """Return the keys of the runs that get a time axis, and why.

    Failed ones first, then inconclusive ones, `examples` of caught ones, and a typical passed one.
    """
    at_hand = [run for run in claims.judged if run.path is not None]
    failed = [run for run in at_hand if run.outcome is Outcome.FAILED]
    open_ones = [run for run in at_hand if not run.conclusive]
    shown = {run.key: "caught, as declared" for run in [*examples][:CAUGHT_AT_MOST] if run.path}
    chosen = {run.key: "failed" for run in sorted(failed, key=_size)[:FAILED_AT_MOST]}
    chosen |= {
        run.key: str(run.outcome or "incomplete") for run in open_ones[:INCONCLUSIVE_AT_MOST]
    }
    chosen = {**chosen, **{key: why for key, why in shown.items() if key not in chosen}}
    typical = _typical([run for run in at_hand if run.outcome is Outcome.PASSED])
    return chosen | ({typical.key: "a typical run that passed"} if typical else {})


def _size(run: RunFacts) -> tuple[int, str]:
    return len(run.faults), run.key


def _typical(passed: Sequence[RunFacts]) -> RunFacts | None:
    """Return the run nearest to the median length among those with faults that bit."""
    bitten = [run for run in passed if any(fault.bit for fault in run.faults)] or list(passed)
    journalled = [run for run in bitten if run.path and (run.path / "journal").is_dir()]
    bitten = journalled or bitten
    if not bitten:
        return None
    middle = median(run.took_s or 0.0 for run in bitten)
    return min(bitten, key=lambda run: (abs((run.took_s or 0.0) - middle), run.key))


def story(run: RunFacts, *, why: str) -> RunStory | None:
    """Read a run's folder for its time axis; None if it has none, or no timeline."""
    events = [] if run.path is None else events_of(run.path)
    if run.path is None or not events:
        return None
    clock, began_us = clock_of(events), run.timeline.began_us
    whole = Timeline(present=True, events=tuple(events), scheduled=len(run.faults))
    journals = set_right(read_journals(run.path), whole)
    length_s = clock(events[-1])
    drawn = lanes(events, who_of_slots=_who_of_slots(environment_of(run.path)), clock=clock)
    series, source = curves(events, journals, began_us=began_us, length_s=length_s)
    return RunStory(
        run=run.key,
        why=why,
        length_s=length_s,
        phases=phases(events, clock=clock),
        lanes=drawn,
        roles=role_lives(events, clock=clock),
        series=series,
        source=source,
        partitions=tuple(partitions(events, clock=clock))[:CHANGES_AT_MOST],
        controllers=tuple(controllers(events, clock=clock)),
        rebalances=tuple(rebalances(journals, began_us=began_us))[:CHANGES_AT_MOST],
        crashes=tuple(crashes(events, clock=clock)),
        troubles=tuple(troubles(events, clock=clock)),
        lives=lives(run.path, run.listed, journals=journals, lanes=drawn, began_us=began_us),
        figures={name: float(value) for name, value in run.figures.items()},
    )


def _who_of_slots(environment: Mapping[str, object]) -> dict[int, str]:
    slots = environment.get("slots")
    held = slots.items() if isinstance(slots, dict) else ()
    return {slot: str(who) for who, slot in held if isinstance(slot, int)}
