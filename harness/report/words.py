"""Faults, workloads and findings of runs in words, as report values. PURE."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from harness.ledger.findings import FaultSeen, Finding
from harness.report.cases import FaultLine, FindingShown, WitnessRow
from harness.report.facts import RunFacts
from harness.schedule.values import Fault, Schedule, Workload

LONGEST_VALUE = 400
"""Characters of a witness value that are shown: a key may be 10 kB long."""


def plural(number: int, word: str, many: str = "") -> str:
    """Return a number with its noun: `1 run`, `37 runs`."""
    return f"{number:,} {word if number == 1 else many or word + 's'}"


def fault_lines(run: RunFacts, *, evidence: bool) -> tuple[FaultLine, ...]:
    """Return a run's faults: as scheduled, and what each became."""
    scheduled: Iterable[Fault | None] = run.schedule.faults if run.schedule else ()
    faults = [*scheduled]
    faults += [None] * (len(run.faults) - len(faults))
    lines = [
        fault_line(fault, run.faults[place] if place < len(run.faults) else None)
        for place, fault in enumerate(faults)
    ]
    return tuple(lines if evidence else [replace(line, evidence=()) for line in lines])


def fault_line(fault: Fault | None, seen: FaultSeen | None) -> FaultLine:
    """Return one fault in words; `seen`: what the timeline saw of it."""
    what = "" if seen is None or seen.state == "never" else seen.what
    return FaultLine(
        words=what if fault is None else str(fault),
        starts="" if fault is None else str(fault.trigger),
        ends="" if fault is None else str(fault.end),
        what=what,
        state="never" if seen is None else seen.state,
        bit=seen is not None and seen.bit,
        evidence=() if seen is None else seen.evidence,
    )


def workload_words(workload: Workload) -> str:
    """Return what the producers were asked for."""
    rate = f"{workload.rate_per_s} messages/s" if workload.rate_per_s else "as fast as they can"
    return (
        f"{rate}, {workload.batch} a transaction, {workload.keys} keys, "
        f"{workload.payload_bytes} bytes each"
    )


def schedule_size(schedule: Schedule | None) -> tuple[int, int]:
    """Return what schedules are compared by: how many faults, then how many words."""
    if schedule is None:
        return 99, 0
    return len(schedule.faults), sum(len(f"{each}{each.trigger}") for each in schedule.faults)


def finding_shown(finding: Finding) -> FindingShown:
    """Return an accusation with its rows as text."""
    return FindingShown(
        kind=str(finding.kind),
        hop=None if finding.hop is None else str(finding.hop),
        message=str(finding.message_id),
        consumer=finding.consumer,
        sentence=shortened(finding.sentence),
        rows=tuple(_row(row) for row in finding.rows),
    )


def _row(row: Mapping[str, object]) -> WitnessRow:
    return WitnessRow(
        witness=str(row.get("witness", "")),
        columns=tuple(
            (str(name), shortened(str(value))) for name, value in row.items() if name != "witness"
        ),
    )


def shortened(text: str) -> str:
    """Return a text of a system under test, cut where it is too long, and fit for any file."""
    written = text[:LONGEST_VALUE].encode("utf-8", "replace").decode()
    return written if len(text) <= LONGEST_VALUE else f"{written}… ({len(text):,} characters)"
