"""From paths to one `Report`: finds the folders, reads them, adds them up."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from harness.campaign.regression import read_regression
from harness.errors import UsageError
from harness.report.axis import RunStory
from harness.report.catalogue import catalogue
from harness.report.claims import Claims
from harness.report.counterexamples import representatives
from harness.report.coverage import coverage
from harness.report.duplicates import duplicates
from harness.report.facts import RunFacts
from harness.report.funnel import funnel
from harness.report.headline import headline
from harness.report.history import history
from harness.report.links import links
from harness.report.listing import listing
from harness.report.merging import Merged, merge
from harness.report.model import Headline, Report
from harness.report.pinned import Pinned, counterexamples
from harness.report.price import read_price
from harness.report.reading import read
from harness.report.recovery import recovery
from harness.report.sources import discover
from harness.report.stories import story, worth_telling
from harness.report.tables import Coverage
from harness.report.untested import not_tested, warnings


@dataclass(frozen=True, slots=True, kw_only=True)
class _Night:
    """Everything that was found, each run once."""

    merged: Merged
    claims: Claims
    pinned: tuple[Pinned, ...]
    warnings: tuple[str, ...]


def build(
    paths: Iterable[Path],
    *,
    title: str = "",
    price: Path | None = None,
    earlier: Iterable[Path] = (),
    beside: Path | None = None,
    notes: Iterable[str] = (),
) -> Report:
    """Return the report over every run at or below `paths`, torn ones with the reason.

    `price`: the file of a benchmark. `earlier`: folders of earlier reports; `beside`: where the
    page will stand. `notes`: what a reader must know first. UsageError if there is no run.
    """
    asked = list(paths)
    night = _gather(asked)
    runs, claims = night.merged.runs, night.claims
    told, covered, digest = _stories(claims, runs), coverage(claims.judged), _digest(runs)
    return Report(
        made=datetime.now(tz=UTC).isoformat(timespec="milliseconds"),
        harness=version("zero-loss-harness"),
        digest=digest,
        headline=_headline(night, covered, title=title or _title(asked, claims), notes=notes),
        funnels=tuple(funnel(kind, of=name) for name, kind in _kinds(claims)),
        counterexamples=counterexamples(runs, night.pinned, stories=told),
        stories=told,
        links=links(runs),
        recovery=recovery(runs),
        coverage=covered,
        duplicates=tuple(duplicates(kind, of=name) for name, kind in _kinds(claims)),
        catalogue=catalogue(runs),
        price=None if price is None else read_price(price),
        history=history(earlier, beside=(beside or Path()).absolute(), digest=digest),
        runs=listing(claims, stories={each.run for each in told}),
    )


def _headline(night: _Night, covered: Coverage, *, title: str, notes: Iterable[str]) -> Headline:
    claims, copies = night.claims, night.merged.copies
    return headline(
        claims,
        title=title,
        not_tested=not_tested(claims.judged, covered),
        warnings=warnings(claims, copies=copies, read=night.warnings, notes=notes),
    )


def _gather(asked: Sequence[Path]) -> _Night:
    found = discover(asked)
    reading = read(found)
    if not reading.runs and not found.regressions:
        raise UsageError(
            f"There is no run to report in {', '.join(map(str, asked))}: it is an empty campaign",
            remedy="go on with it: harness campaign --resume",
        )
    merged = merge(reading.runs)
    return _Night(
        merged=merged,
        claims=Claims.of(merged.runs),
        pinned=tuple(
            Pinned(file=file, regression=read_regression(file)) for file in found.regressions
        ),
        warnings=tuple(reading.warnings),
    )


def _kinds(claims: Claims) -> Iterator[tuple[Literal["safe", "unsafe"], Sequence[RunFacts]]]:
    if claims.safe:
        yield "safe", claims.safe
    if claims.unsafe:
        yield "unsafe", claims.unsafe


def _stories(claims: Claims, runs: Sequence[RunFacts]) -> tuple[RunStory, ...]:
    examples = [failed[0] for failed in representatives(runs).values()]
    by_key = {run.key: run for run in runs}
    chosen = worth_telling(claims, examples=examples)
    told = (story(by_key[key], why=why) for key, why in chosen.items())
    return tuple(each for each in told if each is not None)


def _title(asked: Sequence[Path], claims: Claims) -> str:
    names = {run.setting.pipeline for run in claims.judged}
    variants = {run.setting.variant.name for run in claims.judged if run.setting.variant}
    what = ", ".join(sorted(Path(name).name or name for name in variants or names))
    where = asked[0].resolve().name if len(asked) == 1 else f"{len(asked)} folders"
    return f"{what}: {where}"


def _digest(runs: Sequence[RunFacts]) -> str:
    named = sorted(f"{run.name} {run.origin.number} {run.outcome}" for run in runs)
    return hashlib.sha256("\n".join(named).encode()).hexdigest()[:16]
