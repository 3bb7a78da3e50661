"""Adds up what several folders tell: each run counts once, in whatever order they come. PURE.

The same number of the same campaign may come from a copy, or from two machines that both played it:
then the worst outcome stands, because a failure is not undone by a repeat that passed.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace

from harness.ledger.findings import Outcome
from harness.report.facts import RunFacts

_WORST_FIRST = {outcome: rank for rank, outcome in enumerate(Outcome)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """The runs, each once, in order of time and with its key; and how many copies were left out."""

    runs: tuple[RunFacts, ...]
    copies: int


def merge(runs: Sequence[RunFacts]) -> Merged:
    """Return each run once."""
    once = _once(_once(runs, key=_place), key=_number)
    numbered = enumerate(sorted(once, key=in_time), start=1)
    return Merged(
        runs=tuple(replace(run, key=f"r{number}") for number, run in numbered),
        copies=len(runs) - len(once),
    )


def severity(outcome: Outcome | None) -> int:
    """Return a number that is smaller for a worse outcome; no verdict comes after all others."""
    return len(_WORST_FIRST) if outcome is None else _WORST_FIRST[outcome]


def in_time(run: RunFacts) -> tuple[object, ...]:
    """Return what runs are sorted by: when they began, which their names say too."""
    return run.timeline.began_us, run.name, run.origin.number or 0, str(run.path)


def _once(
    runs: Iterable[RunFacts], *, key: Callable[[RunFacts], Hashable | None]
) -> list[RunFacts]:
    kept: dict[Hashable, RunFacts] = {}
    alone = []
    for run in runs:
        name = key(run)
        if name is None:
            alone.append(run)
        else:
            kept[name] = min(kept.get(name, run), run, key=_preferred)
    return [*kept.values(), *alone]


def _preferred(run: RunFacts) -> tuple[object, ...]:
    """Order those that are the same run: the worst, then the one of which more is at hand."""
    return (severity(run.outcome), run.path is None, run.origin.number is None, *in_time(run))


def _place(run: RunFacts) -> Hashable | None:
    return run.path


def _number(run: RunFacts) -> Hashable | None:
    origin = run.origin
    return (
        (origin.identity, origin.number) if origin.identity and origin.number is not None else None
    )
