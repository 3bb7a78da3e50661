"""How long recovery took, by kind of fault, over runs with that fault alone. PURE."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.report.facts import RunFacts
from harness.report.tables import RecoveryRow, Spread
from harness.schedule.coverage import Tag, tag


@dataclass(slots=True)
class _Times:
    first_ack: list[float] = field(default_factory=list)
    full_isr: list[float] = field(default_factory=list)
    zero_lag: list[float] = field(default_factory=list)


def recovery(runs: Sequence[RunFacts]) -> tuple[RecoveryRow, ...]:
    """Return a row for each kind of fault that was alone in a run and bit."""
    times: defaultdict[Tag, _Times] = defaultdict(_Times)
    for run in runs:
        if run.schedule is None or len(run.schedule.faults) != 1:
            continue
        if not (run.conclusive and all(fault.bit for fault in run.faults)):
            continue
        _add(times[tag(run.schedule.faults[0])], run)
    return tuple(
        RecoveryRow(
            fault=fault,
            target=target,
            first_ack=spread(measured.first_ack),
            full_isr=spread(measured.full_isr),
            zero_lag=spread(measured.zero_lag),
        )
        for (fault, target), measured in sorted(times.items())
    )


def _add(times: _Times, run: RunFacts) -> None:
    gap_ms = run.figures.get("longest_ack_gap_ms")
    if gap_ms:
        times.first_ack.append(gap_ms / 1000)
    recovered = run.timeline.recovered
    if recovered.full_isr_s is not None:
        times.full_isr.append(recovered.full_isr_s)
    if recovered.zero_lag_s is not None:
        times.zero_lag.append(recovered.zero_lag_s)


def spread(seconds: Sequence[float]) -> Spread | None:
    """Return the spread of measured times, by nearest rank; None without any."""
    if not seconds:
        return None
    ordered = sorted(seconds)
    return Spread(
        n=len(ordered),
        p50_s=round(_at(ordered, 0.5), 3),
        p95_s=round(_at(ordered, 0.95), 3),
        max_s=round(ordered[-1], 3),
    )


def _at(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
