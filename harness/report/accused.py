"""The first accusations of each kind and hop of a verdict, however many it lists. PURE."""

from harness.ledger.findings import Finding, Verdict
from harness.report.facts import Accused

NAMED_A_RUN = 50
SHOWN_A_RUN = 5


def accused_of(verdict: Verdict) -> dict[Accused, tuple[str, ...]]:
    """Return the first messages that are accused of each kind at each hop."""
    named: dict[Accused, dict[str, None]] = {}
    for finding in verdict.findings:
        messages = named.setdefault((finding.kind, finding.hop), {})
        if len(messages) < NAMED_A_RUN:
            messages[str(finding.message_id)] = None
    return {accused: tuple(messages) for accused, messages in named.items()}


def listed_of(verdict: Verdict) -> tuple[Finding, ...]:
    """Return the first findings of each kind and hop."""
    seen: dict[Accused, int] = {}
    listed = []
    for finding in verdict.findings:
        count = seen.get((finding.kind, finding.hop), 0)
        seen[finding.kind, finding.hop] = count + 1
        if count < SHOWN_A_RUN:
            listed.append(finding)
    return tuple(listed)
