"""What was not tested, and what a reader has to know before believing: sentences. PURE."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from harness.report.claims import Claims
from harness.report.facts import RunFacts
from harness.report.tables import Coverage
from harness.report.words import plural
from harness.schedule.menu import WEIGHTS

NAMED_AT_MOST = 6
CONTRACT = (
    "Outside of every guarantee: all replicas losing their unsynced tails at once, an operator who "
    "deletes the topic, retention shorter than the longest outage."
)
PAGE_CACHE = (
    "No node lost what it had not flushed: a killed node keeps its page cache; what a power loss "
    "takes is played by `amnesia`."
)


def not_tested(runs: Sequence[RunFacts], coverage: Coverage) -> tuple[str, ...]:
    """Return what these runs say nothing about."""
    return (
        *_checks(runs),
        *_cells(coverage),
        *_points(coverage),
        *_kinds(runs),
        *_one_of_a_kind(runs),
        *_page_cache(runs),
        CONTRACT,
    )


def _checks(runs: Sequence[RunFacts]) -> Iterator[str]:
    lacking = Counter((each.check, each.why) for run in runs for each in run.not_made)
    for (check, why), count in lacking.most_common():
        yield f"Not checked in {count} of {len(runs)} runs: {check} ({why})."


def _cells(coverage: Coverage) -> Iterator[str]:
    empty = [cell for cell in coverage.cells if not cell.bit]
    if empty:
        names = [f"{cell.fault} on {cell.target}, {cell.phase}" for cell in empty]
        yield (
            f"{len(empty)} of {len(coverage.cells)} combinations of fault, target and phase never "
            f"met traffic: {_some(names)}."
        )


def _points(coverage: Coverage) -> Iterator[str]:
    never = [f"{point.role} {point.point}" for point in coverage.points if not point.hit]
    if never:
        yield f"{len(never)} of {len(coverage.points)} crash points were never hit: {_some(never)}."


def _kinds(runs: Sequence[RunFacts]) -> Iterator[str]:
    played = {fault.kind for run in runs if run.schedule for fault in run.schedule.faults}
    never = [kind for kind in WEIGHTS if kind not in played]
    if never:
        yield f"Kinds of fault that were not played: {', '.join(never)}."


def _one_of_a_kind(runs: Sequence[RunFacts]) -> Iterator[str]:
    for name, other in (("kafka", "release of Kafka"), ("profile", "profile of time-outs")):
        values = {run.setting.conditions.get(name, "") for run in runs} - {""}
        if len(values) == 1:
            yield f"No other {other} than {values.pop()}."


def _page_cache(runs: Sequence[RunFacts]) -> Iterator[str]:
    if not any(f.kind == "amnesia" for run in runs if run.schedule for f in run.schedule.faults):
        yield PAGE_CACHE


def warnings(
    claims: Claims, *, copies: int, read: Iterable[str], notes: Iterable[str]
) -> tuple[str, ...]:
    """Return what has to be known first: `notes` of the caller, and what `read`ing met."""
    runs = (*claims.safe, *claims.unsafe)
    return (*notes, *_uncaught(claims), *_incomplete(runs), *read, *_unread(runs), *_copies(copies))


def _uncaught(claims: Claims) -> Iterator[str]:
    for variant in claims.uncaught:
        yield f"The unsafe variant {variant} was played and never caught: these eyes missed it."


def _incomplete(runs: Sequence[RunFacts]) -> Iterator[str]:
    torn = [run for run in runs if run.outcome is None]
    if torn:
        yield (
            f"Incomplete, and counted for nothing: {plural(len(torn), 'run')}: "
            f"{_some([f'{run.name} ({run.incomplete})' for run in torn], at_most=3)}."
        )


def _unread(runs: Sequence[RunFacts]) -> Iterator[str]:
    unread = [run for run in runs if run.unread and run.outcome is not None]
    if unread:
        yield (
            f"Counted with their verdict, but not in the coverage: {plural(len(unread), 'run')}: "
            f"{_some([f'{run.name} ({run.unread})' for run in unread], at_most=3)}."
        )


def _copies(copies: int) -> Iterator[str]:
    if copies:
        yield (
            f"Left out, because another run is of the same number of the same campaign: "
            f"{plural(copies, 'run')}. The one with the worst outcome counts."
        )


def _some(names: Sequence[str], *, at_most: int = NAMED_AT_MOST) -> str:
    more = f"; and {len(names) - at_most} more" if len(names) > at_most else ""
    return "; ".join(names[:at_most]) + more
