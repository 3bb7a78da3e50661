"""The catalogue's state: what these runs say of each variant's claim."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Literal

from harness.ledger.findings import Outcome
from harness.pipeline.variant import Variant, list_variants
from harness.report.claims import words_of
from harness.report.facts import RunFacts, VariantSaid
from harness.report.tables import CatalogueRow

State = Literal["caught", "not caught", "held", "accused", "inconclusive", "not played"]


def catalogue(runs: Sequence[RunFacts]) -> tuple[CatalogueRow, ...]:
    """Return a row for every variant there is, and for each pipeline that was played as it is."""
    played: defaultdict[str, list[RunFacts]] = defaultdict(list)
    bare: defaultdict[str, list[RunFacts]] = defaultdict(list)
    for run in runs:
        variant = run.setting.variant
        (bare[run.setting.pipeline] if variant is None else played[variant.name]).append(run)
    rows = [_row(_as_it_is(pipeline), runs) for pipeline, runs in sorted(bare.items())]
    known = {variant.name: _said(variant) for variant in list_variants()}
    own = {
        run.setting.variant.name: run.setting.variant
        for runs in played.values()
        for run in runs
        if run.setting.variant is not None
    }
    return (*rows, *(_row(said, played[name]) for name, said in (known | own).items()))


def _as_it_is(pipeline: str) -> VariantSaid:
    return VariantSaid(name=pipeline, row="pipeline", safe=True, why="the pipeline as it is")


def _said(variant: Variant) -> VariantSaid:
    expects = variant.expects
    return VariantSaid(
        name=variant.name,
        row=variant.row,
        safe=variant.safe,
        why=variant.why,
        reference=variant.reference,
        expects=(expects.finding, expects.hop) if expects else None,
    )


def _row(said: VariantSaid, runs: Sequence[RunFacts]) -> CatalogueRow:
    hits = [run for run in runs if (run.outcome is Outcome.PASSED if said.safe else run.caught)]
    failed = [run for run in runs if run.outcome is Outcome.FAILED]
    telling = [*(failed if said.safe else []), *hits, *runs]
    return CatalogueRow(
        name=said.name,
        row=said.row,
        safe=said.safe,
        why=said.why,
        reference=said.reference,
        expects=words_of(*said.expects) if said.expects else "holds",
        state=_state(said, runs, hits=len(hits), failed=len(failed)),
        runs=len(runs),
        hits=len(hits),
        example=telling[0].key if telling else None,
    )


def _state(said: VariantSaid, runs: Iterable[RunFacts], *, hits: int, failed: int) -> State:
    if not list(runs):
        return "not played"
    if not said.safe:
        return "caught" if hits else "not caught"
    if failed:
        return "accused"
    return "held" if hits else "inconclusive"
