"""The lives of offending messages, beside the faults that were in force."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from harness.errors import HarnessError
from harness.ledger.explain import Moment, life_of
from harness.ledger.findings import Finding
from harness.ledger.journal import Journal
from harness.report.axis import Lane, LifeMoment, MessageLife, Span
from harness.report.words import shortened

TOLD_A_RUN = 3
MOMENTS_AT_MOST = 40


def lives(
    path: Path,
    findings: Sequence[Finding],
    *,
    journals: Sequence[Journal],
    lanes: Iterable[Lane],
    began_us: int,
) -> tuple[MessageLife, ...]:
    """Return the lives of the first offender of each kind and hop that a witness still knows."""
    spans = {span.fault: span for lane in lanes for span in lane.spans}.values()
    offenders = {(finding.kind, finding.hop): finding for finding in reversed(findings)}
    told = []
    for finding in sorted(offenders.values(), key=findings.index)[:TOLD_A_RUN]:
        try:
            life = life_of(path, str(finding.message_id), journals=journals)
        except HarnessError:
            continue  # torn: the verdict says so already
        if life.known:
            told.append(
                MessageLife(
                    message=str(finding.message_id),
                    accusation=shortened(finding.sentence),
                    moments=tuple(
                        _moment(moment, spans, began_us=began_us)
                        for moment in life.moments[:MOMENTS_AT_MOST]
                    ),
                    held=tuple(map(shortened, life.held)),
                )
            )
    return tuple(told)


def _moment(moment: Moment, spans: Iterable[Span], *, began_us: int) -> LifeMoment:
    at_s = round((moment.at_us - began_us) / 1e6, 3)
    return LifeMoment(
        at_s=at_s,
        who=moment.who or "log",
        words=shortened(moment.words),
        in_force=tuple(span.fault for span in spans if _in_force(span, at_s)),
    )


def _in_force(span: Span, at_s: float) -> bool:
    if span.held_s is None or at_s < span.held_s:
        return False
    return span.healed_s is None or at_s < span.healed_s
