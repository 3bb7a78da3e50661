"""A verdict as text for a terminal: the outcome first, then why, then what was not looked at.

Owns the layout; must not decide anything.
"""

import textwrap
from collections.abc import Iterable, Iterator, Mapping

from harness.ledger.findings import Finding, Outcome, Row, Total, Verdict

EXAMPLES = 3
INDENT = "  "
HASH_SHOWN = 12
WORDS = {
    Outcome.PASSED: "every committed message arrived and was processed exactly once",
    Outcome.FAILED: "the guarantee does not hold",
    Outcome.UNKNOWN: "the run cannot be judged",
    Outcome.HANG: "nothing is lost, but progress stopped",
    Outcome.HARNESS_ERROR: "the harness or its lab had trouble of its own",
    Outcome.VACUOUS: "nothing was tested",
}


def render_verdict(verdict: Verdict, *, width: int = 100, examples: int = EXAMPLES) -> str:
    """Return the verdict as lines of at most `width` characters (long values are not cut)."""
    lines: list[str] = [f"{verdict.outcome}: {_meaning(verdict)}"]
    lines += _section("why", verdict.reasons)
    if not verdict.confirmed:
        lines += ["", "findings (unconfirmed: the trouble above may have caused them)"]
    elif verdict.findings:
        lines += ["", "findings"]
    for total in verdict.totals:
        lines += _group(verdict, total, examples=examples)
    lines += _section("faults", _faults(verdict))
    lines += _section("figures", _figures(verdict.figures))
    lines += _section("played on", (f"{k}: {v}" for k, v in verdict.conditions.items()))
    lines += _section("checked", verdict.checks_made)
    lines += _section("not checked", (f"{n.check}: {n.why}" for n in verdict.checks_not_made))
    return "\n".join(wrapped for line in lines for wrapped in _wrap(line, width))


def _meaning(verdict: Verdict) -> str:
    waiting = int(verdict.figures.get("messages_stuck", 0))
    if verdict.outcome is Outcome.PASSED and waiting:  # over the budget, where it is no finding
        return (
            "no committed message was lost or processed twice; "
            f"{waiting:,} had not arrived, and no progress was promised"
        )
    return WORDS[verdict.outcome]


def _section(title: str, sentences: Iterable[str]) -> list[str]:
    lines = [f"{INDENT}{sentence}" for sentence in sentences]
    return ["", title, *lines] if lines else []


def _group(verdict: Verdict, total: Total, *, examples: int) -> Iterator[str]:
    name = f"{total.kind}, {total.hop}" if total.hop else str(total.kind)
    yield f"{INDENT}{name}: {total.count}"
    listed = [f for f in verdict.findings if f.kind == total.kind and f.hop == total.hop]
    for finding in listed[:examples]:
        yield from _example(finding)
    if total.count > examples:
        yield f"{INDENT * 2}… and {total.count - min(examples, len(listed))} more"


def _example(finding: Finding) -> Iterator[str]:
    yield f"{INDENT * 2}{finding.sentence}"
    for row in finding.rows:
        yield f"{INDENT * 3}{row_words(row)}"


def row_words(row: Row) -> str:
    """Return a witness row in one line, hashes shortened."""
    parts = [
        f"{name}={_short(name, value)}"
        for name, value in row.items()
        if name != "witness" and value is not None
    ]
    return f"{row['witness']}: {' '.join(parts)}" if parts else f"{row['witness']}: present"


def _short(name: str, value: object) -> str:
    text = str(value)
    return f"{text[:HASH_SHOWN]}…" if name == "payload_sha256" else text


def _faults(verdict: Verdict) -> Iterator[str]:
    for fault in verdict.faults:
        yield f"{fault.index} {fault.what}: {fault.state}, {'bit' if fault.bit else 'did not bite'}"
        for sentence in fault.evidence:
            yield f"{INDENT}{sentence}"


def _figures(figures: Mapping[str, int | float]) -> Iterator[str]:
    for name, value in figures.items():
        yield f"{name.replace('_', ' ')}: {value:,}"


def _wrap(line: str, width: int) -> list[str]:
    indent = line[: len(line) - len(line.lstrip())]
    return textwrap.wrap(
        line, width, subsequent_indent=f"{indent}{INDENT}", break_long_words=False,
        break_on_hyphens=False,
    ) or [""]  # fmt: skip
