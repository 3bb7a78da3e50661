"""Whole reports to look at: a night that passed, one that failed, one that proved nothing.

They are made of values alone; `tables_of` fills the tables that all of them share.
"""

from dataclasses import replace
from typing import Literal

from samples import CONDITIONS, CONTRACT, counterexample, life, line, story

from harness.ledger.findings import Outcome
from harness.report import axis, cases, model, tables

STAGES = (
    ("committed", "its transaction was committed"),
    ("relayed", "the pipeline marked it as sent"),
    ("acknowledged", "Kafka acknowledged it"),
    ("in the log", "a fresh reader found it"),
    ("delivered ≥ 1", "a consumer received it"),
    ("effect = 1", "it took effect exactly once"),
)
Stands = Literal["caught", "not caught", "held", "inconclusive", "not played"]


def funnel(messages: int, *, lost: int = 0, doubled: int = 0) -> model.Funnel:
    """Return a balance in which some were lost after their acknowledgement, and some doubled."""
    refs = tuple(model.MessageRef(run="r0", message=str(811 + number)) for number in range(200))

    def gaps(name: str) -> tuple[model.Gap, ...]:
        if name == "in the log" and lost:
            return (model.Gap(what="lost, acked-not-in-log", kind="lost", hop="acked-not-in-log",
                              count=lost, messages=refs[:lost]),)  # fmt: skip
        if name == "effect = 1" and doubled:
            return (model.Gap(what="processed twice", kind="duplicate-effect", hop=None,
                              count=doubled, messages=refs[:doubled]),)  # fmt: skip
        return ()

    stages = []
    left = messages
    for name, meaning in STAGES:
        left -= sum(gap.count for gap in gaps(name))
        stages.append(model.Stage(name=name, meaning=meaning, count=left, gaps=gaps(name)))
    beside = model.Gap(what="overwritten-offset", kind="overwritten-offset", hop=None, count=lost,
                       messages=refs[:lost])  # fmt: skip
    return model.Funnel(of="safe", runs=37, stages=tuple(stages), beside=(beside,) if lost else ())


def tables_of(report: model.Report) -> model.Report:
    """Return the report with links, recovery, coverage, catalogue and price filled."""
    return replace(
        report,
        links=_links(),
        recovery=_recovery(),
        coverage=_coverage(),
        duplicates=(
            tables.Duplicates(of="safe", in_log=31, delivered_again=1480, absorbed=1480, doubled=0),
        ),
        catalogue=_catalogue(),
        price=_price(),
    )


def _links() -> tuple[tables.LinkCell, ...]:
    def cell(plane: str, source: str, target: str, number: int) -> tables.LinkCell:
        cuts = (tables.Cut(flavour="hold", times=number, bit=number),
                tables.Cut(flavour="refuse", times=2, bit=number % 3))  # fmt: skip
        return tables.LinkCell(
            plane=plane, source=source, target=target, cuts=cuts if number % 4 else (),
            connections=number * 1.5, bytes_sent=number * 3200.0,
            bytes_answered=number * 180.0,
        )  # fmt: skip

    nodes = ("1", "2", "3")
    cells = [
        cell(plane, source, target, 3 * int(source) + int(target) + 5 * (plane == "quorum"))
        for plane in ("replication", "quorum") for source in nodes for target in nodes
        if source != target
    ]  # fmt: skip
    roles = ("producer", "relay", "consumer")
    cells += [
        cell("client", role, node, len(role) * int(node)) for role in roles[1:] for node in nodes
    ]
    cells += [cell("database", role, "database", len(role)) for role in roles]
    return tuple(cells)


def _recovery() -> tuple[tables.RecoveryRow, ...]:
    def spread(n: int, middle: float) -> tables.Spread:
        return tables.Spread(n=n, p50_s=middle, p95_s=middle * 1.4, max_s=middle * 2.2)

    return (
        tables.RecoveryRow(fault="kill", target="leader", first_ack=spread(14, 2.1),
                           full_isr=spread(14, 1.4), zero_lag=spread(14, 0.31)),
        tables.RecoveryRow(fault="isolate/hold", target="leader from peers",
                           first_ack=spread(9, 2.0), full_isr=spread(9, 0.4),
                           zero_lag=spread(9, 0.22)),
        tables.RecoveryRow(fault="kill", target="consumer", first_ack=None, full_isr=None,
                           zero_lag=spread(1, 1.2)),
    )  # fmt: skip


def _coverage() -> tables.Coverage:
    planes = {
        "nodes": (("kill", "stop", "pause"), ("leader", "follower", "controller", "2 nodes")),
        "node links": (
            ("isolate/hold", "isolate/drop", "isolate/refuse", "isolate/reset"),
            ("leader from peers", "controller from peers"),
        ),
        "client links": (
            ("unreachable/hold", "unreachable/latency", "unreachable/limit"),
            ("consumer to leader", "relay to leader", "producer to database"),
        ),
        "roles": (("kill", "pause", "scale"), ("consumer", "relay", "producer")),
        "database": (("kill", "stop", "pause"), ("database",)),
        "operations": (("move-leader", "reassign"), ("topic",)),
    }
    played = ((0, 0), (3, 3), (70, 68), (2, 0), (9, 9), (21, 20))
    cells = [
        tables.CoverageCell(fault=fault, target=target, phase="under load", plane=plane,
                            scheduled=played[number % 6][0], bit=played[number % 6][1])
        for plane, (faults, targets) in planes.items()
        for number, (fault, target) in enumerate((f, t) for f in faults for t in targets)
    ]  # fmt: skip
    points = (("producer", "after_commit", 4, 4), ("relay", "after_send", 6, 5),
              ("relay", "before_mark", 2, 0), ("consumer", "after_poll", 0, 0))  # fmt: skip
    return tables.Coverage(
        cells=tuple(cells),
        points=tuple(
            tables.PointRow(role=role, point=point, scheduled=scheduled, hit=hit)
            for role, point, scheduled, hit in points
        ),
    )


def _catalogue() -> tuple[tables.CatalogueRow, ...]:
    def row(
        name: str, expects: str, state: Stands, runs: int = 0, hits: int = 0
    ) -> tables.CatalogueRow:
        return tables.CatalogueRow(
            name=name, row="acks", safe=expects == "holds", expects=expects, runs=runs, hits=hits,
            why="The leader acknowledges before any follower has the record.",
            reference="Kafka producer documentation", state=state,
            example="r0" if runs else None,
        )  # fmt: skip

    return (
        row("outbox", "holds", "held", 37, 37),
        row("acks-1", "lost, acked-not-in-log", "caught", 10, 9),
        row("auto-commit", "lost, no-effect", "not caught", 4),
        row("no-dedup", "duplicate-effect", "inconclusive", 1),
        row("acks-0", "lost, acked-not-in-log", "not played"),
    )


def _price() -> tables.Price:
    def row(name: str, rate: float, group: str) -> tables.PriceRow:
        return tables.PriceRow(name=name, messages_per_s=rate, p50_ms=9e4 / rate, p99_ms=3e5 / rate,
                               group=group)  # fmt: skip

    return tables.Price(
        measured="2026-11-25T21:00:00+00:00",
        conditions={"Kafka": "4.3.1", "machine": "2 cores"},
        rows=(row("acks=0", 61200, "acks"), row("acks=1", 55100, "acks"),
              row("acks=all", 38900, "acks"), row("direct", 12100, "outbox"),
              row("outbox", 8100, "outbox")),
    )  # fmt: skip


def _headline(outcome: Outcome, sentence: str, **changes: object) -> model.Headline:
    colours: dict[Outcome, tables.Colour] = {Outcome.PASSED: "passed", Outcome.FAILED: "failed"}
    known = model.Headline(
        title="outbox, safe, both budgets",
        outcome=outcome,
        colour=colours.get(outcome, "inconclusive"),
        sentence=sentence,
        runs=37,
        outcomes={"PASSED": 36, "VACUOUS": 1},
        messages=48211,
        lost=0,
        processed_twice=0,
        other_findings=0,
        faults_scheduled=118,
        faults_bit=112,
        bound=0.081,
        failing=None,
        run_median_s=8.9,
        run_p95_s=15.2,
        conditions=tuple(cases.Fact(name=name, values=of) for name, of in CONDITIONS.items()),
        unsafe=model.UnsafeTally(runs=36, caught=35, variants=12, variants_caught=12),
        not_tested=(
            "checks not made: aborted-effect (log without column aborted)",
            "11 of 41 combinations of fault, target and phase never met the system",
            "crash points never hit: relay before_mark, consumer after_poll",
            CONTRACT,
        ),
        warnings=(),
    )
    return replace(known, **changes)  # type: ignore[arg-type]  # its own fields


def passed() -> model.Report:
    """Return a night that passed, with earlier ones to compare it with."""
    sentence = (
        "0 lost, 0 processed twice of 48,211 messages in 37 runs; 112 of 118 faults met traffic. "
        "With 95 % confidence fewer than 8.1 % of schedules like these fail."
    )
    history = tuple(
        tables.HistoryPoint(
            title=f"night {number}", made=f"2026-11-{number:02}T03:00:00+00:00",
            outcome=(Outcome.PASSED, Outcome.FAILED, Outcome.UNKNOWN)[number % 7 % 3],
            colour=("passed", "failed", "inconclusive")[number % 7 % 3],
            runs=40, passed=38, messages=50000, lost=number % 7 % 3 == 1, processed_twice=0,
            faults_bit=110, run_median_s=8.7, digest=f"of-night-{number}",
            file=f"night-{number}.html",
        )
        for number in range(14, 26)
    )  # fmt: skip
    return tables_of(
        model.Report(
            made="2026-11-26T03:00:00+00:00",
            harness="0.1.0",
            digest="of-this-night",
            headline=_headline(Outcome.PASSED, sentence),
            funnels=(funnel(48211),),
            counterexamples=(),
            stories=(story("r0", "a typical one that passed"),),
            links=(),
            recovery=(),
            coverage=tables.Coverage(cells=(), points=()),
            duplicates=(),
            catalogue=(),
            price=None,
            history=history,
            runs=(line(36, Outcome.VACUOUS), *(line(number) for number in range(36))),
        )
    )


def failed() -> model.Report:
    """Return a night with one failure that nobody expected, and one of an unsafe variant."""
    good = passed()
    sentence = (
        "245 lost, 3 processed twice of 48,211 messages in 37 runs; 112 of 118 faults met traffic. "
        "2.7 % of schedules like these fail (0.5 % to 13.8 % with 95 % confidence)."
    )
    return replace(
        good,
        headline=_headline(
            Outcome.FAILED, sentence, outcomes={"FAILED": 1, "PASSED": 35, "VACUOUS": 1}, lost=245,
            processed_twice=3, other_findings=245, bound=None,
            failing=cases.Share(hits=1, runs=36, low=0.005, high=0.138),
        ),
        funnels=(funnel(48211, lost=245, doubled=3),),
        counterexamples=(counterexample(), counterexample("c1", expected=True)),
        stories=(story("r0", "failed", lives=(life(),)), story("r1", "a typical one that passed")),
        runs=(line(0, Outcome.FAILED, story=True), line(36, Outcome.VACUOUS),
              line(1, story=True), *(line(number) for number in range(2, 36))),
    )  # fmt: skip


def inconclusive() -> model.Report:
    """Return a night that was broken off: nothing is held against anyone, nothing is proven."""
    troubled = replace(
        story("r0", "inconclusive"),
        troubles=(
            axis.Trouble(at_s=6.0, kind="lab", message="node 2 exited unasked with code 137"),
        ),
        source="progress",
    )
    return replace(
        passed(),
        headline=_headline(
            Outcome.UNKNOWN,
            "Nothing is proven: 3 of 5 runs came to no conclusion; 0 lost, 0 processed twice of "
            "4,100 messages in the others.",
            runs=5, outcomes={"PASSED": 2, "UNKNOWN": 1, "HARNESS_ERROR": 1, "incomplete": 1},
            messages=4100, bound=0.78, unsafe=None, faults_scheduled=9, faults_bit=5,
            warnings=("1 run folder is incomplete: the harness was killed",
                      "Kafka 4.3.1 and 3.9.1 are mixed in this report"),
        ),
        funnels=(funnel(4100),),
        stories=(troubled,),
        history=(),
        price=None,
        runs=(line(0, Outcome.UNKNOWN, story=True), line(1, Outcome.HARNESS_ERROR), line(2, None),
              line(3), line(4)),
    )  # fmt: skip
